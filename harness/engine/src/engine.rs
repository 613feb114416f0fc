//! Running a procedure.

use grenadier_events::{Actor, Kind, StepVerb};
use grenadier_wire::{StepMoment, Wire};
use serde_json::Value;

use crate::advice::Advice;
use crate::journal::{Ended, Journal, JournalError, Recovery};
use crate::plan::{PlannedStep, Undo};
use crate::procedure::{Context, Procedure};
use crate::report::{EngineReport, Outcome, Verb, chain};
use crate::retry::Backoff;
use crate::step::{Restoring, Step, StepError, UndoReason};
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
    stuck: Option<Stuck>,
}

/// A step that could not be taken back.
struct Stuck {
    step: String,
    /// What was found.
    error: String,
    /// What is left, and what to do next.
    advice: Advice,
    /// Whether the step cannot be taken back because what it is for has happened, and is final.
    gone: bool,
}

/// A verb's end, and whether it is the end of a run.
enum End {
    /// It is written into the journal.
    Written(EngineReport),
    /// Nothing was touched: the journal stays as it is.
    Untouched(EngineReport),
}

/// The rule that refuses a rollback after the old version is gone.
const BEYOND: &str = "point-of-no-return";

impl Engine {
    /// An engine that acts on the world behind `wire`: the same one, or a clone of it, that its procedures were made with,
    /// because the wire counts calls by the step the engine tells it.
    pub fn new(wire: Wire) -> Engine {
        Engine { wire }
    }

    /// Performs the upgrade; where a step fails, takes everything back.
    pub async fn upgrade<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> EngineReport {
        let end = match journal.begin(procedure.plan()) {
            Ok(()) => End::Written(self.forward(Verb::Upgrade, procedure, journal).await),
            Err(error) => End::Untouched(unready(Verb::Upgrade, &error)),
        };
        self.end(procedure, journal, end).await
    }

    /// Brings an interrupted run to its end: forward where it went forward, and back where it had turned round.
    ///
    /// The procedure is a new one with the same plan: what its steps had found out is read back from the journal, and the step
    /// that was open is repeated. A run that had ended answers what was recorded, and nothing is touched.
    pub async fn resume<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> EngineReport {
        let end = self.try_resume(procedure, journal).await;
        self.end(procedure, journal, end).await
    }

    /// Brings the base version back after an upgrade that `journal` tells of, wherever that ended.
    ///
    /// The procedure may be a new one with the same plan: what its steps found out is read back from the journal.
    pub async fn rollback<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> EngineReport {
        let end = self.try_rollback(procedure, journal).await;
        self.end(procedure, journal, end).await
    }

