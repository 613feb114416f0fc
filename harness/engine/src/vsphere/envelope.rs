//! Requests to bytes, bytes to answers.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use roxmltree::{Document, Node};
use thiserror::Error;

use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::Fault;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const VIM: &str = "urn:vim25";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A message could not be written or read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// XML 1.0 has no way to say this character.
    #[error("{element} holds a character that XML cannot carry: {character:?}")]
    Character {
        /// The element.
        element: String,
        /// The character.
        character: char,
    },
    /// It is not well-formed XML.
    #[error("it is no XML: {0}")]
    NoXml(String),
    /// It is XML, but no SOAP envelope with something in it.
    #[error("it is no SOAP message: {0}")]
    NoEnvelope(&'static str),
}

/// The bytes of a request: `method` called on `this`.
pub(super) fn request(method: &str, this: &ManagedObject, arguments: &[Element]) -> Result<Vec<u8>, EnvelopeError> {
    let mut writer = Writer::new(Vec::with_capacity(1024));
    emit(&mut writer, Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let envelope = [("xmlns:soapenv", SOAP), ("xmlns:xsd", XSD), ("xmlns:xsi", XSI)];
    emit(&mut writer, Event::Start(BytesStart::new("soapenv:Envelope").with_attributes(envelope)));
    emit(&mut writer, Event::Start(BytesStart::new("soapenv:Body")));
    emit(&mut writer, Event::Start(BytesStart::new(method).with_attributes([("xmlns", VIM)])));
    element(&mut writer, &Element::reference("_this", this))?;
    for argument in arguments {
        element(&mut writer, argument)?;
    }
    for name in [method, "soapenv:Body", "soapenv:Envelope"] {
        emit(&mut writer, Event::End(BytesEnd::new(name)));
    }
    Ok(writer.into_inner())
}

fn emit(writer: &mut Writer<Vec<u8>>, event: Event<'_>) {
    writer.write_event(event).expect("memory can be written");
}

fn element(writer: &mut Writer<Vec<u8>>, element: &Element) -> Result<(), EnvelopeError> {
    let texts = element.attributes.iter().map(|(_, value)| value).chain([&element.text]);
    for text in texts {
        if let Some(character) = text.chars().find(|character| !is_xml(*character)) {
            return Err(EnvelopeError::Character { element: element.name.clone(), character });
        }
    }
    let mut start = BytesStart::new(element.name.as_str());
    for (name, value) in &element.attributes {
        start.push_attribute((name.as_str(), value.as_str()));
    }
    if let Some(kind) = &element.kind {
        start.push_attribute(("xsi:type", kind.as_str()));
    }
    emit(writer, Event::Start(start));
    if element.children.is_empty() {
        emit(writer, Event::Text(BytesText::new(&element.text)));
    }
    for child in &element.children {
        self::element(writer, child)?;
    }
    emit(writer, Event::End(BytesEnd::new(element.name.as_str())));
    Ok(())
}

/// XML 1.0, production 2.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What a message says: the answer's element, or a fault.
pub(super) fn answer(bytes: &[u8]) -> Result<Result<Element, Fault>, EnvelopeError> {
    let text = std::str::from_utf8(bytes).map_err(|error| EnvelopeError::NoXml(error.to_string()))?;
    let document = Document::parse(text).map_err(|error| EnvelopeError::NoXml(error.to_string()))?;
    let root = document.root_element();
    if !root.has_tag_name((SOAP, "Envelope")) {
        return Err(EnvelopeError::NoEnvelope("the root is no envelope"));
    }
    let body = root.children().find(|node| node.has_tag_name((SOAP, "Body")));
    let body = body.ok_or(EnvelopeError::NoEnvelope("there is no body"))?;
    let content = body.first_element_child().ok_or(EnvelopeError::NoEnvelope("the body is empty"))?;
    let tree = read(content);
    Ok(if content.has_tag_name((SOAP, "Fault")) { Err(fault(&tree)) } else { Ok(tree) })
}

fn read(node: Node<'_, '_>) -> Element {
    let mut element = Element::new(node.tag_name().name());
    for attribute in node.attributes() {
        match attribute.namespace() {
            None => element.attributes.push((attribute.name().to_owned(), attribute.value().to_owned())),
            Some(XSI) if attribute.name() == "type" => element.kind = Some(local(node, attribute.value())),
            Some(_) => {}
        }
    }
    element.children = node.children().filter(Node::is_element).map(read).collect();
    if element.children.is_empty() {
        element.text = node.children().filter_map(|child| child.text()).collect();
    }
    element
}

/// A type name by what its prefix stands for: some servers write `xsd:string` without saying what `xsd` is.
fn local(node: Node<'_, '_>, name: &str) -> String {
    match name.split_once(':') {
        None => name.to_owned(),
        Some((prefix, local)) => {
            let namespace = node.lookup_namespace_uri(Some(prefix));
            let simple = namespace.map_or(matches!(prefix, "xsd" | "xs"), |uri| uri == XSD);
            if simple { format!("xsd:{local}") } else { local.to_owned() }
        }
    }
}

fn fault(tree: &Element) -> Fault {
    let message = tree.text_at("faultstring").unwrap_or_default().to_owned();
    let detail = tree.child("detail").and_then(|detail| detail.children.first());
    let kind = detail.map_or_else(String::new, |detail| {
        let named = || detail.name.strip_suffix("Fault").unwrap_or(&detail.name).to_owned();
        detail.kind.clone().unwrap_or_else(named)
    });
    Fault { kind, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_vcenter_expects() {
        let vm = ManagedObject::new("VirtualMachine", "vm-101");
        let option = Element::new("extraConfig")
            .typed("OptionValue")
            .with(Element::text("key", "guestinfo.a"))
            .with(Element::text("value", "x < y & z").typed("xsd:string"));
        let bytes = request("ReconfigVM_Task", &vm, &[Element::new("spec").with(option)]).unwrap();
        let text = String::from_utf8(bytes).unwrap().replace("><", ">\n<");
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
        <soapenv:Body>
        <ReconfigVM_Task xmlns="urn:vim25">
        <_this type="VirtualMachine">vm-101</_this>
        <spec>
        <extraConfig xsi:type="OptionValue">
        <key>guestinfo.a</key>
        <value xsi:type="xsd:string">x &lt; y &amp; z</value>
        </extraConfig>
        </spec>
        </ReconfigVM_Task>
        </soapenv:Body>
        </soapenv:Envelope>
        "#);
    }

    #[test]
    fn what_xml_cannot_carry_is_an_error() {
        let vm = ManagedObject::new("VirtualMachine", "vm-101");
        let error = request("Rename_Task", &vm, &[Element::text("newName", "a\u{0}b")]).unwrap_err();
        assert_eq!(error, EnvelopeError::Character { element: "newName".into(), character: '\0' });
    }

    // As govc 0.54 shows vCenter's answers: default namespace on the response, types by the `xsi` prefix.
    const PROPERTIES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<soapenv:Body>
<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval><objects><obj type="VirtualMachine">vm-65</obj><propSet><name>config.extraConfig</name><val xsi:type="ArrayOfOptionValue"><OptionValue xsi:type="OptionValue"><key>guestinfo.a</key><value xsi:type="xsd:string">1 &lt; 2</value></OptionValue></val></propSet><propSet><name>runtime.powerState</name><val xsi:type="VirtualMachinePowerState">poweredOn</val></propSet></objects></returnval></RetrievePropertiesExResponse>
</soapenv:Body>
</soapenv:Envelope>"#;

    #[test]
    fn an_answer_reads_as_a_tree() {
        let tree = answer(PROPERTIES.as_bytes()).unwrap().unwrap();
        let object = tree.at("returnval/objects").unwrap();
        assert_eq!(object.reference_at("obj"), Some(ManagedObject::new("VirtualMachine", "vm-65")));
        let values: Vec<_> = object.all("propSet").collect();
        let value = values[0].at("val/OptionValue/value").unwrap();
        assert_eq!((value.kind.as_deref(), value.text.as_str()), (Some("xsd:string"), "1 < 2"));
        assert_eq!(values[1].text_at("val"), Some("poweredOn"));
    }

    #[test]
    fn faults_are_named_by_their_type_whatever_the_prefixes() {
        let fault = |body: &str| {
            let text = format!(
                "<S:Envelope xmlns:S='{SOAP}' xmlns:q='{XSI}' xmlns:v='{VIM}'><S:Body><S:Fault>\
                 <faultcode>ServerFaultCode</faultcode><faultstring>no</faultstring>{body}</S:Fault></S:Body></S:Envelope>"
            );
            answer(text.as_bytes()).unwrap().unwrap_err()
        };
        let by_type =
            fault("<detail><InvalidPowerStateFault xmlns='urn:vim25' q:type='v:InvalidPowerState'/></detail>");
        assert_eq!((by_type.kind.as_str(), by_type.message.as_str()), ("InvalidPowerState", "no"));
        assert_eq!(fault("<detail><NotAuthenticatedFault xmlns='urn:vim25'/></detail>").kind, "NotAuthenticated");
        assert_eq!(fault("").kind, "");
    }

    #[test]
    fn what_is_no_answer_says_why() {
        for (text, want) in [
            ("<html><body>busy</body></html>", "no envelope"),
            ("busy", "no XML"),
            ("<a xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>", "no envelope"),
            ("<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Body/></Envelope>", "the body is empty"),
        ] {
            let error = answer(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let tree = Element::new("spec")
            .typed("VirtualMachineImportSpec")
            .with(Element::text("a", " \"quoted\" & <b>\n"))
            .with(Element::reference("pool", &ManagedObject::new("ResourcePool", "resgroup-8")))
            .with(Element::text("v", "1").typed("xsd:int"));
        let bytes = request("X", &ManagedObject::new("T", "t"), std::slice::from_ref(&tree)).unwrap();
        let read = answer(&bytes).unwrap().unwrap();
        assert_eq!(read.child("spec"), Some(&tree));
    }
}
