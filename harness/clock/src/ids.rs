//! Ids from a counter per kind.

use std::collections::BTreeMap;

/// Counters, one per kind, so that one more object of a kind shifts no other kind's ids.
#[derive(Clone, Debug, Default)]
pub struct Ids(BTreeMap<&'static str, u64>);

impl Ids {
    /// The next number of `kind`, counting from 1.
    ///
    /// ```
    /// let mut ids = grenadier_clock::Ids::default();
    /// assert_eq!((ids.next("vm"), ids.next("vm"), ids.next("task")), (1, 2, 1));
    /// ```
    pub fn next(&mut self, kind: &'static str) -> u64 {
        let counter = self.0.entry(kind).or_default();
        *counter += 1;
        *counter
    }
}
