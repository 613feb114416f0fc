//! Requests to bytes, bytes to answers.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use thiserror::Error;

use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::Fault;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What stands before the method in every request, up to its name.
const BEFORE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
    xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><";

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
    let mut out = String::with_capacity(1024);
    out.push_str(BEFORE);
    out.push_str(method);
    out.push_str(" xmlns=\"urn:vim25\"><_this type=\"");
    escaped(&mut out, "_this", &this.kind, true)?;
    out.push_str("\">");
    escaped(&mut out, "_this", &this.id, false)?;
    out.push_str("</_this>");
    for argument in arguments {
        element(&mut out, argument)?;
    }
    for part in ["</", method, "></soapenv:Body></soapenv:Envelope>"] {
        out.push_str(part);
    }
    Ok(out.into_bytes())
}

fn element(out: &mut String, element: &Element) -> Result<(), EnvelopeError> {
    out.push('<');
    out.push_str(&element.name);
    let kind = element.kind.iter().map(|kind| ("xsi:type", kind));
    for (name, value) in element.attributes.iter().map(|(name, value)| (name.as_str(), value)).chain(kind) {
        for part in [" ", name, "=\""] {
            out.push_str(part);
        }
        escaped(out, &element.name, value, true)?;
        out.push('"');
    }
    out.push('>');
    if element.children.is_empty() {
        escaped(out, &element.name, &element.text, false)?;
    }
    for child in &element.children {
        self::element(out, child)?;
    }
    for part in ["</", &element.name, ">"] {
        out.push_str(part);
    }
    Ok(())
}

/// Adds text so that it reads back as it is: a parser takes a carriage return for a line end, and line ends and tabs in an
/// attribute for blanks, where they are not written as references.
fn escaped(out: &mut String, element: &str, text: &str, attribute: bool) -> Result<(), EnvelopeError> {
    // Nearly all text goes as it is, in pieces up to the next character that does not.
    let special = |byte: u8| match byte {
        b'&' | b'<' | b'>' => true,
        b'"' => attribute,
        b'\n' | b'\t' => attribute,
        // Control characters, and the first byte of U+F000 and above, among which two are not allowed.
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
            _ if is_xml(character) => out.push(character),
            _ => return Err(EnvelopeError::Character { element: element.to_owned(), character }),
        }
        rest = &rest[at + character.len_utf8()..];
    }
    out.push_str(rest);
    Ok(())
}

/// XML 1.0, production 2.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Refuses a text with a character that XML 1.0 has not. The reader below takes them.
fn allowed(text: &str) -> Result<(), String> {
    // Nearly every text is plain ASCII, which a loop without an early way out sees many bytes at a time.
    let plain = |byte: u8| (b' '..0x80).contains(&byte) | (byte == b'\t') | (byte == b'\n') | (byte == b'\r');
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        return Ok(());
    }
    match text.chars().find(|character| !is_xml(*character)) {
        None => Ok(()),
        Some(character) => Err(format!("it holds {character:?}, which XML does not allow")),
    }
}

/// What a message says: the answer's element, or a fault.
pub(super) fn answer(bytes: &[u8]) -> Result<Result<Element, Fault>, EnvelopeError> {
    let text = std::str::from_utf8(bytes).map_err(|error| EnvelopeError::NoXml(error.to_string()))?;
    let root = Reading::default().document(text).map_err(EnvelopeError::NoXml)?;
    if root.name != "soapenv:Envelope" {
        return Err(EnvelopeError::NoEnvelope("the root is no envelope"));
    }
    let body = root.children.into_iter().find(|child| child.name == "soapenv:Body");
    let body = body.ok_or(EnvelopeError::NoEnvelope("there is no body"))?;
    let content = body.children.into_iter().next().ok_or(EnvelopeError::NoEnvelope("the body is empty"))?;
    Ok(if content.name == "soapenv:Fault" { Err(fault(&content)) } else { Ok(content) })
}

/// A namespace, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Namespace {
    Soap,
    Types,
    Instance,
    Other,
}

/// A document that is being read.
#[derive(Default)]
struct Reading {
    /// The elements that have begun, each with the number of prefixes bound outside of it.
    open: Vec<(Element, usize)>,
    /// The bound prefixes, inner ones last.
    scope: Vec<(String, Namespace)>,
    root: Option<Element>,
}

