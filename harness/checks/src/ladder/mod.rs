//! The ladder on which a rollback is compared: bytes, structure, meaning, behaviour, history.

mod climb;
mod meaning;
mod trees;

pub use climb::{Ladder, Rung};
pub use meaning::{Meaning, MeaningOf};
pub use trees::{AcknowledgedWrite, Comparison, TreeComparison, compare_trees};