    async fn end<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal, end: End) -> EngineReport {
        self.wire.set_step(None);
        procedure.context_mut().close().await;
        let mut report = match end {
            // What the journal says of the run is still true.
            End::Untouched(report) => return report,
            End::Written(report) => report,
        };
        // A journal that cannot be written any more does not change what was done.
        if let Err(error) = journal.finished(&report) {
            report.message = format!("{} ({error})", report.message);
        }
        report
    }

    async fn try_resume<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> End {
        let recovery = match journal.recover(procedure.plan()) {
            Ok(recovery) => recovery,
            Err(error) => return End::Untouched(unready(Verb::Resume, &error)),
        };
        if let Some(ended) = &recovery.ended {
            let unknown = || refused(Verb::Resume, "journal", format!("it ends in {:?}", ended.outcome));
            return End::Untouched(recorded(ended).unwrap_or_else(unknown));
        }
        let restored = restore(procedure, &recovery);
        let reason = if recovery.failed.is_some() { UndoReason::Failure } else { UndoReason::Requested };
        match (&recovery.failed, recovery.undoing, restored) {
            // The old service comes back with whatever can be read.
            (failed, true, _) | (failed @ Some(_), false, _) => {
                let cause = failed.as_ref().map_or_else(
                    || "a rollback was under way".to_owned(),
                    |failed| format!("{} failed: {}", failed.step, failed.error),
                );
                End::Written(self.unwind(procedure, journal, reason).await.report(Verb::Resume, &cause))
            }
            (None, false, Err((step, error))) => {
                let advice = "give root's password as it was when the upgrade began and call the engine with `resume` again, or call \
                              it with `rollback`: that needs no more than can be read";
                let report = refused(Verb::Resume, "journal", format!("{step}: {error}"));
                End::Untouched(report.advised(Some(Advice::only(advice))))
            }
            (None, false, Ok(())) => End::Written(self.forward(Verb::Resume, procedure, journal).await),
        }
    }

    async fn try_rollback<C: Context>(&self, procedure: &mut Procedure<C>, journal: &mut Journal) -> End {
        let plan = procedure.plan();
        let recovery = match journal.recover(plan) {
            Ok(recovery) => recovery,
            Err(error) => return End::Untouched(unready(Verb::Rollback, &error)),
        };
        if let Some(step) = beyond_return(&plan.steps, &recovery) {
            let message = format!("{step} was performed, and cannot be taken back: {}", plan.from);
            let step = plan.steps.iter().position(|planned| planned.name == step).expect("it is one of the plan's");
            let (_, steps, context) = procedure.parts();
            let advice = Advice::only(steps[step].advice(context));
            return End::Untouched(refused(Verb::Rollback, BEYOND, message).advised(Some(advice)));
        }
        // The old service comes back with whatever can be read.
        let _unreadable = restore(procedure, &recovery);
        let unwound = self.unwind(procedure, journal, UndoReason::Requested).await;
        match &unwound.stuck {
            // The engine ended in the midst of a step that cannot be taken back, and its effect is there.
            Some(stuck) if stuck.gone && unwound.undone.is_empty() => {
                let report = refused(Verb::Rollback, BEYOND, format!("{}: {}", stuck.step, stuck.error));
                End::Untouched(report.advised(Some(stuck.advice.clone())))
            }
            _ => End::Written(unwound.report(Verb::Rollback, "as asked")),
        }
    }

    /// Performs the steps that the journal does not call done; where one fails, takes everything back.
    async fn forward<C: Context>(
        &self,
        verb: Verb,
        procedure: &mut Procedure<C>,
        journal: &mut Journal,
    ) -> EngineReport {
        let recovery = journal.recovery();
        let (plan, steps, context) = procedure.parts();
        let mut finished = Vec::new();
        let mut failure = None;
        for (step, planned) in steps.iter().zip(&plan.steps) {
            if !recovery.is_done(&planned.name)
                && let Err(error) = self.perform(step.as_ref(), planned, context, journal).await
            {
                failure = Some(error);
                break;
            }
            finished.push(planned.name.clone());
        }
        let Some(failure) = failure else {
            let message = format!("{} is in service in place of {}", plan.to, plan.from);
            return EngineReport { finished, ..EngineReport::new(verb, Outcome::Upgraded, message) };
        };
        // A step that refuses has changed nothing itself, one that fails otherwise may have.
        let changed_before = plan.steps[..finished.len()].iter().any(|step| step.changes);
        let changed = changed_before || plan.steps[finished.len()].changes;
        if let (StepError::Refused { rule, message }, false) = (&failure.error, changed_before) {
            return EngineReport { finished, ..refused(verb, rule, message.clone()) };
        }
        let what = match failure.verb {
            StepVerb::Verify => "was performed but did not take",
            StepVerb::Apply | StepVerb::Undo => "failed",
        };
        let cause = format!("{} {what}: {}", failure.step, chain(&failure.error));
        if !changed {
            let message = format!("{cause}; nothing had been changed");
            return EngineReport { finished, ..EngineReport::new(verb, Outcome::RolledBack, message) };
        }
        let unwound = self.unwind(procedure, journal, UndoReason::Failure).await;
        EngineReport { finished, ..unwound.report(verb, &cause) }
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
        self.wire.at_moment(name, StepMoment::Begins).await;
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
                self.wire.at_moment(name, StepMoment::Performed).await;
                journal
                    .done(name, StepVerb::Apply, output)
                    .map_err(|error| fail(StepVerb::Apply, unwritten(&error)))?;
                self.wire.at_moment(name, StepMoment::Journaled).await;
                Ok(())
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
            // Where taking back only means to look whether it is too late, the run has not turned round before the answer. The
            // old service is worth more than the bookkeeping: go on where the journal cannot be written.
            let looks = planned.undo == Undo::Impossible;
            let intend = |journal: &mut Journal| {
                let _ = journal.intent(name, StepVerb::Undo, &planned.key);
            };
            if !looks {
                intend(journal);
            }
            match self.undo(step, name, context, reason).await {
                Ok(()) => {
                    if looks {
                        intend(journal);
                    }
                    let _ = journal.done(name, StepVerb::Undo, Value::Null);
                    undone.push(name.to_owned());
                }
                Err(error) => {
                    if !looks {
                        let _ = journal.failed(name, StepVerb::Undo, &chain(&error));
                    }
                    let first = step.advice(context);
                    let left = context.left().await;
                    let gone = looks && matches!(error, StepError::Refused { .. });
                    // What is final is not taken back, and neither is what led to it.
                    let before = if gone { &[] } else { &plan.steps[..index] };
                    let before = before.iter().rev().filter(|step| recovery.was_begun(&step.name));
                    let advice = Advice::stuck(left, first, before);
                    let stuck = Stuck { step: name.to_owned(), error: chain(&error), advice, gone };
                    return Unwound { undone, stuck: Some(stuck) };
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
            // What was waited for to the deadline will not come by waiting as long again. A task can be begun again.
            let waited = matches!(error, StepError::NotInTime(_) | StepError::VSphere(VSphereError::NotInTime(_)));
            let refuses = matches!(error, StepError::Refused { .. });
            match UNDO.pause(attempt).filter(|_| !waited && !refuses) {
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
        let (outcome, message, advice) = match self.stuck {
            None => (Outcome::RolledBack, format!("rolled back: {cause}"), None),
            Some(Stuck { step, error, advice, .. }) => {
                (Outcome::Stuck, format!("{cause}; {step} could not be taken back: {error}"), Some(advice))
            }
        };
        EngineReport { undone: self.undone, ..EngineReport::new(verb, outcome, message) }.advised(advice)
    }
}

/// The journal does not let a verb begin.
fn unready(verb: Verb, error: &JournalError) -> EngineReport {
    refused(verb, "journal", chain(error)).advised(Some(Advice::journal(error)))
}

fn refused(verb: Verb, rule: &str, message: String) -> EngineReport {
    let outcome = Outcome::Refused { rule: rule.to_owned(), message: message.clone() };
    EngineReport::new(verb, outcome, format!("refused ({rule}): {message}"))
}

/// The report of a run that had ended; none where the journal has an outcome that no engine writes.
fn recorded(ended: &Ended) -> Option<EngineReport> {
    let Ended { outcome, rule, message, advice } = ended.clone();
    let outcome = match outcome.as_str() {
        "upgraded" => Outcome::Upgraded,
        "rolled-back" => Outcome::RolledBack,
        "stuck" => Outcome::Stuck,
        "refused" => Outcome::Refused { rule: rule.unwrap_or_default(), message: message.clone() },
        _ => return None,
    };
    Some(EngineReport::new(Verb::Resume, outcome, message).advised(advice))
}

/// Gives the steps back what they had found out, all that can be read. The error is the first that could not, and its step.
fn restore<C: Context>(procedure: &mut Procedure<C>, recovery: &Recovery) -> Result<(), (String, Restoring)> {
    let (plan, steps, context) = procedure.parts();
    let mut result = Ok(());
    for applied in &recovery.applied {
        let known = plan.steps.iter().position(|step| step.name == applied.step);
        if let (Some(index), Some(output)) = (known, &applied.output) {
            let restored = steps[index].restore(context, output);
            result = result.and(restored.map_err(|error| (applied.step.clone(), error)));
        }
    }
    result
}

fn unwritten(error: &JournalError) -> StepError {
    StepError::Unfit(format!("the journal cannot be written: {}", chain(error)))
}

/// The step that was performed although it cannot be taken back.
fn beyond_return<'a>(steps: &'a [PlannedStep], recovery: &Recovery) -> Option<&'a str> {
    let step = steps.iter().find(|step| step.undo == Undo::Impossible && recovery.is_done(&step.name));
    step.map(|step| step.name.as_str())
}
