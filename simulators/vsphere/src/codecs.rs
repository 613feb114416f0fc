//! What must hold of every reader and writer here, whatever the bytes: for property tests and fuzzers.
//!
//! Each function takes any bytes and panics where a property does not hold.

use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::Seed;
use grenadier_fleet::{Cloud, Host};
use grenadier_wire::{ReplyTo, Secret};
use http::Request;

use crate::ovf::descriptor::Descriptor;
use crate::soap::decode;
use crate::soap::name::method_and_target;
use crate::soap::tree::{Node, Tree};
use crate::soap::xml::Xml;
use crate::testing::{MemoryFleet, MemoryHost};
use crate::{User, VSphere, VSphereConfig};

/// XML: what reads is written so that it reads as the same.
pub fn xml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = method_and_target(text);
    let Ok(tree) = Tree::parse(text) else { return };
    let _ = decode::method(&tree);
    let mut out = Xml::document();
    write(tree.root(), &mut out);
    let written = out.into_text();
    let again = Tree::parse(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    let mut out = Xml::document();
    write(again.root(), &mut out);
    assert_eq!(out.into_text(), written);
    same(tree.root(), again.root());
}

fn write(node: Node<'_>, out: &mut Xml) {
    out.open(node.name(), &[]);
    if node.elements().next().is_none() {
        out.text(node.text());
    }
    for child in node.elements() {
        write(child, out);
    }
    out.close(node.name());
}

fn same(one: Node<'_>, other: Node<'_>) {
    assert_eq!(one.name(), other.name());
    let (ones, others): (Vec<_>, Vec<_>) = (one.elements().collect(), other.elements().collect());
    assert_eq!(ones.len(), others.len());
    if ones.is_empty() {
        assert_eq!(one.text(), other.text());
    }
    for (one, other) in ones.into_iter().zip(others) {
        same(one, other);
    }
}

/// An OVF descriptor reads or says why not; what it says of options can be asked.
pub fn descriptor(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(descriptor) = Descriptor::parse(text) else { return };
    let options = descriptor.options.iter().map(|option| Some(option.as_str())).chain([None, Some("no such option")]);
    for option in options {
        let _ = (descriptor.properties_for(option), descriptor.hardware(option));
    }
}

/// A request of a client that is logged in is answered, and what it began comes to an end.
pub fn request(bytes: &[u8]) {
    let mut config = VSphereConfig::new("7.0.1", Seed(7));
    let password = Secret::new("hunter2");
    config.users = vec![User {
        name: "admin".to_owned(),
        password,
        role: Default::default(),
        missing_privileges: Default::default(),
    }];
    config.networks = ["management", "workload", "frontend"].map(str::to_owned).to_vec();
    let mut host = MemoryHost::new(MemoryFleet::new(Host { cpus: 8, memory_mib: 16_384, storage_mib: 50_000 }));
    let mut sim = VSphere::new(config);
    let post = |body: Bytes| Request::post("/sdk").header("soapaction", "urn:vim25/7.0").body(body).expect("a request");
    let login = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><Login xmlns=\"urn:vim25\">\
                 <_this type=\"SessionManager\">SessionManager</_this><userName>admin</userName><password>hunter2</password>\
                 </Login></s:Body></s:Envelope>";
    sim.handle(ReplyTo(1), post(login.into()), &mut host);
    let cookie = host.replies.remove(&ReplyTo(1)).and_then(|reply| reply.headers().get("set-cookie").cloned());
    let mut request = post(Bytes::copy_from_slice(bytes));
    request.headers_mut().insert("cookie", cookie.expect("the login was answered"));
    sim.handle(ReplyTo(2), request, &mut host);
    let until = host.now + Duration::from_secs(3_600);
    host.advance(&mut sim, until);
    let answer = &host.replies.get(&ReplyTo(2)).expect("every request is answered");
    // What it says can be read again.
    xml(answer.body());
}
