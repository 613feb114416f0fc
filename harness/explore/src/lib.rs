//! Breaks an upgrade at every call, and says what does not survive.
//!
//! [`explore`] records an undisturbed run of a scenario, enumerates what can go wrong at each of its calls ([`Plan`]s), runs
//! them all, and adds up what was found ([`Exploration`]): coverage, and each distinct failure once ([`Signature`]), with the
//! smallest case that shows it. [`replay`] runs one case again, [`shrink`] makes it smaller, [`merge()`] joins shards.
//!
//! The oracles are the checks of any run, and one that only a disturbed run can undergo: it ends as the undisturbed one does,
//! or as it began.

mod assumptions;
mod coverage;
mod enumerate;
mod exploration;
mod findings;
mod folder;
mod html;
mod junit;
mod kept;
mod known;
mod merge;
mod pairs;
mod panics;
mod perform;
mod plan;
mod points;
mod random;
mod replay;
mod settings;
mod shrink;
mod signature;
mod source;
mod subject;
mod suggest;
mod tables;
#[cfg(test)]
mod testing;
mod text;
pub mod workers;

pub use assumptions::{Assumption, Assumptions, Change, Turned, assumptions};
pub use coverage::{Cell, Excluded};
pub use enumerate::{faults_at, faults_at_step};
pub use exploration::{Exploration, ExplorationFailure, ExploreError, KnownLine, SPEED, Speed, VERSION, explore};
pub use folder::{ExploreFolder, FolderError};
pub use html::html;
pub use junit::{junit, junit_cases};
pub use merge::{MergeError, merge};
pub use panics::{Panicked, caught};
pub use plan::Plan;
pub use points::{Point, StepPoint, of as calls_of, steps as steps_of};
pub use replay::{NotInDocker, Replayed, docker_case, replay};
pub use settings::{Random, Settings, Shard, ShardError, Watch};
pub use shrink::{Shrunk, shrink};
pub use signature::Signature;
pub use subject::{Subject, SubjectError};
pub use suggest::{Suggestion, suggest};
pub use text::{replay_of, text, verdict_line};
