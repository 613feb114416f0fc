//! What was tried where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of one kind of fault at the calls of one template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// In how many cases it acted.
    pub cases: u64,
    /// In how many of them something failed.
    pub failed: u64,
    /// In how many cases it found no place to act.
    pub not_injectable: u64,
}

impl Cell {
    pub(crate) fn add(&mut self, other: Cell) {
        self.cases += other.cases;
        self.failed += other.failed;
        self.not_injectable += other.not_injectable;
    }
}

/// A kind of fault that was not tried at some calls, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Excluded {
    /// The kind.
    pub fault: String,
    /// Why not.
    pub reason: String,
    /// At how many templates.
    pub calls: u64,
}
