//! Colours, where there are any, and columns.

use std::ffi::OsStr;

use crate::tone::Tone;

/// The width of the first column, right-aligned: `not-covered` fits.
const WORD: usize = 12;

/// Whether to paint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// No colours, no control characters.
    pub const PLAIN: Style = Style { colour: false };
    /// With colours.
    pub const COLOUR: Style = Style { colour: true };

    /// Colours only on a terminal that can show them, and only where nobody asked for none: `NO_COLOR` set to anything but the
    /// empty string (<https://no-color.org>), or `TERM=dumb`.
    pub fn detect(is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> Style {
        let refused = no_color.is_some_and(|value| !value.is_empty()) || term.is_some_and(|term| term == "dumb");
        if is_terminal && !refused { Style::COLOUR } else { Style::PLAIN }
    }

    /// Whether it paints.
    pub fn is_colour(self) -> bool {
        self.colour
    }

    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32;1",
            Tone::Bad => "31;1",
            Tone::Notice => "33;1",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A word in the first column. Padding is outside the paint, so that it counts right.
    pub(super) fn word(self, tone: Tone, word: &str) -> String {
        let space = WORD.saturating_sub(word.chars().count());
        format!("{}{}", " ".repeat(space), self.paint(tone, word))
    }

    /// The line between what happened and what it came to.
    pub(super) fn rule(self) -> String {
        self.paint(Tone::Quiet, &"─".repeat(WORD))
    }
}

/// The widest text, in characters.
pub(super) fn widest<'a>(texts: impl IntoIterator<Item = &'a str>) -> usize {
    texts.into_iter().map(|text| text.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_only_on_a_terminal_and_only_where_wanted() {
        let os = |text| Some(OsStr::new(text));
        assert_eq!(Style::detect(true, None, os("xterm")), Style::COLOUR);
        assert_eq!(Style::detect(true, os(""), None), Style::COLOUR);
        assert_eq!(Style::detect(false, None, os("xterm")), Style::PLAIN);
        assert_eq!(Style::detect(true, os("1"), os("xterm")), Style::PLAIN);
        assert_eq!(Style::detect(true, None, os("dumb")), Style::PLAIN);
    }

    #[test]
    fn paint_does_not_move_columns() {
        assert_eq!(Style::PLAIN.word(Tone::Good, "PASS"), "        PASS");
        assert_eq!(Style::COLOUR.word(Tone::Good, "PASS"), "        \u{1b}[32;1mPASS\u{1b}[0m");
    }
}
