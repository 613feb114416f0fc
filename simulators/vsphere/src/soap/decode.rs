//! What requests say.

use std::str::FromStr;

use crate::fault::Fault;
use crate::moref::MoRef;
pub(crate) use crate::soap::tree::{Node, Tree};

impl<'a> Node<'a> {
    /// Its elements called `name`.
    pub(crate) fn children(self, name: &'static str) -> impl Iterator<Item = Node<'a>> {
        self.elements().filter(move |node| node.name() == name)
    }

    /// Its first element called `name`.
    pub(crate) fn child(self, name: &'static str) -> Option<Node<'a>> {
        self.children(name).next()
    }

    /// The text of the element called `name`.
    pub(crate) fn text_of(self, name: &'static str) -> Option<&'a str> {
        self.child(name).map(Node::text)
    }

    /// [`Node::text_of`], to keep.
    pub(crate) fn owned_of(self, name: &'static str) -> Option<String> {
        self.text_of(name).map(str::to_owned)
    }

    /// The texts of all elements called `name`.
    pub(crate) fn texts_of(self, name: &'static str) -> Vec<String> {
        self.children(name).map(|node| node.text().to_owned()).collect()
    }

    /// [`Node::required`], to keep.
    pub(crate) fn required_owned(self, name: &'static str) -> Result<String, Fault> {
        self.required(name).map(str::to_owned)
    }

    /// The text of the element called `name`, which the method needs.
    pub(crate) fn required(self, name: &'static str) -> Result<&'a str, Fault> {
        self.text_of(name).ok_or_else(|| missing(name))
    }

    /// The element called `name`, which the method needs.
    pub(crate) fn required_child(self, name: &'static str) -> Result<Node<'a>, Fault> {
        self.child(name).ok_or_else(|| missing(name))
    }

    /// The number in the element called `name`.
    pub(crate) fn number_of<T: FromStr>(self, name: &'static str) -> Result<Option<T>, Fault> {
        let Some(text) = self.text_of(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| Fault::invalid_argument(name, &format!("`{text}` is no number")))
    }

    /// Whether the element called `name` says so; false without it.
    pub(crate) fn flag_of(self, name: &'static str) -> Result<bool, Fault> {
        match self.text_of(name).map(str::trim) {
            Some("true" | "1") => Ok(true),
            Some("false" | "0") | None => Ok(false),
            Some(other) => Err(Fault::invalid_argument(name, &format!("`{other}` is neither true nor false"))),
        }
    }

    /// The reference in the element called `name`, as the client wrote it.
    pub(crate) fn moref_of(self, name: &'static str) -> Option<MoRef> {
        self.child(name).map(Node::moref)
    }

    /// The reference in the element called `name`, which the method needs.
    pub(crate) fn required_moref(self, name: &'static str) -> Result<MoRef, Fault> {
        self.moref_of(name).ok_or_else(|| missing(name))
    }

    /// The element as a reference.
    pub(crate) fn moref(self) -> MoRef {
        let kind = self.plain_attribute("type").unwrap_or("ManagedObject").to_owned();
        MoRef { kind: kind.into(), id: self.text().trim().to_owned().into() }
    }
}

/// The method call in an envelope: the first element of its body.
pub(crate) fn method<'a>(tree: &'a Tree<'a>) -> Result<Node<'a>, Fault> {
    let envelope = tree.root();
    if !envelope.is_soap() || envelope.name() != "Envelope" {
        return Err(Fault::invalid_request("the request is no SOAP envelope"));
    }
    let body = envelope.child("Body").ok_or_else(|| Fault::invalid_request("the envelope has no body"))?;
    body.elements().next().ok_or_else(|| Fault::invalid_request("the body has no method"))
}

fn missing(name: &str) -> Fault {
    Fault::invalid_request(&format!("required parameter {name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_do_not_matter_and_types_lose_theirs() {
        // As govmomi writes it: an odd prefix for the instance namespace, a value prefix nobody declared.
        let text = r#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><ReconfigVM_Task xmlns="urn:vim25">
            <_this type="VirtualMachine">vm-65</_this><spec><extraConfig
            xmlns:_XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance" _XMLSchema-instance:type="OptionValue">
            <key>a</key><value _XMLSchema-instance:type="xsd:string">b</value></extraConfig></spec></ReconfigVM_Task></Body></Envelope>"#;
        let tree = Tree::parse(text).unwrap();
        let method = method(&tree).unwrap();
        assert_eq!(method.name(), "ReconfigVM_Task");
        assert_eq!(method.moref_of("_this"), Some(MoRef::new("VirtualMachine", "vm-65")));
        let option = method.child("spec").unwrap().child("extraConfig").unwrap();
        assert_eq!((option.kind(), option.child("value").unwrap().kind()), (Some("OptionValue"), Some("string")));
    }

    #[test]
    fn arguments_of_the_wrong_shape_are_named() {
        let tree = Tree::parse("<m><n>two</n><b>yes</b></m>").unwrap();
        let node = tree.root();
        assert_eq!(node.number_of::<u32>("n").unwrap_err().kind, "InvalidArgument");
        assert_eq!(node.flag_of("b").unwrap_err().kind, "InvalidArgument");
        assert!(node.required("x").unwrap_err().message.contains("x is missing"));
    }
}
