//! What a request asks, and of which object, without reading the rest of it.
//!
//! Every call is named before it is delivered, so a request is read once more than answering it needs. This reads no further
//! than to the target, which stands first in all that clients send. It compares local names only: a body that is no SOAP is
//! named by what it looks like, and refused by whoever answers it.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The method in the body of an envelope and the id in its `_this`; none where no method can be made out.
pub(crate) fn method_and_target(text: &str) -> Option<(String, Option<String>)> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let envelope = element(&mut reader)?;
    if envelope.local_name().as_ref() != "Envelope" {
        return None;
    }
    child(&mut reader, "Body")?;
    let method = element(&mut reader)?.local_name().as_ref().to_owned();
    let target = child(&mut reader, "_this").and_then(|this| {
        let text = reader.read_text(this.name()).ok()?;
        Some(text.trim().to_owned())
    });
    Some((method, target))
}

/// The start of the next element; none where its parent ends first.
fn element<'a>(reader: &mut Reader<&'a [u8]>) -> Option<BytesStart<'a>> {
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => return Some(start),
            Event::End(_) | Event::Eof => return None,
            _ => {}
        }
    }
}

/// The start of the next element called `name`, past all that come before it.
fn child<'a>(reader: &mut Reader<&'a [u8]>, name: &str) -> Option<BytesStart<'a>> {
    loop {
        let start = element(reader)?;
        if start.local_name().as_ref() == name {
            return Some(start);
        }
        reader.read_to_end(start.name()).ok()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, Option<String>)> {
        method_and_target(text)
    }

    #[test]
    fn method_and_target_are_found_whatever_the_prefixes_and_what_is_around_them() {
        let text = "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"x\"><s:Header><a><Body/></a></s:Header> <s:Body><!-- c -->\
                    <v:Login xmlns:v=\"y\"><other><_this>no</_this></other><v:_this type=\"T\"> t-1\n</v:_this></v:Login>";
        assert_eq!(found(text), Some(("Login".to_owned(), Some("t-1".to_owned()))));
        assert_eq!(found("<Envelope><Body><Ping/></Body></Envelope>"), Some(("Ping".to_owned(), None)));
    }

    #[test]
    fn what_holds_no_method_has_no_name() {
        for text in ["", "torn", "<Envelope>", "<Envelope><Body/></Envelope>", "<html><Body><a/></Body></html>"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
