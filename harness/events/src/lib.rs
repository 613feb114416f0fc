//! The event vocabulary and the log: everything that happens in a run, in one order.
//!
//! An event is `{v, t_ns, seq, actor, kind, …}`. The vocabulary grows within a version and never changes: readers keep kinds
//! they do not know ([`Kind::Unknown`]). Checks and reports are pure consumers of these events.

#[cfg(feature = "codecs")]
pub mod codecs;
mod event;
mod kind;
mod log;
mod prober;

pub use event::{Actor, Event, VERSION};
pub use kind::{
    Availability, Bounds, CheckStatus, Kind, LadderLevel, PhaseStatus, Power, ProbeKind, ServedBy, StepVerb, World,
};
pub use log::{EventLog, Observer};
pub use prober::{FailureClass, ProberFigures, ProberState};
