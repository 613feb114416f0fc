//! Watching the data plane.

use std::net::SocketAddr;
use std::time::Duration;

use grenadier_events::{FailureClass, ProbeKind};

use crate::MachineId;

/// The number of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchId(pub u32);

/// A client that looks at a target all the time.
///
/// The virtual fleet evaluates the way hop by hop whenever state changes; the docker fleet samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The machine that looks, with its own ARP cache.
    pub client: MachineId,
    /// What it looks at.
    pub target: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// How it looks.
    pub kind: ProbeKind,
    /// How often it samples where it has to.
    pub every: Duration,
    /// The backends that belong to the target; where there are some, an answer of any other is a failure of its own class.
    pub backends: Vec<String>,
}

/// What a watch sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Requests are answered.
    Up(ServedBy),
    /// They are not.
    Down {
        /// Which hop failed, and how.
        reason: String,
        /// What kind of failure a sample met; none where the fleet knows without sampling.
        class: Option<FailureClass>,
    },
}

/// Who answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServedBy {
    /// The machine that owns the address for this client; none where a sample cannot tell.
    pub machine: Option<MachineId>,
    /// The backends that can serve it (virtual) or have served it since the last change (docker), in order of name.
    pub backends: Vec<String>,
    /// SHA-256 of the certificate the client saw, where the connection is TLS.
    pub certificate: Option<String>,
    /// SHA-256 of the certificates above it, in the order in which they were shown.
    pub chain: Vec<String>,
}
