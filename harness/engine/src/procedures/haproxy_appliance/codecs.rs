//! What must hold of the readers of an appliance's files.

use crate::procedures::haproxy_appliance::customisation::Customisations;
use crate::procedures::haproxy_appliance::{certificate, merge, version};

/// An appliance's configuration, its two files separated by a zero byte: what is found in it to be people's own is put into
/// another configuration once, and a second time changes nothing.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (haproxy, dataplane) = text.split_once('\0').unwrap_or((text, ""));
    let found = Customisations::find(haproxy, dataplane, "wcp", &["supervisor", "tenant-1"]);
    for target in ["# _version=3\nglobal\n  maxconn 60000\n\ndefaults\n  mode tcp\n", "", haproxy] {
        let once = merge::haproxy(target, &found.haproxy);
        assert_eq!(merge::haproxy(&once, &found.haproxy), once, "merging twice");
    }
    let once = merge::dataplane("TLS_PORT=5556\n", &found.dataplane);
    assert_eq!(merge::dataplane(&once, &found.dataplane), once, "merging twice");
    let _ = (certificate::fingerprint(text), certificate::holds_key(text), version::numbers(text));
}
