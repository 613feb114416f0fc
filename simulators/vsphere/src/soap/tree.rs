//! XML as a tree that borrows from its text: one pass, and no allocation per element.
//!
//! It keeps what requests and OVF descriptors are read for: local names, attributes, and the text of elements without
//! elements in them. It is strict about well-formedness, and knows no DTD: SOAP 1.1 (section 3) forbids one in a message.

use std::borrow::Cow;

use crate::soap::encode::{SOAP, XSI};
use crate::soap::scan::{self, Scanner};

/// A namespace, as far as somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Namespace {
    Soap,
    Instance,
    Other,
}

#[derive(Debug)]
struct Element<'a> {
    name: &'a str,
    namespace: Namespace,
    /// Its attributes among all of the tree.
    attributes: (usize, usize),
    /// Its text; empty where it has elements.
    text: Cow<'a, str>,
    /// The place behind the last element in it. Elements stand in the order in which they begin.
    end: usize,
}

#[derive(Debug)]
struct Attribute<'a> {
    name: &'a str,
    namespace: Namespace,
    value: Cow<'a, str>,
}

/// A well-formed document.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    elements: Vec<Element<'a>>,
    attributes: Vec<Attribute<'a>>,
}

/// A text is not well-formed XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// What is wrong.
    pub(crate) message: String,
    /// In which line, counted from 1.
    pub(crate) line: usize,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in line {}", self.message, self.line)
    }
}

impl<'a> Tree<'a> {
    /// Reads a document.
    pub(crate) fn parse(text: &'a str) -> Result<Tree<'a>, Malformed> {
        let mut builder = Builder {
            scanner: Scanner::new(text),
            tree: Tree { elements: Vec::with_capacity(text.len() / 48 + 8), attributes: Vec::with_capacity(16) },
            open: Vec::with_capacity(16),
            scope: Vec::with_capacity(8),
        };
        match builder.document() {
            Ok(()) => Ok(builder.tree),
            Err(message) => Err(Malformed { message, line: builder.scanner.line() }),
        }
    }

    /// The document's element.
    pub(crate) fn root(&'a self) -> Node<'a> {
        Node { tree: self, place: 0 }
    }
}

/// An element of a tree. Names are compared without their namespace: clients differ in prefixes, not in names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    tree: &'a Tree<'a>,
    place: usize,
}

impl<'a> Node<'a> {
    fn element(self) -> &'a Element<'a> {
        &self.tree.elements[self.place]
    }

    fn own_attributes(self) -> &'a [Attribute<'a>] {
        let (from, to) = self.element().attributes;
        &self.tree.attributes[from..to]
    }

    /// Its local name.
    pub(crate) fn name(self) -> &'a str {
        self.element().name
    }

    /// Whether it is of SOAP's envelope vocabulary.
    pub(crate) fn is_soap(self) -> bool {
        self.element().namespace == Namespace::Soap
    }

    /// Its elements.
    pub(crate) fn elements(self) -> impl Iterator<Item = Node<'a>> {
        let (tree, end) = (self.tree, self.element().end);
        let mut place = self.place + 1;
        std::iter::from_fn(move || {
            let found = (place < end).then_some(Node { tree, place })?;
            place = found.element().end;
            Some(found)
        })
    }

    /// Its text; empty where it has elements.
    pub(crate) fn text(self) -> &'a str {
        &self.element().text
    }

    /// Its `xsi:type` without a prefix: clients use prefixes that they never declared (govmomi).
    pub(crate) fn kind(self) -> Option<&'a str> {
        let own = self.own_attributes().iter();
        let kind = own.into_iter().find(|own| own.namespace == Namespace::Instance && own.name == "type")?;
        Some(kind.value.rsplit(':').next().unwrap_or(&kind.value))
    }

    /// An attribute by its local name, whatever its namespace.
    pub(crate) fn attribute(self, name: &str) -> Option<&'a str> {
        self.own_attributes().iter().find(|own| own.name == name).map(|own| &*own.value)
    }

    /// An attribute without a namespace.
    pub(crate) fn plain_attribute(self, name: &str) -> Option<&'a str> {
        let own = self.own_attributes().iter();
        own.into_iter().find(|own| own.namespace == Namespace::Other && own.name == name).map(|own| &*own.value)
    }
}

/// An element that has begun and not ended.
struct Open<'a> {
    place: usize,
    qualified: &'a str,
    /// How many prefixes were bound outside of it.
    outside: usize,
}

/// How deep elements may stand inside of each other: the deepest request of a client is far flatter.
const MOST_DEPTH: usize = 256;

