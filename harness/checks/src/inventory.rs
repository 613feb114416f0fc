//! What a run can leave behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Pattern;

/// A kind of thing that can be left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A machine, by name.
    Machine,
    /// A snapshot, as `machine/snapshot`.
    Snapshot,
    /// A file outside the machines' disks, by its datastore path.
    File,
    /// An open transaction of the Data Plane API, as `machine/id`.
    Transaction,
    /// An image.
    Image,
    /// A network port.
    Port,
}

impl ItemKind {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            ItemKind::Machine => "machine",
            ItemKind::Snapshot => "snapshot",
            ItemKind::File => "file",
            ItemKind::Transaction => "transaction",
            ItemKind::Image => "image",
            ItemKind::Port => "port",
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Everything there is at one moment that a run could leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory(pub BTreeSet<(ItemKind, String)>);

impl Inventory {
    /// Adds an item.
    pub fn add(&mut self, kind: ItemKind, name: impl Into<String>) {
        self.0.insert((kind, name.into()));
    }

    /// The same with an item more.
    #[must_use]
    pub fn with(mut self, kind: ItemKind, name: impl Into<String>) -> Inventory {
        self.add(kind, name);
        self
    }
}

/// Something that may remain because the scenario declares it, resolved by the runner to names of this run.
///
/// It *may* remain: its absence is no failure. Where it is there, it must be as it was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residual {
    /// Its name in the scenario: `new-appliance-powered-off`.
    pub name: String,
    /// The things it consists of.
    pub items: Inventory,
    /// Where its nodes stand in a captured tree: new nodes there are not counted against the rollback. Nodes that the base
    /// had are never covered.
    pub paths: Vec<Pattern>,
    /// Values that the captured tree must hold where there is a node at that path: `machines/haproxy-v0.2.0/power` is `off`.
    pub holds: BTreeMap<String, String>,
}
