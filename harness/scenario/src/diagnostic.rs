//! What is wrong with a document.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Style;

/// Bytes of the source: always within it, always on character boundaries.
pub(crate) type Span = Range<usize>;

/// Everything that is wrong with one document, in the order of position.
///
/// Prints without colour; [`Diagnostics::render`] has the choice, and serialising gives the problems as data.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Diagnostics {
    problems: Vec<Problem>,
    #[serde(skip)]
    source: String,
    #[serde(skip)]
    file: String,
}

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The text that is wrong, as it stands in the source; its first line, if it is long.
    pub offending: String,
    /// Its bytes in the source.
    #[serde(skip)]
    pub(crate) span: Span,
    /// A second place that explains the first, with its label.
    #[serde(skip)]
    pub(crate) also: Option<(Span, &'static str)>,
}

/// A problem before its place is worked out.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) also: Option<(Span, &'static str)>,
}

/// How much of a long offending text is shown as data.
const OFFENDING_CHARS: usize = 80;

impl Diagnostics {
    pub(crate) fn new(source: &str, file: &str, mut findings: Vec<Finding>) -> Self {
        assert!(!findings.is_empty(), "diagnostics need a problem");
        // Stable: of two problems at one place the first found comes first.
        findings.sort_by_key(|finding| finding.span.start);
        let problems = findings
            .into_iter()
            .map(|finding| {
                let span = clamp(source, finding.span);
                let (line, column) = position(source, span.start);
                let first_line = source[span.clone()].lines().next().unwrap_or_default();
                Problem {
                    file: file.to_owned(),
                    line,
                    column,
                    message: finding.message,
                    help: finding.help,
                    offending: first_line.trim_end().chars().take(OFFENDING_CHARS).collect(),
                    span,
                    also: finding.also.map(|(span, label)| (clamp(source, span), label)),
                }
            })
            .collect();
        Self { problems, source: source.to_owned(), file: file.to_owned() }
    }

    /// The problems, in the order of position; there is at least one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.problems.iter()
    }

    /// The problems as people read them: each with its place, a snippet of the source and its hint.
    pub fn render(&self, style: Style) -> String {
        crate::render::render(self, style)
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

/// As it is displayed: what a test or a panic shows is then worth reading.
impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Diagnostics {}

/// The span moved inward until it lies in the source, on character boundaries.
pub(crate) fn clamp(source: &str, span: Span) -> Span {
    let inward = |mut at: usize| {
        at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = inward(span.start);
    start..inward(span.end).max(start)
}

/// Line and column of a byte offset, both counted from 1, the column in characters.
pub(crate) fn position(source: &str, offset: usize) -> (usize, usize) {
    let before = &source[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().filter(|c| *c != '\u{feff}').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = "a\nbü c\n";
        assert_eq!(position(source, 0), (1, 1));
        assert_eq!(position(source, 2), (2, 1));
        assert_eq!(position(source, source.find('c').unwrap()), (2, 4));
        assert_eq!(position(source, source.len()), (3, 1));
    }

    #[test]
    fn a_span_is_moved_inside_the_source_and_off_half_characters() {
        assert_eq!(clamp("aü", 2..99), 1..3);
        assert_eq!(clamp("", 5..9), 0..0);
        assert_eq!(clamp("abc", Span { start: 2, end: 1 }), 2..2);
    }
}
