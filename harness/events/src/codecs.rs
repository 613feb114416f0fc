//! What must hold of the lines of an event log, whatever the bytes: for property tests and fuzzers.

use crate::Event;

/// A line reads as an event or not, an unknown one included, and an event is written so that it reads as the same.
pub fn line(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(event) = serde_json::from_slice::<Event>(line) else { continue };
        let written = serde_json::to_string(&event).expect("an event has string keys");
        assert!(!written.contains('\n'));
        let again: Event = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(again, event);
    }
}
