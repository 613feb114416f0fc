//! From text to tree.

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, StructureStyle};

use super::scalar::resolve;
use super::{Entry, Kind, Node};
use crate::diagnostic::{Finding, Span};

/// Reads one document. The tree is there if the syntax is right, even if there are findings (duplicate keys).
pub(crate) fn read(source: &str) -> (Option<Node>, Vec<Finding>) {
    let mut options = Options::default();
    options.set_emit_comments(false);
    // Without it, an alias without its anchor would end the reading; aliases are reported here in any case.
    options.emit_unresolved_aliases = true;
    let mut reader = Reader { source, open: Vec::new(), root: None, findings: Vec::new(), documents: 0 };
    for event in Parser::new_from_str_with_options(source, options) {
        match event {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or(0..0);
                if let Some(tag) = event.tag() {
                    let place = span.tag_start().and_then(|mark| mark.byte_offset()).unwrap_or(range.start);
                    let tag = tag.original();
                    reader.find(
                        place..place + tag.len(),
                        format!("tag `{tag}` means nothing here"),
                        "leave the tag out",
                    );
                }
                reader.event(event, range);
            }
            Err(error) => {
                // The tree is incomplete, so whatever else could be said about it would be guesswork.
                reader.findings.push(syntax(source, &error));
                return (None, reader.findings);
            }
        }
    }
    (reader.root, reader.findings)
}

/// A collection whose end has not been seen.
struct Open {
    start: usize,
    end: usize,
    flow: bool,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// The entries so far, and the key whose value comes next.
    Map(Vec<Entry>, Option<(String, Span)>),
}

struct Reader<'s> {
    source: &'s str,
    open: Vec<Open>,
    root: Option<Node>,
    findings: Vec<Finding>,
    documents: usize,
}

impl Reader<'_> {
    fn find(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.findings.push(Finding { span, message: message.into(), help: Some(help.to_owned()), also: None });
    }

    fn event(&mut self, event: Event<'_>, range: Span) {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents == 2 {
                    self.find(range, "a second document begins here", "write one scenario per file");
                }
            }
            Event::Scalar(text, style, ..) => {
                let kind = if style == ScalarStyle::Plain { resolve(&text) } else { Kind::Text(text.into_owned()) };
                // A block scalar's span ends with its last line break.
                let end = range.start + self.source.get(range.clone()).unwrap_or_default().trim_end().len();
                self.place(Node { kind, span: range.start..end });
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.find(range.clone(), "aliases are not understood in scenarios", "write the value out");
                self.place(Node { kind: Kind::Null, span: range });
            }
            Event::SequenceStart(style, ..) => self.begin(Content::List(Vec::new()), style, &range),
            Event::MappingStart(style, ..) => self.begin(Content::Map(Vec::new(), None), style, &range),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return };
                let end = if open.flow { range.end } else { open.end };
                let kind = match open.content {
                    Content::List(items) => Kind::List(items),
                    Content::Map(entries, _) => Kind::Map(entries),
                };
                self.place(Node { kind, span: open.start..end.max(open.start) });
            }
            // Stream and document ends carry nothing; anchors without an alias do no harm. The enum is open.
            _ => {}
        }
    }

    fn begin(&mut self, content: Content, style: StructureStyle, range: &Span) {
        let flow = style == StructureStyle::Flow;
        self.open.push(Open { start: range.start, end: range.end, flow, content });
    }

    /// Puts a finished node where it belongs: into the innermost open collection, or at the root.
    fn place(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            if self.documents <= 1 {
                self.root = Some(node);
            }
            return;
        };
        open.end = open.end.max(node.span.end);
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map(entries, pending) => match pending.take() {
                None => {
                    let key = match &node.kind {
                        Kind::Text(text) => text.clone(),
                        // `404: …` or `true: …` is a key nobody knows; say so by its own text.
                        _ => self.source.get(node.span.clone()).unwrap_or_default().to_owned(),
                    };
                    *pending = Some((key, node.span));
                }
                Some((key, key_span)) => match entries.iter().find(|entry| entry.key == key) {
                    None => entries.push(Entry { key, key_span, value: node }),
                    Some(first) => self.findings.push(Finding {
                        message: format!("duplicate key `{}`", super::tree::shorten(&key)),
                        help: Some("remove one of the two".to_owned()),
                        also: Some((first.key_span.clone(), "first here")),
                        span: key_span,
                    }),
                },
            },
        }
    }
}

