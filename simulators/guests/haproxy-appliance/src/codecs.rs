//! What must hold of the readers of the appliance, whatever the bytes: for property tests and fuzzers.
//!
//! Each function takes any bytes and panics where a property does not hold.

use std::collections::BTreeMap;

use grenadier_fleet::ImageHeader;
use grenadier_guest::testing::TestHost;

use crate::anyip::parse_range;
use crate::haproxy::codecs::checked;
use crate::{Inputs, fingerprint_of_pem};

/// A configuration is valid, or HAProxy says what is wrong with it; no host's state changes by that.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let host = TestHost::default();
    let (once, twice) = (checked(text, &host), checked(text, &host));
    assert_eq!(once, twice);
    let _ = (parse_range(text), fingerprint_of_pem(text));
}

/// OVF inputs, one `key=value` a line, read or are refused.
pub fn inputs(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let properties: BTreeMap<String, String> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for frontend in [false, true] {
        let _ = Inputs::read(&properties, frontend);
    }
}

/// The head of a disk image: what reads is written so that it reads as the same.
pub fn image(bytes: &[u8]) {
    let Ok(header) = ImageHeader::decode(bytes) else { return };
    assert_eq!(ImageHeader::decode(&header.encode()), Ok(header));
}