impl Reading {
    /// The document's element. Those of SOAP's own vocabulary have the prefix `soapenv:`, all others none.
    fn document(mut self, text: &str) -> Result<Element, String> {
        allowed(text)?;
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => self.begin(&start)?,
                Event::Empty(start) => {
                    self.begin(&start)?;
                    self.end()?;
                }
                // That it ends what began is the reader's to check.
                Event::End(_) => self.end()?,
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let number = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                    match number {
                        Some(character) => {
                            let mut bytes = [0; 4];
                            let text = character.encode_utf8(&mut bytes);
                            allowed(text)?;
                            self.text(text)?;
                        }
                        None => {
                            let named = quick_xml::escape::resolve_predefined_entity(&reference);
                            self.text(named.ok_or_else(|| format!("nobody knows what &{};", &*reference))?)?;
                        }
                    }
                }
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::DocType(_) => return Err("it has a document type".to_owned()),
                Event::Eof => break,
            }
        }
        match self.open.last() {
            Some((open, _)) => Err(format!("{} does not end", open.name)),
            None => self.root.ok_or_else(|| "it has no element".to_owned()),
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let outside = self.scope.len();
        let mut element = Element::default();
        let mut prefixed = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            // A reference may stand for what must not stand there itself.
            allowed(&value)?;
            match attribute.key.0.split_once(':') {
                None if attribute.key.0 == "xmlns" => self.bind("", &value),
                None => element.attributes.push((attribute.key.0.to_owned(), value.into_owned())),
                Some(("xmlns", prefix)) => self.bind(prefix, &value),
                // Its prefix may be bound behind it.
                Some((prefix, "type")) => prefixed.push((prefix.to_owned(), value.into_owned())),
                Some(_) => {}
            }
        }
        for (prefix, value) in prefixed {
            if self.namespace(&prefix) == Some(Namespace::Instance) {
                element.kind = Some(self.local(&value));
            }
        }
        let name = start.name();
        let (prefix, local) = name.0.split_once(':').unwrap_or(("", name.0));
        let soap = self.namespace(prefix) == Some(Namespace::Soap);
        element.name = if soap { format!("soapenv:{local}") } else { local.to_owned() };
        self.open.push((element, outside));
        Ok(())
    }

    fn bind(&mut self, prefix: &str, uri: &str) {
        let namespace = match uri {
            SOAP => Namespace::Soap,
            XSD => Namespace::Types,
            XSI => Namespace::Instance,
            _ => Namespace::Other,
        };
        self.scope.push((prefix.to_owned(), namespace));
    }

    fn namespace(&self, prefix: &str) -> Option<Namespace> {
        self.scope.iter().rev().find(|(bound, _)| bound == prefix).map(|(_, namespace)| *namespace)
    }

    /// A type name by what its prefix stands for: some servers write `xsd:string` without saying what `xsd` is.
    fn local(&self, name: &str) -> String {
        match name.split_once(':') {
            None => name.to_owned(),
            Some((prefix, local)) => {
                let namespace = self.namespace(prefix);
                let simple =
                    namespace.map_or(matches!(prefix, "xsd" | "xs"), |namespace| namespace == Namespace::Types);
                if simple { format!("xsd:{local}") } else { local.to_owned() }
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last_mut() {
            // Between elements there is only what indents them.
            Some((open, _)) if open.children.is_empty() => open.text.push_str(text),
            Some(_) => {}
            None if text.trim().is_empty() => {}
            None => return Err("there is text outside of its element".to_owned()),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let (element, outside) = self.open.pop().ok_or("an element ends that did not begin")?;
        self.scope.truncate(outside);
        match self.open.last_mut() {
            Some((parent, _)) => {
                parent.text.clear();
                parent.children.push(element);
            }
            None if self.root.is_none() => self.root = Some(element),
            None => return Err("there is a second element beside the first".to_owned()),
        }
        Ok(())
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

    /// Found by feeding changed messages: what the reader took, the writer could not say.
    #[test]
    fn characters_that_xml_has_not_are_refused() {
        for val in ["a\u{6}b", "a&#6;b", "a\u{ffff}"] {
            for part in [format!("<val>{val}</val>"), format!("<val key=\"{val}\"/>")] {
                let text = format!("<e:Envelope xmlns:e=\"{SOAP}\"><e:Body>{part}</e:Body></e:Envelope>");
                let error = answer(text.as_bytes()).expect_err(&part).to_string();
                assert!(error.starts_with("it is no XML: "), "{error}");
            }
        }
    }

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
                "<S:Envelope xmlns:S='{SOAP}' xmlns:q='{XSI}' xmlns:v='urn:vim25'><S:Body><S:Fault>\
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
            ("<a><b></a>", "no XML"),
            ("<a><b/>", "no XML"),
            ("<a/><b/>", "no XML"),
            ("<a>&nbsp;</a>", "no XML"),
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
            .with(Element::text("a", " \"quoted\" & <b>\r\n\u{fffd}"))
            .with(Element::reference("pool", &ManagedObject::new("ResourcePool", "resgroup-8")))
            .with(Element::text("v", "1").typed("xsd:int"));
        let bytes = request("X", &ManagedObject::new("T", "t"), std::slice::from_ref(&tree)).unwrap();
        let read = answer(&bytes).unwrap().unwrap();
        assert_eq!(read.child("spec"), Some(&tree));
    }
}
