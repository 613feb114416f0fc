//! What the end-to-end tests share: scenarios and variants of them, runs, and texts that are worth comparing.

mod calls;
mod golden;
mod scenario;
mod text;

pub use calls::{engine_calls, faults_at, one_of_each, only_looks, rollback_calls};
pub use golden::{Golden, GoldenError};
pub use scenario::{run, run_with, scenario, variant};
pub use text::{skeleton, summary};
