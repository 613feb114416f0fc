//! What must hold of every reader and writer here, whatever the bytes: for property tests and fuzzers.
//!
//! Each function takes any bytes and panics where a property does not hold.

use crate::journal::{Journal, MemoryStorage, Record, Storage};
pub use crate::procedures::haproxy_appliance::codecs::configuration;
use crate::vsphere::OvfDescriptor;
pub use crate::vsphere::codecs::envelope;

/// An OVF descriptor reads or says why not; what it says of options can be asked.
pub fn descriptor(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(descriptor) = OvfDescriptor::read(text) else { return };
    for option in descriptor.options.iter().map(|option| Some(option.as_str())).chain([None, Some("no such option")]) {
        let _ = descriptor.networks(option);
    }
    let _ = descriptor.default_of("appliance.root_pwd");
}

/// A journal: any bytes open or are refused, and a record that reads is written so that it reads as the same.
pub fn journal(bytes: &[u8]) {
    let opened = |bytes: &[u8]| {
        let mut storage = MemoryStorage::default();
        storage.append(bytes).expect("memory takes everything");
        Journal::open(Box::new(storage))
    };
    if let Ok(journal) = opened(bytes) {
        let _ = journal.recovery();
    }
    let records = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Record>(line).ok());
    let records: Vec<Record> = records.collect();
    let written = crate::journal::written(&records);
    let read = opened(&written).expect("what was written reads");
    assert_eq!(read.records(), records);
    // A write that was torn loses its own record and no other.
    if let Some(torn) = written.len().checked_sub(2) {
        let read = opened(&written[..torn]).expect("a torn write is no damage");
        assert_eq!(read.records(), &records[..records.len() - 1]);
    }
    let _ = read.recovery();
}
