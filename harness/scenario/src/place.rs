//! Where something stands in a document.

use crate::diagnostic::position;
use crate::yaml::{self, Kind};

/// The line, from 1, of the key at the end of `path`; of the nearest key above it that is there.
///
/// ```
/// let source = "name: one\nexpect:\n  outcome: upgraded\n";
/// assert_eq!(grenadier_scenario::line_of(source, &["expect", "outcome"]), Some(3));
/// assert_eq!(grenadier_scenario::line_of(source, &["expect", "outage"]), Some(2));
/// assert_eq!(grenadier_scenario::line_of(source, &["field"]), None);
/// ```
pub fn line_of(source: &str, path: &[&str]) -> Option<usize> {
    let (root, _) = yaml::read(source);
    let mut node = &root?;
    let mut found = None;
    for key in path {
        let Kind::Map(entries) = &node.kind else { break };
        let Some(entry) = entries.iter().find(|entry| entry.key == *key) else { break };
        found = Some(position(source, entry.key_span.start).0);
        node = &entry.value;
    }
    found
}
