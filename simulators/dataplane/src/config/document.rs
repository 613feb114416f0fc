//! A configuration file as sections of verbatim lines.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use super::words::{begins_like, line_after, words};
use crate::Remembered;

/// The keywords that begin a section, wherever on the line they stand (HAProxy configuration manual, chapters 3, 4, 5, 10).
const SECTION_KEYWORDS: [&str; 15] = [
    "backend",
    "cache",
    "defaults",
    "fcgi-app",
    "frontend",
    "global",
    "http-errors",
    "listen",
    "log-forward",
    "mailers",
    "peers",
    "program",
    "resolvers",
    "ring",
    "userlist",
];

/// How many parsed configurations a thread remembers …
const MOST_KNOWN: usize = 64;

/// … and the longest text of those, in bytes.
const LONGEST_KNOWN: usize = 64 * 1024;

const VERSION: &str = "# _version=";

/// The sections that have a name and can be programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionKind {
    /// Where clients connect.
    Frontend,
    /// Where requests go.
    Backend,
    /// Settings of the process. It has no name.
    Global,
    /// Settings of all sections below. Its name is optional.
    Defaults,
    /// Users and passwords.
    Userlist,
}

impl SectionKind {
    /// The keyword in the file.
    pub const fn keyword(self) -> &'static str {
        match self {
            SectionKind::Frontend => "frontend",
            SectionKind::Backend => "backend",
            SectionKind::Global => "global",
            SectionKind::Defaults => "defaults",
            SectionKind::Userlist => "userlist",
        }
    }
}

/// One section: its heading and the lines below, comments and blank lines included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its keyword: `frontend`.
    pub keyword: String,
    /// Its name; empty where it has none.
    pub name: String,
    heading: String,
    lines: Vec<String>,
}

impl Section {
    /// A new section without lines.
    pub fn new(kind: SectionKind, name: &str) -> Section {
        let heading = format!("{} {name}", kind.keyword());
        Section { keyword: kind.keyword().to_owned(), name: name.to_owned(), heading, lines: Vec::new() }
    }

    /// Whether it is of this kind.
    pub fn is(&self, kind: SectionKind) -> bool {
        self.keyword == kind.keyword()
    }

    /// Its directives: lines that are neither blank nor comments, as words without the comment at their end.
    pub fn directives(&self) -> impl Iterator<Item = Vec<&str>> {
        self.lines.iter().map(|line| words(line)).filter(|words| !words.is_empty())
    }

    /// What follows `keyword` (one word or several) in the first directive that begins with it.
    pub fn value(&self, keyword: &str) -> Option<String> {
        self.lines.iter().find_map(|line| line_after(line, keyword))
    }

    /// Sets the directive `keyword` to `value`: changes the first that begins with it, or adds one; none removes it.
    pub fn set_value(&mut self, keyword: &str, value: Option<&str>) {
        let position = self.lines.iter().position(|line| line_after(line, keyword).is_some());
        let text = |value: &str| format!("  {keyword} {value}").trim_end().to_owned();
        match (position, value) {
            (Some(index), Some(value)) => self.lines[index] = text(value),
            (Some(index), None) => {
                self.lines.remove(index);
            }
            (None, Some(value)) => self.insert(text(value)),
            (None, None) => {}
        }
    }

    /// The numbers of the lines whose first word is `keyword`.
    pub(crate) fn lines_of(&self, keyword: &str) -> Vec<usize> {
        let begins = |line: &str| begins_like(line, keyword) && words(line).first() == Some(&keyword);
        (0..self.lines.len()).filter(|index| begins(&self.lines[*index])).collect()
    }

    /// The words of a line.
    pub(crate) fn words(&self, index: usize) -> Vec<&str> {
        words(&self.lines[index])
    }

    /// Replaces a line.
    pub(crate) fn replace(&mut self, index: usize, line: String) {
        self.lines[index] = line;
    }

    /// Removes a line.
    pub(crate) fn remove(&mut self, index: usize) {
        self.lines.remove(index);
    }

    /// Adds a directive after the last one, before the blank lines and comments that lead over to the next section.
    pub(crate) fn insert(&mut self, line: String) {
        let end = self.lines.iter().rposition(|line| !words(line).is_empty()).map_or(0, |index| index + 1);
        self.lines.insert(end, line);
    }
}

