//! The XML of SOAP messages as a tree of our own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reference to a managed object: `VirtualMachine` and `vm-101`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ManagedObject {
    /// Its type.
    pub kind: String,
    /// Its value, unique per type in one vCenter.
    pub id: String,
}

impl ManagedObject {
    /// The reference `kind:id`.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> ManagedObject {
        ManagedObject { kind: kind.into(), id: id.into() }
    }
}

impl fmt::Display for ManagedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// An XML element without its namespaces: SOAP's vim25 vocabulary has but one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its local name.
    pub name: String,
    /// Its `xsi:type`: a local name, or `xsd:…` for the simple types of XML Schema.
    pub kind: Option<String>,
    /// Its attributes without a namespace, in order.
    pub attributes: Vec<(String, String)>,
    /// Its text, where it has no children.
    pub text: String,
    /// Its children, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<String>) -> Element {
        Element { name: name.into(), ..Element::default() }
    }

    /// An element with text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Element {
        Element { name: name.into(), text: text.into(), ..Element::default() }
    }

    /// An element that refers to a managed object.
    pub fn reference(name: impl Into<String>, object: &ManagedObject) -> Element {
        let attributes = vec![("type".to_owned(), object.kind.clone())];
        Element { name: name.into(), attributes, text: object.id.clone(), ..Element::default() }
    }

    /// The same with an `xsi:type`.
    #[must_use]
    pub fn typed(mut self, kind: impl Into<String>) -> Element {
        self.kind = Some(kind.into());
        self
    }

    /// The same with one more child.
    #[must_use]
    pub fn with(mut self, child: Element) -> Element {
        self.children.push(child);
        self
    }

    /// The same with more children.
    #[must_use]
    pub fn with_all(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children.extend(children);
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn renamed(mut self, name: impl Into<String>) -> Element {
        self.name = name.into();
        self
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// What lies at the end of a path of first children: `summary/hardware`.
    pub fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// The text at the end of a path.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|element| element.text.as_str())
    }

    /// The number at the end of a path.
    pub fn number_at(&self, path: &str) -> Option<u64> {
        self.text_at(path)?.trim().parse().ok()
    }

    /// The managed object this element refers to.
    pub fn managed_object(&self) -> Option<ManagedObject> {
        let (_, kind) = self.attributes.iter().find(|(name, _)| name == "type")?;
        (!self.text.is_empty()).then(|| ManagedObject::new(kind, &self.text))
    }

    /// The managed object at the end of a path.
    pub fn reference_at(&self, path: &str) -> Option<ManagedObject> {
        self.at(path)?.managed_object()
    }
}
