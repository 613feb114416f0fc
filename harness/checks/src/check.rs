//! What a check is and what it gives.

use grenadier_catalog::{Check as Name, Named};
use grenadier_events::{CheckStatus, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Facts, Ladder};

/// One oracle.
pub trait Check: Sync {
    /// Its name in the catalogue.
    fn name(&self) -> Name;

    /// Looks at the facts. The same facts give the same result.
    fn make(&self, facts: &Facts<'_>) -> CheckResult;
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// Which check.
    pub check: Name,
    /// What it found.
    pub status: CheckStatus,
    /// False where there was nothing for it to look at in this run: nothing was rolled back, say. The status is then
    /// `not-covered`, and that is no gap.
    pub applies: bool,
    /// One line of evidence.
    pub message: String,
    /// More lines of evidence, for somebody who wants to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// The ladder, where the check compares states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
}

impl CheckResult {
    fn new(check: Name, status: CheckStatus, applies: bool, message: impl Into<String>) -> CheckResult {
        CheckResult { check, status, applies, message: message.into(), evidence: Vec::new(), ladder: None }
    }

    /// Shown to hold.
    pub fn pass(check: Name, message: impl Into<String>) -> CheckResult {
        CheckResult::new(check, CheckStatus::Pass, true, message)
    }

    /// Shown not to hold.
    pub fn fail(check: Name, message: impl Into<String>) -> CheckResult {
        CheckResult::new(check, CheckStatus::Fail, true, message)
    }

    /// It could not be made.
    pub fn not_covered(check: Name, message: impl Into<String>) -> CheckResult {
        CheckResult::new(check, CheckStatus::NotCovered, true, message)
    }

    /// There was nothing to look at.
    pub fn does_not_apply(check: Name, why: impl AsRef<str>) -> CheckResult {
        CheckResult::new(check, CheckStatus::NotCovered, false, format!("does not apply: {}", why.as_ref()))
    }

    /// From what is wrong and what could not be looked at: fails with the first problem, else is not covered for the first
    /// gap, else passes with `message`.
    pub(crate) fn from_lists(
        check: Name,
        problems: Vec<String>,
        gaps: Vec<String>,
        message: impl Into<String>,
    ) -> CheckResult {
        let more = |list: &[String]| match list {
            [] => String::new(),
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        };
        let mut result = if !problems.is_empty() {
            CheckResult::fail(check, more(&problems))
        } else if !gaps.is_empty() {
            CheckResult::not_covered(check, more(&gaps))
        } else {
            CheckResult::pass(check, message)
        };
        result.evidence.extend(problems);
        result.evidence.extend(gaps.into_iter().map(|gap| format!("not covered: {gap}")));
        if result.evidence.len() == 1 {
            result.evidence.clear();
        }
        result
    }

    /// The same with more evidence.
    #[must_use]
    pub(crate) fn with_evidence(mut self, lines: impl IntoIterator<Item = String>) -> CheckResult {
        self.evidence.extend(lines);
        self
    }

    /// The event that tells of it.
    pub fn to_event(&self) -> Kind {
        Kind::CheckFinished { check: self.check.name().to_owned(), status: self.status, message: self.message.clone() }
    }
}
