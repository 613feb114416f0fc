//! What the product's own static binary does inside containers.
//!
//! The docker fleet starts it as process 1 of every machine and speaks with it over its standard input and output, one JSON
//! message a line ([`protocol`]). It plays the machine's guest with real effects ([`RealHost`]: files, addresses, AnyIP
//! routes, listeners), watches targets for clients ([`probe`]), and makes calls from inside a network for those outside.
//!
//! What it cannot do for a machine it tells in the machine's log, under the service `agent`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the agent acts in real containers: its time is the machine's monotonic clock, its deadlines are real; every select is biased"
)]

#[cfg(feature = "codecs")]
pub mod codecs;
mod command;
mod delay;
mod disk;
mod encoding;
mod guests;
mod haproxy;
mod host;
mod impairment;
mod kernel;
mod listeners;
mod network;
mod outbox;
pub mod probe;
pub mod protocol;
mod run;
mod time_base;

pub use disk::Disk;
pub use guests::{GuestContext, make_guest};
pub use host::{HostParts, RealHost};
pub use impairment::Impairment;
pub use network::{NeighbourTimers, Network, NetworkError, NicRecord};
pub use outbox::{Outbox, Writer};
pub use run::{MakeGuest, run};
pub use time_base::TimeBase;
