//! Watching a target from inside a network.
//!
//! [`judge`] turns samples into what a watch sees, with bounds; it is arithmetic alone, as [`schedule`] is, which says when a
//! sample is due and how late it was. `sampler` puts them together, on a thread of its own so that nothing a guest does delays
//! a sample. How a sample is taken has a file for each kind: `fresh` (`http-new`), `kept` (`http-pinned`, `tcp-stream`),
//! `handshake` (`tls`), `datagram` (`udp`), `address_resolution` (`arp`); `speech` is what is said on a connection. `neighbours`
//! tells whom the client's packets go to.

mod address_resolution;
mod connection;
mod datagram;
mod echo;
mod finding;
mod findings;
mod fresh;
mod handshake;
mod http1;
pub mod judge;
mod kept;
mod neighbours;
mod sampler;
pub mod schedule;
mod speech;

pub(crate) use echo::{STREAM_PREFACE, echo_datagrams, echo_stream};
pub use finding::{Answered, Failed, Finding, LATE_AFTER, SAMPLE_TIMEOUT, Sample};
#[cfg(feature = "codecs")]
pub(crate) use http1::{Progress, read as read_http1};
#[cfg(feature = "codecs")]
pub(crate) use neighbours::entry as neighbour_entry;
pub(crate) use sampler::Sampler;
