//! Virtual time, seeded random streams, ids and the event queue of a deterministic world.
//!
//! Nothing here reads a wall clock or the operating system's randomness: a [`Time`] is nanoseconds since the run began, a
//! [`Stream`] follows from a [`Seed`] and a name, and a [`Queue`] breaks ties by a fixed order.

mod ids;
mod queue;
mod seed;
mod time;

pub use ids::Ids;
pub use queue::{Queue, TieBreak};
pub use seed::{Seed, Stream};
pub use time::{Clock, Sleep, Time, format_duration};
