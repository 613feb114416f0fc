//! Outage from what probes saw: intervals with bounds, totals, and the step that caused them.
//!
//! Both worlds tell the same story, [`Kind::Availability`](grenadier_events::Kind::Availability) events: the virtual world
//! whenever its exact evaluation of the way from client to backend changes, the docker world whenever a sample differs from
//! the one before. A moment is therefore always a pair of [`Bounds`](grenadier_events::Bounds), which are equal where the
//! world knows. Everything here follows from the events alone, so that a stored log gives the same figures as the run.
//!
//! - [`Watch`]: one client that looks at one target in one way, and what it saw ([`watches`]).
//! - [`Outage`]: one interval in which it saw nothing, with the engine's step and the phase it began in ([`outages`]).
//! - [`Unseen`]: a time in which a prober did not look ([`unseen`]); it is never taken for one without an outage.
//! - [`Window`]: the part of the run in which an outage counts, and the [`Total`] within it.

mod coverage;
mod length;
mod outage;
mod span;
mod watch;
mod window;

pub use coverage::{Unseen, unseen};
pub use length::Length;
pub use outage::{Outage, outages};
pub use span::{Moment, Span, Spans};
pub use watch::{Change, Watch, watches};
pub use window::{Part, Total, Window, total, windows};