/// A configuration file. Printing it gives the text it was read from, byte for byte, where nothing was changed. Copies share
/// the sections in which they do not differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    preamble: Vec<String>,
    sections: Vec<Arc<Section>>,
    /// Whether the last line ends with a line feed.
    terminated: bool,
}

impl Document {
    /// Reads a configuration. Every text can be read; what is not known is kept.
    pub fn parse(text: &str) -> Document {
        // Programs read the same text one after the other: the API at its start, HAProxy to check it and to run it.
        thread_local! {
            static KNOWN: RefCell<Remembered<String, Document>> = const { RefCell::new(Remembered::new(MOST_KNOWN)) };
        }
        if text.len() > LONGEST_KNOWN {
            return Document::read(text);
        }
        KNOWN.with_borrow_mut(|known| {
            known.find(text).unwrap_or_else(|| {
                let document = Document::read(text);
                known.keep(text.to_owned(), document.clone());
                document
            })
        })
    }

    fn read(text: &str) -> Document {
        let terminated = text.ends_with('\n');
        let body = text.strip_suffix('\n').unwrap_or(text);
        let mut document = Document { terminated, ..Document::default() };
        if text.is_empty() {
            return document;
        }
        let mut sections: Vec<Section> = Vec::new();
        for line in body.split('\n') {
            let begin = line.trim_start();
            let may_be_heading = SECTION_KEYWORDS.iter().any(|keyword| begin.starts_with(keyword));
            let words = if may_be_heading { words(line) } else { Vec::new() };
            match words.first() {
                Some(keyword) if SECTION_KEYWORDS.contains(keyword) => sections.push(Section {
                    keyword: (*keyword).to_owned(),
                    name: words.get(1).map(|name| (*name).to_owned()).unwrap_or_default(),
                    heading: line.to_owned(),
                    lines: Vec::new(),
                }),
                _ => match sections.last_mut() {
                    Some(section) => section.lines.push(line.to_owned()),
                    None => document.preamble.push(line.to_owned()),
                },
            }
        }
        document.sections = sections.into_iter().map(Arc::new).collect();
        document
    }

    /// The number in `# _version=N` above the first section; 1 where there is none.
    pub fn version(&self) -> u64 {
        let text = self.preamble.iter().find_map(|line| line.strip_prefix(VERSION));
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(1)
    }

    /// Sets that number.
    pub fn set_version(&mut self, version: u64) {
        let line = format!("{VERSION}{version}");
        match self.preamble.iter_mut().find(|line| line.starts_with(VERSION)) {
            Some(old) => *old = line,
            None => {
                self.preamble.insert(0, line);
                self.terminated = true;
            }
        }
    }

    /// The sections, in order.
    pub fn sections(&self) -> &[Arc<Section>] {
        &self.sections
    }

    /// The sections of one kind, in order.
    pub fn of(&self, kind: SectionKind) -> impl Iterator<Item = &Section> {
        self.sections.iter().map(|section| &**section).filter(move |section| section.is(kind))
    }

    /// The section of this kind and name.
    pub fn section(&self, kind: SectionKind, name: &str) -> Option<&Section> {
        self.of(kind).find(|section| section.name == name)
    }

    /// The section of this kind and name.
    pub fn section_mut(&mut self, kind: SectionKind, name: &str) -> Option<&mut Section> {
        let found = self.sections.iter_mut().find(|section| section.is(kind) && section.name == name);
        found.map(Arc::make_mut)
    }

    /// Adds a section at the end, set off by a blank line.
    pub fn push(&mut self, section: Section) {
        let lines = self.sections.last_mut().map_or(&mut self.preamble, |last| &mut Arc::make_mut(last).lines);
        if lines.last().is_none_or(|line| !line.trim().is_empty()) {
            lines.push(String::new());
        }
        self.sections.push(Arc::new(section));
        self.terminated = true;
    }

