//! The oracles of a run, one file each, and the verdict they add up to.
//!
//! The runner collects [`Facts`]: the event log, what the scenario expects, what the engine said and what the world showed.
//! Each [`Check`] turns them into a [`CheckResult`] with evidence; [`Verdict::of`] adds the results up. Nothing here touches
//! a world, so a verdict can be made again from a stored run.
//!
//! ```
//! use grenadier_catalog::Named;
//!
//! let names: Vec<&str> = grenadier_checks::all().iter().map(|check| check.name().name()).collect();
//! assert_eq!(names[0], "outage");
//! assert!(names.contains(&"canary"));
//! ```

mod calls;
mod capture;
mod check;
mod checks;
mod difference;
mod engine;
mod exit_code;
mod expectation;
mod exposure;
mod facts;
mod inventory;
mod ladder;
mod masks;
mod pattern;
mod reference;
mod roles;
mod routes;
mod verdict;

#[cfg(test)]
mod testing;

pub use calls::changes_something;
pub use capture::{Capture, Class, Node};
pub use check::{Check, CheckResult};
pub use checks::all;
pub use difference::Difference;
pub use engine::{Advice, EngineEnd, EngineFact, Verb};
pub use exit_code::ExitCode;
pub use expectation::{Expectation, Required};
pub use exposure::Exposure;
pub use facts::{Facts, RunEnd, Shown, Stages, Subject, Target};
pub use inventory::{Inventory, ItemKind, Residual};
pub use ladder::{AcknowledgedWrite, Comparison, Ladder, Meaning, MeaningOf, Rung, TreeComparison, compare_trees};
pub use masks::{Mask, MaskClass, MaskUse, Masked, Masks, MasksError};
pub use pattern::{Pattern, PatternError};
pub use reference::{Changes, Reference};
pub use roles::Roles;
pub use routes::{Route, Routes, RoutesByCluster};
pub use verdict::{CheckLine, EngineLine, PhaseLine, TargetOutage, VERDICT_VERSION, Verdict, Word};
