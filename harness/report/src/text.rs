//! Text from anywhere made fit for a place with rules.

/// What stands for a character that may not be shown.
const REPLACEMENT: char = '\u{fffd}';

/// `text` with nothing in it that XML 1.0 forbids or a terminal would obey.
///
/// Colour sequences are left out; a tab is four spaces; any other control character, and the two code points that are no
/// characters, become U+FFFD, so that it shows that something was there. XML 1.0 §2.2 names the characters it allows; the
/// controls from U+007F to U+009F are allowed there and discouraged, but a terminal takes U+009B for the start of a command.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match colour_sequence(rest.as_str()) {
                Some(length) => rest = rest.as_str()[length..].chars(),
                None => clean.push(REPLACEMENT),
            },
            '\n' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            '\r' if rest.as_str().starts_with('\n') => {}
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => clean.push(REPLACEMENT),
            c => clean.push(c),
        }
    }
    clean
}

/// The length of the colour sequence (`[`, digits and semicolons, `m`) at the start of `text`.
fn colour_sequence(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix('[')?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(end + 2)
}

/// `text` cleaned, as one line.
pub(crate) fn one_line(text: &str) -> String {
    let clean = clean(text);
    if clean.contains('\n') { clean.split_whitespace().collect::<Vec<_>>().join(" ") } else { clean }
}

/// The first `most` characters of `text`; where some are left out, the last line says how many.
pub(crate) fn bounded(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}\n… and {} more characters", &text[..cut], text[cut..].chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_forbidden_is_left() {
        assert_eq!(clean("a\u{1b}[1;32mb\u{1b}[0mc"), "abc");
        assert_eq!(clean("a\u{1b}]0;title"), "a\u{fffd}]0;title", "the rest is not swallowed");
        assert_eq!(
            clean("a\0\u{1}\u{9b}31m\u{7f}\u{fffe}\u{ffff}"),
            "a\u{fffd}\u{fffd}\u{fffd}31m\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(clean("\ta\r\nb\rc"), "    a\nb\u{fffd}c");
        assert_eq!(clean("grüße 🚀 ]]> <&>"), "grüße 🚀 ]]> <&>");
        assert_eq!(clean("\u{1b}"), "\u{fffd}");
    }

    #[test]
    fn lines_are_joined_and_long_text_is_cut() {
        assert_eq!(one_line("a\n   b\n"), "a b");
        assert_eq!(bounded("äöü", 3), "äöü");
        assert_eq!(bounded("äöüß", 3), "äöü\n… and 1 more characters");
    }
}