/// What the parser could not read, with a hint for the slips that are made by hand.
fn syntax(source: &str, error: &ScanError) -> Finding {
    let at = error.marker().byte_offset().unwrap_or(source.len()).min(source.len());
    let (at, help) = match tab_in_indentation(source, at) {
        Some(tab) => (tab, Some("indent with spaces: YAML does not allow tabs there")),
        None => (at, hint(error.kind())),
    };
    let end = source[floor(source, at)..].chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8());
    let message = format!("this is not valid YAML: {}", lower_first(&error.info()));
    Finding { span: at..end, message, help: help.map(str::to_owned), also: None }
}

fn floor(source: &str, mut at: usize) -> usize {
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A tab in the indentation of the line of this offset, or of the line before, where the parser often notices it late.
fn tab_in_indentation(source: &str, at: usize) -> Option<usize> {
    let line_start = |at: usize| source[..floor(source, at)].rfind('\n').map_or(0, |newline| newline + 1);
    let this = line_start(at);
    let before = this.checked_sub(1).map(line_start);
    [Some(this), before].into_iter().flatten().find_map(|start| {
        let indent = source[start..].find(|c| c != ' ' && c != '\t')?;
        source[start..start + indent].find('\t').map(|tab| start + tab)
    })
}

fn hint(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => {
            Some("check that every { has its } and every [ its ], with commas between")
        }
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabAtBlockScalarStart => {
            Some("use spaces: YAML does not allow a tab there")
        }
        ErrorKind::InvalidQuotedScalarIndent => {
            Some("close the quotation mark; if the text is meant to go on, indent its further lines")
        }
        ErrorKind::UnclosedQuotedScalar => Some("close the quotation mark"),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => Some("a key is followed by a colon and a space"),
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey | ErrorKind::ExpectedBlockSequenceEntry => {
            Some("check that this line is indented like its neighbours")
        }
        ErrorKind::MappingValueNotAllowed => Some(
            "put text with a colon in it in quotes; if this is a key, check that its line is indented like its neighbours",
        ),
        ErrorKind::RecursionLimitExceeded => Some("a scenario is only a few levels deep"),
        _ => None,
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(source: &str) -> Node {
        let (node, findings) = read(source);
        assert!(findings.is_empty(), "{findings:?}");
        node.expect("a document")
    }

    #[test]
    fn every_key_and_value_knows_its_place() {
        let source = "a: 1\nlist:\n  - {x: 'q', y: [1, 2]}\n  - text here\nlast: |\n  two\n  lines\n";
        let node = tree(source);
        let Kind::Map(entries) = &node.kind else { panic!("a mapping") };
        let text = |span: &Span| &source[span.clone()];
        assert_eq!(entries.iter().map(|entry| text(&entry.key_span)).collect::<Vec<_>>(), ["a", "list", "last"]);
        let Kind::List(items) = &entries[1].value.kind else { panic!("a list") };
        assert_eq!(text(&items[0].span), "{x: 'q', y: [1, 2]}");
        assert_eq!(text(&items[1].span), "text here");
        assert_eq!(text(&entries[1].value.span), "- {x: 'q', y: [1, 2]}\n  - text here");
        assert_eq!(text(&entries[2].value.span), "two\n  lines");
        assert_eq!(entries[2].value.kind, Kind::Text("two\nlines\n".to_owned()));
    }

    #[test]
    fn the_first_of_two_equal_keys_counts_and_the_second_is_reported() {
        let (node, findings) = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(node.unwrap().to_json(), serde_json::json!({"a": 1, "b": 2}));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].span.clone(), findings[0].also.clone()), (10..11, Some((0..1, "first here"))));
    }

    #[test]
    fn an_empty_document_is_no_tree_and_no_problem_of_syntax() {
        for source in ["", "\n", "# only a comment\n", "\u{feff}"] {
            let (node, findings) = read(source);
            assert!(findings.is_empty(), "{findings:?}");
            assert!(node.is_none_or(|node| node.kind == Kind::Null), "{source:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        let (node, findings) = read(&"[".repeat(100_000));
        assert!(node.is_none());
        assert_eq!(findings.len(), 1);
    }
}