struct Builder<'a> {
    scanner: Scanner<'a>,
    tree: Tree<'a>,
    open: Vec<Open<'a>>,
    /// The bound prefixes, inner ones last.
    scope: Vec<(&'a str, Namespace)>,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<(), String> {
        if let Some(character) = scan::forbidden(self.scanner.text()) {
            return Err(format!("the character {character:?}, which XML does not allow,"));
        }
        self.scanner.skip_declaration()?;
        loop {
            let raw = self.scanner.until_markup();
            if !raw.is_empty() {
                self.text(scan::unescape_text(raw)?)?;
            }
            if self.scanner.is_over() {
                break;
            }
            if self.scanner.skip("<!--") {
                self.scanner.past("-->")?;
            } else if self.scanner.skip("<![CDATA[") {
                let raw = self.scanner.past("]]>")?;
                self.text(scan::line_ends(raw))?;
            } else if self.scanner.skip("<?") {
                self.scanner.past("?>")?;
            } else if self.scanner.skip("</") {
                self.end()?;
            } else if self.scanner.skip("<!") {
                return Err("a document type declaration, which is not allowed,".to_owned());
            } else {
                self.start()?;
            }
        }
        match self.open.last() {
            Some(open) => Err(format!("the element {} does not end", open.qualified)),
            None if self.tree.elements.is_empty() => Err("no element".to_owned()),
            None => Ok(()),
        }
    }

    /// Text in the innermost open element. Where elements are, there is none that means anything.
    fn text(&mut self, text: Cow<'a, str>) -> Result<(), String> {
        let Some(open) = self.open.last() else {
            let blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
            return if blank { Ok(()) } else { Err("text outside of the document's element".to_owned()) };
        };
        let last = self.tree.elements.len() - 1;
        if last == open.place {
            let own = &mut self.tree.elements[last].text;
            if own.is_empty() {
                *own = text;
            } else {
                own.to_mut().push_str(&text);
            }
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), String> {
        if self.open.is_empty() && !self.tree.elements.is_empty() {
            return Err("a second element beside the document's".to_owned());
        }
        if self.open.len() >= MOST_DEPTH {
            return Err(format!("more than {MOST_DEPTH} elements inside of each other"));
        }
        self.scanner.skip("<");
        let qualified = self.scanner.name()?;
        if let Some(open) = self.open.last() {
            self.tree.elements[open.place].text = Cow::Borrowed("");
        }
        let (place, first, outside) = (self.tree.elements.len(), self.tree.attributes.len(), self.scope.len());
        let mut prefixed = false;
        while let Some((name, raw)) = self.scanner.attribute()? {
            let value = scan::unescape_attribute(raw)?;
            let bound = name
                .strip_prefix("xmlns")
                .and_then(|rest| if rest.is_empty() { Some("") } else { rest.strip_prefix(':') });
            if let Some(prefix) = bound {
                let namespace = match &*value {
                    SOAP => Namespace::Soap,
                    XSI => Namespace::Instance,
                    _ => Namespace::Other,
                };
                self.scope.push((prefix, namespace));
            } else if self.tree.attributes[first..].iter().any(|own| own.name == name) {
                return Err(format!("the attribute {name} twice"));
            } else {
                prefixed |= name.contains(':');
                self.tree.attributes.push(Attribute { name, namespace: Namespace::Other, value });
            }
        }
        if prefixed {
            // A prefix may be bound behind its first use in the same tag.
            for own in &mut self.tree.attributes[first..] {
                if let Some((prefix, local)) = own.name.split_once(':') {
                    own.namespace = resolve(&self.scope, prefix)?;
                    own.name = local;
                }
            }
        }
        let (prefix, name) = qualified.split_once(':').unwrap_or(("", qualified));
        let namespace = resolve(&self.scope, prefix)?;
        let attributes = (first, self.tree.attributes.len());
        let element = Element { name, namespace, attributes, text: Cow::Borrowed(""), end: place + 1 };
        self.tree.elements.push(element);
        self.open.push(Open { place, qualified, outside });
        if self.scanner.skip("/>") { self.close() } else { self.scanner.require(">") }
    }

    fn end(&mut self) -> Result<(), String> {
        let name = self.scanner.name()?;
        self.scanner.skip_blanks();
        self.scanner.require(">")?;
        match self.open.last() {
            Some(open) if open.qualified == name => self.close(),
            Some(open) => Err(format!("the element {} ends as {name}", open.qualified)),
            None => Err(format!("the element {name} ends without a beginning")),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        let open = self.open.pop().expect("the caller saw that one is open");
        self.tree.elements[open.place].end = self.tree.elements.len();
        self.scope.truncate(open.outside);
        Ok(())
    }
}

fn resolve(scope: &[(&str, Namespace)], prefix: &str) -> Result<Namespace, String> {
    match scope.iter().rev().find(|(bound, _)| *bound == prefix) {
        Some((_, namespace)) => Ok(*namespace),
        None if matches!(prefix, "" | "xml") => Ok(Namespace::Other),
        None => Err(format!("the prefix {prefix}, which stands for nothing,")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::soap::xml::Xml;

    #[test]
    fn what_is_not_well_formed_says_why_and_where() {
        for (text, want) in [
            ("", "no element in line 1"),
            ("torn", "text outside"),
            ("<a>\n<b></a>", "the element b ends as a in line 2"),
            ("<a>\n\n<b>", "the element b does not end in line 3"),
            ("</a>", "ends without a beginning"),
            ("<a/><b/>", "a second element"),
            ("<a x='1' x='2'/>", "the attribute x twice"),
            ("<a x=1/>", "no quotes"),
            ("<a x='<'/>", "`<` in an attribute"),
            ("<a>&nbsp;</a>", "the reference &nbsp;"),
            ("<a>&#0;</a>", "the reference &#0;"),
            ("<a>a & b</a>", "a `&` that begins no reference"),
            ("<p:a/>", "the prefix p, which stands for nothing,"),
            ("<a p:x='1'/>", "the prefix p, which stands for nothing,"),
            ("<!DOCTYPE a><a/>", "document type"),
            ("<a><!-- ", "no `-->`"),
            ("<a\u{1}/>", "which XML does not allow"),
            ("<a b='1'c='2'/>", "no blank"),
        ] {
            let error = Tree::parse(text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }

    #[test]
    fn text_is_what_stands_in_elements_without_elements() {
        let text = "\u{feff}<?xml version='1.0'?><!-- c --><a>\r\n<b x = \"1&#10;&quot;\n\" y='2' >1 &lt;<![CDATA[&<]]>&#x41;\r\n</b >\
                    <c/><?p i?><d>x<!-- --> y</d></a>\n";
        let tree = Tree::parse(text).unwrap();
        let root = tree.root();
        assert_eq!((root.name(), root.text()), ("a", ""));
        let inside: Vec<_> = root.elements().map(|node| (node.name(), node.text())).collect();
        assert_eq!(inside, [("b", "1 <&<A\n"), ("c", ""), ("d", "x y")]);
        let first = root.elements().next().unwrap();
        assert_eq!(
            (first.attribute("x"), first.attribute("y"), first.attribute("z")),
            (Some("1\n\" "), Some("2"), None)
        );
    }

    fn same(ours: Node<'_>, theirs: roxmltree::Node<'_, '_>) {
        assert_eq!(ours.name(), theirs.tag_name().name());
        for attribute in theirs.attributes() {
            assert_eq!(ours.attribute(attribute.name()), Some(attribute.value()));
        }
        let elements: Vec<_> = theirs.children().filter(roxmltree::Node::is_element).collect();
        assert_eq!(ours.elements().count(), elements.len());
        if elements.is_empty() {
            assert_eq!(ours.text(), theirs.text().unwrap_or_default());
        }
        ours.elements().zip(elements).for_each(|(ours, theirs)| same(ours, theirs));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_another_reader_reads_it(texts in proptest::collection::vec(any::<String>(), 4), shape in 0_u8..8) {
            let mut xml = Xml::document();
            xml.open("p:a", &[("xmlns:p", "urn:p"), ("x", &texts[0])]);
            if shape & 1 != 0 { xml.element("b", &[("p:y", &texts[1])], &texts[2]); }
            if shape & 2 != 0 { xml.empty("c", &[]); }
            if shape & 4 != 0 { xml.element("p:d", &[], &texts[3]); }
            xml.close("p:a");
            let text = xml.into_text();
            let theirs = roxmltree::Document::parse(&text).unwrap();
            same(Tree::parse(&text).unwrap().root(), theirs.root_element());
        }

        #[test]
        fn no_text_breaks_it(text in "[<>/a&;!='\" \\-\\[\\]?x:#1]{0,40}") {
            let ours = Tree::parse(&text);
            if let (Ok(ours), Ok(theirs)) = (&ours, roxmltree::Document::parse(&text)) {
                same(ours.root(), theirs.root_element());
            }
        }
    }
}
