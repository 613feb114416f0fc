//! Writing XML.
//!
//! A writer of our own, because none at hand makes every text representable: line ends inside attributes (PEM keys in an OVF
//! environment) must survive a parser's normalisation, and characters outside XML 1.0 must not reach it at all.

/// A growing XML text.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
}

impl Xml {
    /// A text that begins with the XML declaration.
    pub(crate) fn document() -> Xml {
        Xml { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned() }
    }

    /// Opens an element.
    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.text.push('>');
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
        escape(&mut self.text, text, false);
        self.close(name);
    }

    /// The text so far.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (key, value) in attributes {
            self.text.push(' ');
            self.text.push_str(key);
            self.text.push_str("=\"");
            escape(&mut self.text, value, true);
            self.text.push('"');
        }
    }
}

fn escape(out: &mut String, text: &str, attribute: bool) {
    // Nearly all text goes as it is: it is copied in one piece up to the next character that does not.
    let mut copied = 0;
    for (index, character) in text.char_indices() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if attribute => "&quot;",
            '\n' if attribute => "&#10;",
            '\t' if attribute => "&#9;",
            '\r' => "&#13;",
            '\n' | '\t' => continue,
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        out.push_str(&text[copied..index]);
        out.push_str(replacement);
        copied = index + character.len_utf8();
    }
    out.push_str(&text[copied..]);
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
