//! Running a procedure.

use grenadier_events::{Actor, Kind, StepVerb};
use grenadier_wire::Wire;
use serde_json::Value;

use crate::journal::{Journal, JournalError, Recovery};
use crate::plan::{PlannedStep, Undo};
use crate::procedure::{Context, Procedure};
use crate::report::{EngineReport, Outcome, Verb, chain};
use crate::retry::Backoff;
use crate::step::{Step, StepError, UndoReason};
use crate::vsphere::VSphereError;

/// How often a step is taken back before that counts as failed, and the pauses between.
///
/// Somebody waits for the service to come back, so it is worth more than one attempt.
const UNDO: Backoff =
    Backoff { initial: std::time::Duration::from_secs(2), max: std::time::Duration::from_secs(8), attempts: 3 };

/// The engine: runs procedures over a wire.
pub struct Engine {
    wire: Wire,
}

/// A step that could not be performed, and why.
struct StepFailure {
    step: String,
    verb: StepVerb,
    error: StepError,
}

/// What taking steps back came to.
struct Unwound {
    undone: Vec<String>,
    /// The step that could not be taken back, why, and what to do next.
    stuck: Option<(String, String, String)>,
}

impl Engine {
    /// An engine that acts on the world behind `wire`: the same one, or a clone of it, that its procedures were made with,
    /// because the wire counts calls by the step the engine tells it.
    pub fn new(wire: Wire) -> Engine {
        Engine { wire }
    }

    /// Performs the upgrade; where a step fails, takes everything back.
    pub async fn upgrade<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> EngineReport {
        let report = self.try_upgrade(procedure, journal).await;
        self.end(procedure, journal, report).await
    }

    /// Brings the base version back after an upgrade that `journal` tells of.
    ///
    /// The procedure may be a new one with the same plan: what its steps found out is read back from the journal.
    pub async fn rollback<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> EngineReport {
        let report = self.try_rollback(procedure, journal).await;
        self.end(procedure, journal, report).await
    }

    async fn end<C: Context>(
        &self,
        procedure: &mut Procedure<C>,
        journal: &mut Journal,
        mut report: EngineReport,
    ) -> EngineReport {
        self.wire.set_step(None);
        procedure.context_mut().close().await;
        // A journal that cannot be written any more does not change what was done.
        if let Err(error) = journal.finished(report.verb.name(), report.outcome.name()) {
            report.message = format!("{} ({error})", report.message);
        }
        report
    }

