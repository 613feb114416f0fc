//! What a guest is and what it may do.
//!
//! A [`Guest`] is what runs in a machine: a state machine without input or output of its own. It is told [`Input`]s and acts
//! through a [`Host`] alone. The virtual fleet is one host; the agent, which drives the same guests with real files, real
//! addresses and real sockets inside a container, is the other.

mod guest;
mod host;
pub mod shell;
pub mod testing;

pub use grenadier_wire::ReplyTo;
pub use guest::{CallKey, Guest, Input, TimerKey};
pub use host::{Answering, Host, Listener, RouteRule};