    /// Removes a section; whether there was one. Comments that stand between it and the next section stay: they may belong
    /// to that one.
    pub fn remove(&mut self, kind: SectionKind, name: &str) -> bool {
        let found = self.sections.iter().position(|section| section.is(kind) && section.name == name);
        let Some(index) = found else { return false };
        let removed = self.sections.remove(index);
        let end = removed.lines.iter().rposition(|line| !words(line).is_empty()).map_or(0, |index| index + 1);
        if removed.lines[end..].iter().any(|line| !line.trim().is_empty()) {
            let before = index.checked_sub(1).map(|index| &mut Arc::make_mut(&mut self.sections[index]).lines);
            before.unwrap_or(&mut self.preamble).extend_from_slice(&removed.lines[end..]);
        }
        true
    }

    /// Its text.
    pub fn text(&self) -> String {
        let length = self.lines().map(|line| line.len() + 1).sum();
        let mut text = String::with_capacity(length);
        for (index, line) in self.lines().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(line);
        }
        if self.terminated {
            text.push('\n');
        }
        text
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        let below = self.sections.iter().flat_map(|section| std::iter::once(&section.heading).chain(&section.lines));
        self.preamble.iter().chain(below).map(String::as_str)
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "# _version=7\n\n# ours\nglobal\n  maxconn 100 # few\n\n# the shop\nfrontend shop\n\tmode tcp\n  \
                          bind 1.2.3.4:443 name shop\n# the next one's comment\nbackend shop\n  server s1 1.1.1.1:1\n";

    #[test]
    fn sections_directives_and_version_are_found() {
        let document = Document::parse(SAMPLE);
        assert_eq!(document.version(), 7);
        let shop = document.section(SectionKind::Frontend, "shop").unwrap();
        assert_eq!(shop.value("mode").as_deref(), Some("tcp"));
        assert_eq!(shop.value("bind").as_deref(), Some("1.2.3.4:443 name shop"));
        let global = document.of(SectionKind::Global).next().unwrap();
        assert_eq!(global.value("maxconn").as_deref(), Some("100"));
        assert_eq!(Document::parse("global\n").version(), 1);
    }

    #[test]
    fn a_change_touches_its_line_alone() {
        let mut document = Document::parse(SAMPLE);
        document.section_mut(SectionKind::Frontend, "shop").unwrap().set_value("mode", Some("http"));
        document.set_version(8);
        let expected = SAMPLE.replace("\tmode tcp", "  mode http").replace("=7", "=8");
        assert_eq!(document.to_string(), expected);
    }

    #[test]
    fn removing_a_section_keeps_the_comment_of_the_next() {
        let mut document = Document::parse(SAMPLE);
        assert!(document.remove(SectionKind::Frontend, "shop"));
        assert!(!document.remove(SectionKind::Frontend, "shop"));
        let text = document.to_string();
        assert!(text.contains("# the next one's comment\nbackend shop"), "{text}");
        assert!(!text.contains("1.2.3.4"), "{text}");
    }

    #[test]
    fn a_directive_goes_before_the_trailing_comment() {
        let mut document = Document::parse(SAMPLE);
        document.section_mut(SectionKind::Frontend, "shop").unwrap().set_value("maxconn", Some("9"));
        assert!(document.to_string().contains("name shop\n  maxconn 9\n# the next one's"));
    }

    proptest! {
        #[test]
        fn reading_and_printing_is_identity(text in "([ \ta-z#=_\"'\\\\0-9:.]{0,12}(frontend|global|defaults|# _version=3)?[ a-z]{0,5}\r?\n?){0,30}") {
            prop_assert_eq!(Document::parse(&text).to_string(), text);
        }

        #[test]
        fn identity_holds_for_any_text(text in any::<String>()) {
            prop_assert_eq!(Document::parse(&text).to_string(), text);
        }

        #[test]
        fn adding_and_removing_a_section_leaves_the_others(text in "(global\n|frontend [a-c]\n|  mode tcp\n|# note\n|\n){0,12}") {
            let mut document = Document::parse(&text);
            let before: Vec<Arc<Section>> = document.sections().to_vec();
            document.push(Section::new(SectionKind::Backend, "new"));
            document.remove(SectionKind::Backend, "new");
            let names = |sections: &[Arc<Section>]| sections.iter().map(|s| (s.keyword.clone(), s.name.clone())).collect::<Vec<_>>();
            prop_assert_eq!(names(document.sections()), names(&before));
        }
    }
}
