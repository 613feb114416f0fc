//! The wire: the one seam between an engine and the world.
//!
//! Every action of every engine is an [`Exchange`]: an HTTP request or a shell command. The [`Wire`] names it, counts it,
//! gives it the fault a rule asks for, passes it to what stands behind ([`Answerer`]) and logs it. It knows no fleet and no
//! protocol: naming and the rendering of protocol faults are registered by those who speak one ([`Protocol`]).

mod exchange;
mod fault;
mod faulted;
mod hub;
mod memory;
mod name;
mod process;
mod secret;

pub use exchange::{
    Answer, Exchange, Failure, HttpExchange, ReplyTo, ShellExchange, ShellOutput, TlsTrust, http_response,
};
pub use fault::{Crash, FaultRule, IdleRule, ProtocolFault, RETRY_AFTER, StepMoment, asked_of_simulator};
/// The words for places and kinds of faults are the catalogue's.
pub use grenadier_catalog::{CallAddress, CallTemplate, FaultKind, FaultPlace};
pub use hub::{Answerer, Answering, CallWatcher, Protocol, Ticket, Wire};
pub use name::CallName;
pub use secret::Secret;
