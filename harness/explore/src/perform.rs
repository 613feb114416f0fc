//! One case: run and looked at.

use grenadier_catalog::{Named, Outcome};
use grenadier_events::EventLog;
use grenadier_runner::{Options, RunOutput};
use grenadier_scenario::Fault;

use crate::panics::caught;
use crate::plan::Plan;
use crate::signature::{Failure, Signature, failure};
use crate::subject::Subject;

/// What came of a case.
pub(crate) struct Performed {
    pub failure: Option<Failure>,
    /// How the engine ended, in one word.
    pub ended: &'static str,
    /// Whether each fault of the plan acted.
    pub acted: Vec<bool>,
}

/// Runs `plan` and looks at what came of it; `look` may look at the run as well.
pub(crate) fn perform(subject: &Subject, plan: &Plan, look: impl FnOnce(&RunOutput)) -> Performed {
    perform_as(subject, plan, |_| (), look)
}

/// [`perform`] with other options than usual.
pub(crate) fn perform_as(
    subject: &Subject,
    plan: &Plan,
    change: impl FnOnce(&mut Options),
    look: impl FnOnce(&RunOutput),
) -> Performed {
    match caught(|| subject.run(plan, EventLog::default(), change)) {
        Ok(output) => {
            look(&output);
            let verdict = &output.verdict;
            let idle = |fault: &Fault| {
                let line = format!("{}: {}: ", fault.at, fault.what());
                verdict.not_injectable.iter().any(|told| told.starts_with(&line))
            };
            let acted = plan.faults.iter().map(|fault| !idle(fault)).collect();
            let ended = verdict.engine.last().and_then(|line| line.outcome).map_or("unfinished", Outcome::name);
            Performed { failure: failure(verdict, &output.roles, plan), ended, acted }
        }
        Err(panicked) => {
            let role = panicked.place.rsplit(['/', '\\']).next().unwrap_or("somewhere").replace(':', "-");
            let signature = Signature::new("panic", &role, plan);
            let message = format!("{} at {}", panicked.message, panicked.place);
            let failure = Failure { signature, message, also: Vec::new() };
            Performed { failure: Some(failure), ended: "panicked", acted: vec![true; plan.faults.len()] }
        }
    }
}
