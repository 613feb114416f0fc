//! What makes two failures the same.

use std::fmt;

use grenadier_catalog::{Check, Named};
use grenadier_checks::{CheckLine, Roles, Verdict, Word};
use grenadier_events::{CheckStatus, PhaseStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// Failures of one signature are one failure: `check/role/step/fault`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// The first check that failed, `phase` where only a phase did, `unfit` where a required check could not be made, `panic`
    /// where the program itself broke.
    pub check: String,
    /// The role of what the check is about: `old-appliance`, `load-balancer`, `engine-stuck`, …
    pub role: String,
    /// The steps of the faults, joined by `+`.
    pub step: String,
    /// Their kinds, joined by `+`.
    pub fault: String,
}

impl Signature {
    pub(crate) fn new(check: &str, role: &str, plan: &Plan) -> Signature {
        Signature { check: check.to_owned(), role: role.to_owned(), step: plan.steps(), fault: plan.kinds() }
    }

    /// Whether the same thing is violated, wherever and by whatever fault.
    pub fn same_violation(&self, other: &Signature) -> bool {
        (&self.check, &self.role) == (&other.check, &other.role)
    }

    /// As a file's name.
    pub fn file_name(&self) -> String {
        let clean = |c: char| if c.is_ascii_alphanumeric() || "-+.".contains(c) { c } else { '-' };
        let name: String = self.to_string().replace('/', ".").chars().map(clean).collect();
        // Beyond this many bytes some file systems refuse it.
        format!("{}.yaml", &name[..name.len().min(200)])
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}/{}/{}", self.check, self.role, self.step, self.fault))
    }
}

/// A failure of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub signature: Signature,
    /// One line of evidence.
    pub message: String,
    /// The other checks that failed.
    pub also: Vec<String>,
}

/// What failed in a run, where something did. A fault that found no place to act is no failure, and a check that the scenario
/// says must fail may.
pub(crate) fn failure(verdict: &Verdict, roles: &Roles, plan: &Plan) -> Option<Failure> {
    if verdict.verdict == Word::Passed {
        return None;
    }
    let failed: Vec<&CheckLine> =
        verdict.checks.iter().filter(|line| line.result.status == CheckStatus::Fail && !line.must_fail).collect();
    let also = failed.iter().skip(1).map(|line| line.result.check.name().to_owned()).collect();
    if let Some(first) = failed.first() {
        let role = role(first, verdict, roles);
        let signature = Signature::new(first.result.check.name(), &role, plan);
        return Some(Failure { signature, message: first.result.message.clone(), also });
    }
    let phase = verdict.phases.iter().find(|phase| {
        // What these two came to is for the checks to say.
        !matches!(phase.phase.as_str(), "upgrade" | "rollback" | "compare") && phase.status == Some(PhaseStatus::Failed)
    });
    let must_fail = verdict.checks.iter().any(|line| line.must_fail);
    if let Some(phase) = phase.filter(|_| !must_fail) {
        let message = phase.message.clone().unwrap_or_else(|| "it failed".to_owned());
        return Some(Failure { signature: Signature::new("phase", &phase.phase, plan), message, also });
    }
    let open = verdict.checks.iter().find(|line| line.required && line.result.status == CheckStatus::NotCovered)?;
    let signature = Signature::new("unfit", open.result.check.name(), plan);
    Some(Failure { signature, message: open.result.message.clone(), also })
}

fn role(line: &CheckLine, verdict: &Verdict, roles: &Roles) -> String {
    if line.result.check == Check::Outcome {
        let ended = verdict.engine.last();
        let ended = ended.map_or("unstarted", |line| line.outcome.map_or("unfinished", |outcome| outcome.name()));
        return format!("engine-{ended}");
    }
    roles.first_in(&line.result.message).unwrap_or("run").to_owned()
}
