//! The same thing in the same words, in every report.

use grenadier_events::{PhaseStatus, ProbeKind, StepVerb};

/// A target as one probe sees it. New connections are what is meant where nothing is said.
pub(crate) fn seen_by(target: &str, probe: &str) -> String {
    if probe == ProbeKind::HttpNew.name() { target.to_owned() } else { format!("{target} ({probe})") }
}

/// A step with what the engine does to it, where that is not simply to perform it: `undo power-on-new`.
pub(crate) fn step_with_verb(step: &str, verb: StepVerb) -> String {
    match verb {
        StepVerb::Apply => step.to_owned(),
        StepVerb::Undo => format!("undo {step}"),
        StepVerb::Verify => format!("verify {step}"),
    }
}

/// How a phase ended.
pub(crate) const fn phase_status(status: PhaseStatus) -> &'static str {
    match status {
        PhaseStatus::Passed => "passed",
        PhaseStatus::Failed => "failed",
        PhaseStatus::Skipped => "skipped",
    }
}

/// Several names in one phrase: `a`, `a and b`, `a, b and c`.
pub(crate) fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// `1 case`, `2 cases`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
