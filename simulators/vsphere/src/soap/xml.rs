//! Writing XML.
//!
//! A writer of our own, because none at hand makes every text representable: line ends inside attributes (PEM keys in an OVF
//! environment) must survive a parser's normalisation, and characters outside XML 1.0 must not reach it at all.

use std::fmt::Write as _;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A growing XML text.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
}

impl Xml {
    /// A text that begins with the XML declaration.
    pub(crate) fn document() -> Xml {
        Xml { text: DECLARATION.to_owned() }
    }

    /// [`Xml::document`] with room for an ordinary answer.
    pub(crate) fn answer() -> Xml {
        let mut text = String::with_capacity(1024);
        text.push_str(DECLARATION);
        Xml { text }
    }

    /// Begins the tag that opens an element.
    pub(crate) fn begin(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
    }

    /// Adds an attribute to the tag.
    pub(crate) fn attribute(&mut self, key: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(key);
        self.text.push_str("=\"");
        escape(&mut self.text, value, true);
        self.text.push('"');
    }

    /// Ends the tag: what follows is inside of the element.
    pub(crate) fn inside(&mut self) {
        self.text.push('>');
    }

    /// Opens an element.
    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.inside();
    }

    /// Closes an element.
    pub(crate) fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// An element without content.
    pub(crate) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text.push_str("/>");
    }

    /// An element with text.
    pub(crate) fn element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.text(text);
        self.close(name);
    }

    /// Text.
    pub(crate) fn text(&mut self, text: &str) {
        escape(&mut self.text, text, false);
    }

    /// A number.
    pub(crate) fn number(&mut self, number: i64) {
        write!(self.text, "{number}").expect("memory can be written");
    }

    /// The text so far.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.begin(name);
        for (key, value) in attributes {
            self.attribute(key, value);
        }
    }
}

fn escape(out: &mut String, text: &str, attribute: bool) {
    // Nearly all text goes as it is: it is copied in one piece up to the next character that does not. The byte 0xef begins
    // the characters above U+F000, two of which XML does not allow.
    let special = |byte: u8| match byte {
        b'&' | b'<' | b'>' => true,
        b'"' | b'\n' | b'\t' => attribute,
        _ => byte < b' ' || byte == 0xef,
    };
    let mut rest = text;
    while let Some(at) = rest.bytes().position(special) {
        out.push_str(&rest[..at]);
        let character = rest[at..].chars().next().expect("something is at this place");
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
        rest = &rest[at + character.len_utf8()..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_ends_survive_in_attributes() {
        let pem = "-----BEGIN KEY-----\nAB\"C\r\n\t<&>-----END KEY-----\n";
        let mut xml = Xml::document();
        xml.open("a", &[("value", pem)]);
        xml.element("b", &[], pem);
        xml.close("a");
        let text = xml.into_text();
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(document.root_element().attribute("value"), Some(pem));
        assert_eq!(document.root_element().first_element_child().unwrap().text(), Some(pem));
    }

    proptest! {
        #[test]
        fn every_text_reads_back_or_is_replaced(text: String) {
            let mut xml = Xml::default();
            xml.element("a", &[("value", &text)], &text);
            let written = xml.into_text();
            let document = roxmltree::Document::parse(&written).unwrap();
            let allowed = |c: char| !matches!(c, '\0'..'\u{9}' | '\u{b}' | '\u{c}' | '\u{e}'..'\u{20}' | '\u{fffe}' | '\u{ffff}');
            let want: String = text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect();
            prop_assert_eq!(document.root_element().attribute("value"), Some(want.as_str()));
            prop_assert_eq!(document.root_element().text().unwrap_or_default(), want);
        }
    }
}
