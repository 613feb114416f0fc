//! Watching the data plane.

use std::net::SocketAddr;
use std::time::Duration;

use crate::MachineId;

/// The number of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchId(pub u32);

/// How a watch uses connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatchKind {
    /// One new connection for every request.
    HttpNew,
    /// One connection kept as long as it lives.
    HttpPinned,
}

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
    /// How it uses connections.
    pub kind: WatchKind,
    /// How often it samples where it has to.
    pub every: Duration,
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
}
