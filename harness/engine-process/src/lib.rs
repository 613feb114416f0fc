//! The built-in engine as a process of its own.
//!
//! `grenadier engine upgrade|resume|rollback` ([`perform`]) reads its parameters from a file ([`parameters`]), its secrets from
//! files or the environment, keeps its journal in a SQLite file, and makes its calls itself ([`Direct`]: TLS and `ssh`) or has
//! whoever started it make them ([`wire`]: a line protocol over its standard input and output). A runner starts it with
//! [`host::EngineProcess`], so that every call of it is named, counted, logged and faulted on the runner's own wire. What a
//! journal says of a run is read with [`Status`].
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a process of its own lives in real time: its deadlines are real, and so are its sockets"
)]

mod askpass;
mod clock;
mod direct;
pub mod host;
pub mod parameters;
mod perform;
mod piped;
mod progress;
mod result;
mod status;
pub mod wire;

pub use askpass::askpass;
pub use direct::Direct;
pub use perform::{Order, PROCEDURES, PerformError, Transport, perform};
pub use result::{RESULT_VERSION, ResultLine};
pub use status::{Status, StatusError, StepState, StepStatus};
