//! What must hold of every reader and writer here, whatever the bytes: for property tests and fuzzers.
//!
//! Each function takes any bytes and panics where a property does not hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_clock::Time;
use http::{Method, Request};

use crate::config::{Bind, Document, Server, User};
use crate::memory::Memory;
use crate::{DataPlaneApi, Generation, Settings};

/// `haproxy.cfg`: what is read is printed as it was, line for line, and its parts can be asked for.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let document = Document::parse(text);
    assert_eq!(document.text(), text);
    for section in document.sections() {
        let _ = (Bind::of(section), Server::of(section));
        for words in section.directives() {
            let _ = section.value(words.first().copied().unwrap_or_default());
        }
    }
    for user in User::of(&document, "controller") {
        // A hash that costs much is the one thing here that may take its time.
        let _ = user.name.len();
    }
    let mut raised = document.clone();
    raised.set_version(document.version().saturating_add(1));
    assert_eq!(raised.version(), document.version().saturating_add(1));
    assert_eq!(Document::parse(&raised.text()), raised);
}

/// Requests, one a line as `METHOD PATH BODY`, the path below `/vN/services/haproxy`: each is answered, and afterwards the file
/// is what the service holds and reads as that.
pub fn requests(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for generation in ["2.1.0", "3.0.0"] {
        let generation: Generation = generation.parse().expect("a generation");
        let settings = Settings { generation, ..Settings::default() };
        let (file, prefix) = (settings.config_file.clone(), generation.prefix());
        let mut memory = Memory::default();
        let initial =
            "global\n  maxconn 100\n\ndefaults\n  mode tcp\n\nuserlist controller\n  user admin insecure-password s\n";
        memory.files.insert(file.clone(), initial.into());
        let Ok(mut api) = DataPlaneApi::start(settings, Time::ZERO, &mut memory) else { panic!("it starts") };
        for (number, line) in text.lines().enumerate().take(20) {
            let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
            let Ok(method) = method.parse::<Method>() else { continue };
            let request = Request::builder()
                .method(method)
                .uri(format!("/{prefix}/services/haproxy{path}"))
                .header("authorization", format!("Basic {}", STANDARD.encode("admin:s")));
            let Ok(request) = request.body(Bytes::copy_from_slice(body.as_bytes())) else { continue };
            let now = Time::from_ns(number as u64 * 1_000_000_000);
            let response = api.handle(now, &request, &mut memory);
            assert!(response.status().as_u16() < 600);
            api.timer(now, &mut memory);
        }
        let written = memory.files[&file].clone();
        let written = std::str::from_utf8(&written).expect("the file is text");
        assert_eq!(api.document().text(), written);
        assert_eq!(Document::parse(written), *api.document());
    }
}
