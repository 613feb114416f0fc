//! Failures that the scenario knows of.

use grenadier_scenario::KnownFailure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exploration::ExplorationFailure;

/// A failure that the scenario knows of, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownLine {
    /// The pattern of its signature.
    pub signature: String,
    /// Why it is left as it is.
    pub reason: String,
    /// Where it is being dealt with.
    pub issue: String,
    /// How many cases failed like that.
    pub cases: u64,
}

/// Marks the failures that `known` tells of, and counts how often each of them was found.
pub(crate) fn mark(failures: &mut [ExplorationFailure], known: &[KnownFailure]) -> Vec<KnownLine> {
    for failure in &mut *failures {
        let signature = failure.signature.to_string();
        let first = known.iter().find(|known| known.signature.matches(&signature));
        failure.known = first.map(|known| known.issue.clone());
    }
    let line = |known: &KnownFailure| KnownLine {
        signature: known.signature.to_string(),
        reason: known.reason.clone(),
        issue: known.issue.clone(),
        cases: failures
            .iter()
            .filter(|failure| known.signature.matches(&failure.signature.to_string()))
            .map(|failure| failure.cases)
            .sum(),
    };
    known.iter().map(line).collect()
}
