//! One event and who caused it.

use std::fmt;

use grenadier_clock::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Kind;

/// The version of the vocabulary, written as `v` in every event.
pub const VERSION: u32 = 1;

/// Who made a call or caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The program under test. Only its calls are counted and faulted by default.
    Engine,
    /// A cluster operator that programs routes.
    Operator,
    /// A workload that writes while the upgrade runs.
    Writer,
    /// Grenadier itself: it deploys, creates, captures.
    Runner,
    /// A probe that watches the data plane.
    Probe,
    /// Somebody outside the upgrade: an administrator who powers on a machine, say.
    Administrator,
    /// The world: machines, guests, segments.
    World,
}

impl Actor {
    /// The name in events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Actor::Engine => "engine",
            Actor::Operator => "operator",
            Actor::Writer => "writer",
            Actor::Runner => "runner",
            Actor::Probe => "probe",
            Actor::Administrator => "administrator",
            Actor::World => "world",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The version of the vocabulary, see [`VERSION`].
    pub v: u32,
    /// When, in nanoseconds since the run began.
    pub t_ns: Time,
    /// The place in the log, from 0.
    pub seq: u64,
    /// Who caused it.
    pub actor: Actor,
    /// What happened.
    #[serde(flatten)]
    pub kind: Kind,
}