    async fn try_upgrade<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> EngineReport {
        let (plan, steps, context) = procedure.parts();
        if let Err(error) = journal.begin(plan) {
            return refused(Verb::Upgrade, "journal", chain(&error));
        }
        let mut finished = Vec::new();
        let mut failure = None;
        for (step, planned) in steps.iter().zip(&plan.steps) {
            match self.perform(step.as_ref(), planned, context, journal).await {
                Ok(()) => finished.push(planned.name.clone()),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let Some(failure) = failure else {
            let message = format!("{} is in service in place of {}", plan.to, plan.from);
            return EngineReport { finished, ..EngineReport::new(Verb::Upgrade, Outcome::Upgraded, message) };
        };
        // A step that refuses has changed nothing itself, one that fails otherwise may have.
        let changed_before = plan.steps[..finished.len()].iter().any(|step| step.changes);
        let changed = changed_before || plan.steps[finished.len()].changes;
        if let (StepError::Refused { rule, message }, false) = (&failure.error, changed_before) {
            return EngineReport { finished, ..refused(Verb::Upgrade, rule, message.clone()) };
        }
        let what = match failure.verb {
            StepVerb::Verify => "was performed but did not take",
            StepVerb::Apply | StepVerb::Undo => "failed",
        };
        let cause = format!("{} {what}: {}", failure.step, chain(&failure.error));
        if !changed {
            let message = format!("{cause}; nothing had been changed");
            return EngineReport { finished, ..EngineReport::new(Verb::Upgrade, Outcome::RolledBack, message) };
        }
        let unwound = self.unwind(procedure, journal, UndoReason::Failure).await;
        EngineReport { finished, ..unwound.report(Verb::Upgrade, &cause) }
    }

    async fn try_rollback<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> EngineReport {
        let (plan, steps, context) = procedure.parts();
        let recovery = match journal.recover(plan) {
            Ok(recovery) => recovery,
            Err(error) => return refused(Verb::Rollback, "journal", chain(&error)),
        };
        if let Some(step) = beyond_return(&plan.steps, &recovery) {
            let message = format!("{step} was performed, and cannot be taken back: {}", plan.from);
            return refused(Verb::Rollback, "point-of-no-return", message);
        }
        for applied in &recovery.applied {
            let known = plan.steps.iter().position(|step| step.name == applied.step);
            if let (Some(index), Some(output)) = (known, &applied.output) {
                steps[index].restore(context, output);
            }
        }
        self.unwind(procedure, journal, UndoReason::Requested).await.report(Verb::Rollback, "as asked")
    }

    /// Applies a step and looks whether it took.
    async fn perform<C: Context>(
        &self,
        step: &dyn Step<C>,
        planned: &PlannedStep,
        context: &mut C,
        journal: &mut Journal,
    ) -> Result<(), StepFailure> {
        let name = planned.name.as_str();
        let fail = |verb, error| StepFailure { step: name.to_owned(), verb, error };
        self.wire.set_step(Some(name));
        journal
            .intent(name, StepVerb::Apply, &planned.key)
            .map_err(|error| fail(StepVerb::Apply, unwritten(&error)))?;
        let output = self.watched(name, StepVerb::Apply, step.apply(context)).await;
        let result = match output {
            Ok(output) => match self.watched(name, StepVerb::Verify, step.verify(context)).await {
                Ok(()) => Ok(output),
                Err(error) => Err((StepVerb::Verify, error)),
            },
            Err(error) => Err((StepVerb::Apply, error)),
        };
        match result {
            Ok(output) => {
                journal.done(name, StepVerb::Apply, output).map_err(|error| fail(StepVerb::Apply, unwritten(&error)))
            }
            Err((verb, error)) => {
                // The failure is reported whether or not it can be written down.
                let _ = journal.failed(name, StepVerb::Apply, &chain(&error));
                Err(fail(verb, error))
            }
        }
    }

    /// Takes back, in reverse order, every step whose effect may be there.
    async fn unwind<C: Context>(
        &self,
        procedure: &mut Procedure<C>,
        journal: &mut Journal,
        reason: UndoReason,
    ) -> Unwound {
        let (plan, steps, context) = procedure.parts();
        let recovery = journal.recovery();
        let mut undone = Vec::new();
        for name in recovery.to_undo() {
            let index = plan.steps.iter().position(|step| step.name == name).expect("the journal is of this plan");
            let (step, planned) = (steps[index].as_ref(), &plan.steps[index]);
            if planned.undo == Undo::Nothing {
                continue;
            }
            self.wire.set_step(Some(name));
            // The old service is worth more than the bookkeeping: go on where the journal cannot be written.
            let _ = journal.intent(name, StepVerb::Undo, &planned.key);
            match self.undo(step, name, context, reason).await {
                Ok(()) => {
                    let _ = journal.done(name, StepVerb::Undo, Value::Null);
                    undone.push(name.to_owned());
                }
                Err(error) => {
                    let _ = journal.failed(name, StepVerb::Undo, &chain(&error));
                    let advice = step.advice(context);
                    return Unwound { undone, stuck: Some((name.to_owned(), chain(&error), advice)) };
                }
            }
        }
        Unwound { undone, stuck: None }
    }

    async fn undo<C: Context>(
        &self,
        step: &dyn Step<C>,
        name: &str,
        context: &mut C,
        reason: UndoReason,
    ) -> Result<(), StepError> {
        let mut attempt = 1;
        loop {
            let error = match self.watched(name, StepVerb::Undo, step.undo(context, reason)).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // What was waited for to the deadline will not come by waiting as long again.
            let waited = matches!(error, StepError::NotInTime(_) | StepError::VSphere(VSphereError::NotInTime(_)));
            match UNDO.pause(attempt).filter(|_| !waited) {
                Some(pause) => self.wire.clock().sleep(pause).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Runs a verb between its two events.
    async fn watched<T>(
        &self,
        step: &str,
        verb: StepVerb,
        work: impl Future<Output = Result<T, StepError>>,
    ) -> Result<T, StepError> {
        let emit = |kind| self.wire.log().emit(self.wire.clock().now(), Actor::Engine, kind);
        emit(Kind::StepStarted { step: step.to_owned(), verb });
        let result = work.await;
        let error = result.as_ref().err().map(|error| chain(error));
        emit(Kind::StepFinished { step: step.to_owned(), verb, error });
        result
    }
}

impl Unwound {
    fn report(self, verb: Verb, cause: &str) -> EngineReport {
        let (outcome, message) = match self.stuck {
            None => (Outcome::RolledBack, format!("rolled back: {cause}")),
            Some((step, error, advice)) => {
                (Outcome::Stuck, format!("{cause}; {step} could not be taken back: {error}. Next: {advice}"))
            }
        };
        EngineReport { undone: self.undone, ..EngineReport::new(verb, outcome, message) }
    }
}

fn refused(verb: Verb, rule: &str, message: String) -> EngineReport {
    let outcome = Outcome::Refused { rule: rule.to_owned(), message: message.clone() };
    EngineReport::new(verb, outcome, format!("refused ({rule}): {message}"))
}

fn unwritten(error: &JournalError) -> StepError {
    StepError::Unfit(format!("the journal cannot be written: {}", chain(error)))
}

/// The step that was performed although it cannot be taken back.
fn beyond_return<'a>(steps: &'a [PlannedStep], recovery: &Recovery) -> Option<&'a str> {
    let step = steps.iter().find(|step| step.undo == Undo::Impossible && recovery.is_done(&step.name));
    step.map(|step| step.name.as_str())
}
