//! What is explored: a scenario, and its undisturbed run.

use std::sync::Arc;
use std::time::Duration;

use grenadier_checks::{Reference, Roles, Verdict, Word};
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_runner::{Judged, Options, RunOutput, run_virtual_with};
use grenadier_scenario::{Origin, Rollback, Scenario};
use thiserror::Error;

use crate::plan::Plan;

/// How long a disturbed run lasts at least: a call that hangs is waited for, and waited for again.
const HORIZON: Duration = Duration::from_secs(1800);

/// How long a run goes on once everything is quiet: longer than the lease of a torn import holds its machine (300 s), and than
/// operators and clients go without looking.
const AFTERWARDS: Duration = Duration::from_secs(360);

/// A scenario to be disturbed, and what its undisturbed run came to.
pub struct Subject {
    /// Where the scenario comes from.
    pub origin: Origin,
    /// The scenario as it was given.
    pub scenario: Scenario,
    /// The one that is run.
    pub(crate) disturbed: Scenario,
    pub(crate) reference: Arc<Reference>,
    pub(crate) recorded: EventLog,
    /// What the names in its runs stand for.
    pub(crate) roles: Roles,
}

/// The undisturbed run is not what others could be compared with.
#[derive(Debug, Error)]
#[error("the undisturbed run does not pass: {}", .verdict.summary)]
pub struct SubjectError {
    /// What it came to.
    pub verdict: Box<Verdict>,
}

impl Subject {
    /// Records the undisturbed run of `scenario`.
    ///
    /// # Errors
    /// It does not pass.
    pub fn record(origin: Origin, scenario: Scenario) -> Result<Subject, SubjectError> {
        let mut disturbed = scenario.clone();
        disturbed.horizon = disturbed.horizon.max(HORIZON);
        if disturbed.rollback == Rollback::Never {
            disturbed.rollback = Rollback::OnFailure;
        }
        let seed = Seed(disturbed.seed);
        let options = Options { afterwards: Some(AFTERWARDS), ..Options::default() };
        let output = run_virtual_with(&disturbed, seed, "", EventLog::default(), &options);
        if output.verdict.verdict != Word::Passed {
            return Err(SubjectError { verdict: Box::new(output.verdict) });
        }
        let reference = Arc::new(output.reference());
        let RunOutput { log: recorded, roles, .. } = output;
        Ok(Subject { origin, scenario, disturbed, reference, recorded, roles })
    }

    /// Runs it with what `plan` does to it; `change` may change how.
    ///
    /// Ids follow from the seed, so with another one it is compared with an undisturbed run of that seed.
    pub(crate) fn run(&self, plan: &Plan, log: EventLog, change: impl FnOnce(&mut Options)) -> RunOutput {
        let other = plan
            .seed
            .filter(|seed| *seed != self.scenario.seed)
            .and_then(|seed| Subject::record(self.origin.clone(), Scenario { seed, ..self.scenario.clone() }).ok());
        other.as_ref().unwrap_or(self).run_as(plan, "", log, change)
    }

    /// Runs it, compared with this undisturbed run. `command` is what does it again.
    pub(crate) fn run_as(
        &self,
        plan: &Plan,
        command: &str,
        log: EventLog,
        change: impl FnOnce(&mut Options),
    ) -> RunOutput {
        let scenario = plan.applied(&self.disturbed);
        let judged = Judged::UnderFaults(Arc::clone(&self.reference));
        let mut options = Options {
            ties: plan.ties,
            afterwards: Some(AFTERWARDS),
            judged,
            overturned: plan.overturned.clone(),
            ..Options::default()
        };
        change(&mut options);
        run_virtual_with(&scenario, Seed(scenario.seed), command, log, &options)
    }
}
