//! Values, results and faults as SOAP.

use bytes::Bytes;

use crate::fault::Fault;
use crate::moment::date_time;
use crate::soap::xml::Xml;
use crate::value::{Data, Value};

/// The namespace of the API.
pub(crate) const VIM: &str = "urn:vim25";
/// The namespace of SOAP 1.1 envelopes.
pub(crate) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The namespace of `xsi:type`.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// The envelope of a method's result.
pub(crate) fn result(method: &str, values: &[Value]) -> Bytes {
    envelope(|xml| {
        let name = format!("{method}Response");
        xml.open(&name, &[("xmlns", VIM)]);
        for value in values {
            element(xml, "returnval", value);
        }
        xml.close(&name);
    })
}

/// The envelope of a fault.
pub(crate) fn fault(fault: &Fault) -> Bytes {
    envelope(|xml| {
        xml.open("soapenv:Fault", &[]);
        xml.element("faultcode", &[], "ServerFaultCode");
        xml.element("faultstring", &[], &fault.message);
        xml.open("detail", &[]);
        let name = format!("{}Fault", fault.kind);
        xml.open(&name, &[("xmlns", VIM), ("xsi:type", fault.kind)]);
        fields(xml, &fault.data());
        xml.close(&name);
        xml.close("detail");
        xml.close("soapenv:Fault");
    })
}

fn envelope(body: impl FnOnce(&mut Xml)) -> Bytes {
    let mut xml = Xml::answer();
    xml.open("soapenv:Envelope", &[("xmlns:soapenv", SOAP), ("xmlns:xsd", XSD), ("xmlns:xsi", XSI)]);
    xml.open("soapenv:Body", &[]);
    body(&mut xml);
    xml.close("soapenv:Body");
    xml.close("soapenv:Envelope");
    xml.into_text().into()
}

/// Writes `value` as the element `name`, or, where it is an array in a declared place, as several.
fn element(xml: &mut Xml, name: &str, value: &Value) {
    match value {
        Value::Any(value) => typed(xml, name, value, true),
        Value::List(_, items) => items.iter().for_each(|item| element(xml, name, item)),
        Value::Data(data) => typed(xml, name, value, data.derived),
        _ => typed(xml, name, value, false),
    }
}

fn typed(xml: &mut Xml, name: &str, value: &Value, say_type: bool) {
    if let Value::Any(value) = value {
        return typed(xml, name, value, true);
    }
    xml.begin(name);
    if say_type {
        xml.attribute("xsi:type", &value.type_name());
    }
    if let Value::Ref(mo) = value {
        xml.attribute("type", &mo.kind);
    }
    xml.inside();
    match value {
        Value::Text(text) => xml.text(text),
        Value::Short(number) => xml.number((*number).into()),
        Value::Int(number) => xml.number((*number).into()),
        Value::Long(number) => xml.number(*number),
        Value::Bool(is) => xml.text(if *is { "true" } else { "false" }),
        Value::Moment(at) => xml.text(&date_time(*at)),
        Value::Enum(_, literal) => xml.text(literal),
        Value::Ref(mo) => xml.text(&mo.id),
        Value::Data(data) => fields(xml, data),
        Value::List(kind, items) => items.iter().for_each(|item| element(xml, kind, item)),
        Value::Any(_) => {}
    }
    xml.close(name);
}

fn fields(xml: &mut Xml, data: &Data) {
    for (name, value) in &data.fields {
        if let Some(value) = value {
            element(xml, name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moref::MoRef;

    fn text(values: &[Value]) -> String {
        let bytes = result("Fetch", values);
        let text = std::str::from_utf8(&bytes).unwrap();
        let body = text.split("<FetchResponse xmlns=\"urn:vim25\">").nth(1).unwrap();
        body.split("</FetchResponse>").next().unwrap().to_owned()
    }

    #[test]
    fn declared_places_say_no_type_and_open_ones_do() {
        let option = Data::new("OptionValue").with("key", "a").any("value", "b");
        assert_eq!(
            text(&[option.clone().into()]),
            "<returnval><key>a</key><value xsi:type=\"xsd:string\">b</value></returnval>"
        );
        let list = Value::Any(Box::new(Value::list("OptionValue", [option])));
        assert_eq!(
            text(&[list]),
            "<returnval xsi:type=\"ArrayOfOptionValue\"><OptionValue><key>a</key>\
             <value xsi:type=\"xsd:string\">b</value></OptionValue></returnval>"
        );
        let refs = Value::Any(Box::new(Value::refs([MoRef::fixed("Folder", "group-v3")])));
        assert_eq!(
            text(&[refs]),
            "<returnval xsi:type=\"ArrayOfManagedObjectReference\">\
             <ManagedObjectReference type=\"Folder\">group-v3</ManagedObjectReference></returnval>"
        );
    }

    #[test]
    fn derived_types_name_themselves_and_unset_fields_are_left_out() {
        let disk = Data::derived("VirtualDisk").with("key", 2000).maybe("backing", None::<Value>);
        let hardware = Data::new("VirtualHardware").with("device", Value::list("VirtualDevice", [disk]));
        assert_eq!(
            text(&[hardware.into()]),
            "<returnval><device xsi:type=\"VirtualDisk\"><key>2000</key></device></returnval>"
        );
    }
}
