//! vCenter's side of SOAP, written by hand.

use bytes::Bytes;
use http::StatusCode;
use roxmltree::{Document, Node};

/// What a request's body calls.
pub(super) fn method(body: &Bytes) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let document = Document::parse(text).unwrap();
    call(&document).tag_name().name().to_owned()
}

/// The element of the call in a request.
pub(super) fn call<'a>(document: &'a Document<'_>) -> Node<'a, 'a> {
    let body = document.descendants().find(|node| node.tag_name().name() == "Body").unwrap();
    let call = body.first_element_child().unwrap();
    assert_eq!(call.tag_name().namespace(), Some("urn:vim25"));
    call
}

/// The first descendant's text.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    find(node, name).and_then(|found| found.text()).unwrap_or_default()
}

/// The first descendant of a name.
pub(super) fn find<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.descendants().find(|found| found.tag_name().name() == name)
}

/// All descendants of a name.
pub(super) fn all<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |found| found.tag_name().name() == name)
}

fn envelope(status: StatusCode, body: &str) -> http::Response<Bytes> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    let mut response = http::Response::new(text.into());
    *response.status_mut() = status;
    response
}

/// The answer to `method` with this inside.
pub(super) fn answer(method: &str, inside: &str) -> http::Response<Bytes> {
    envelope(StatusCode::OK, &format!("<{method}Response xmlns=\"urn:vim25\">{inside}</{method}Response>"))
}

/// A fault.
pub(super) fn fault(kind: &str) -> http::Response<Bytes> {
    let body = format!(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{kind} happened</faultstring>\
         <detail><{kind}Fault xmlns=\"urn:vim25\" xsi:type=\"{kind}\"/></detail></soapenv:Fault>"
    );
    envelope(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// Text as XML has it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
