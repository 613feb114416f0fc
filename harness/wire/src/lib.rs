//! The wire: the one seam between an engine and the world.
//!
//! Every action of every engine is an [`Exchange`]: an HTTP request or a shell command. The [`Wire`] names it, counts it,
//! gives it the fault a rule asks for, passes it to what stands behind ([`Answerer`]) and logs it. It knows no fleet and no
//! protocol: naming and the rendering of protocol faults are registered by those who speak one ([`Protocol`]).

mod address;
mod exchange;
mod fault;
mod hub;
mod secret;

pub use address::{AddressError, CallAddress, CallName};
pub use exchange::{
    Answer, Exchange, Failure, HttpExchange, ReplyTo, ShellExchange, ShellOutput, TlsTrust, http_response,
};
pub use fault::{FaultKind, FaultRule, ProtocolFault};
pub use hub::{Answerer, Answering, Protocol, Ticket, Wire, task_must_fail};
pub use secret::Secret;
