//! The gate: everything a profile asks for, with one verdict.
//!
//! [`load_profile`] and [`gather`] read what there is, [`plan`] says what is to be done ([`Job`]s), [`run`] does it and adds it
//! up ([`Gate`]), with what became worse since a baseline ([`Difference`]). How a job is done is a [`Performer`]'s affair;
//! [`Worlds`] is the real one. [`GateFolder`] keeps everything. The upgrade and the environment are told apart all the way: a row is
//! `failed` or `unfit`, a JUnit case has a failure or an error, and the exit code is 1 or 3.
#![allow(clippy::disallowed_methods, reason = "the gate lives in real time: it says how long its jobs took")]

mod baseline;
mod execute;
mod folder;
mod gate;
mod gather;
mod github;
mod job;
mod judge;
mod junit;
mod perform;
mod profile;
mod row;
#[cfg(test)]
mod testing;
mod text;

pub use baseline::{BaselineError, Difference, DifferenceKind, read_baseline};
pub use execute::{Progress, run};
pub use folder::{FolderError, GateFolder};
pub use gate::{Against, Gate, Gated, VERSION};
pub use gather::{GatherError, gather};
pub use github::{annotations, of_exploration, of_run, summary, summary_of_exploration, summary_of_run};
pub use job::{Job, Work, plan};
pub use junit::junit;
pub use perform::{Attempt, Performer, Worlds};
pub use profile::{DEFAULT_PROFILE, ProfileError, default_profile, load_profile};
pub use row::{CheckWord, Row, Status};
pub use text::text;
