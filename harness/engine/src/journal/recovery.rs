//! What a journal says about the world.

use grenadier_events::StepVerb;
use serde_json::Value;

use crate::journal::record::Record;

/// A step whose apply was begun and not taken back since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The step.
    pub step: String,
    /// Its output, where it was performed to the end and verified.
    pub output: Option<Value>,
}

/// A verb that was begun and neither done nor failed: the engine ended in the midst of it. It is to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// The step.
    pub step: String,
    /// Apply or undo.
    pub verb: StepVerb,
    /// The step's idempotency key.
    pub key: String,
}

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Format and hash of the plan; none where no run was begun.
    pub plan: Option<(u32, String)>,
    /// The steps whose effect may be there, in the order in which they were first begun.
    pub applied: Vec<Applied>,
    /// What the engine was doing when it ended.
    pub open: Option<OpenIntent>,
    /// The outcome of the last verb that ended.
    pub outcome: Option<String>,
}

impl Recovery {
    pub(super) fn of(records: &[Record]) -> Recovery {
        let mut recovery = Recovery::default();
        for record in records {
            recovery.add(record);
        }
        recovery
    }

    fn add(&mut self, record: &Record) {
        match record {
            Record::Begun { format, plan, .. } => {
                *self = Recovery { plan: Some((*format, plan.clone())), ..Recovery::default() };
            }
            Record::Intent { step, verb, key } => {
                self.outcome = None;
                self.open = Some(OpenIntent { step: step.clone(), verb: *verb, key: key.clone() });
                if *verb == StepVerb::Apply && self.position(step).is_none() {
                    self.applied.push(Applied { step: step.clone(), output: None });
                }
            }
            Record::Done { step, verb, output } => {
                self.open = None;
                match (verb, self.position(step)) {
                    (StepVerb::Undo, Some(index)) => {
                        self.applied.remove(index);
                    }
                    (StepVerb::Apply, Some(index)) => self.applied[index].output = Some(output.clone()),
                    _ => {}
                }
            }
            Record::Failed { .. } => self.open = None,
            Record::Finished { outcome, .. } => {
                self.open = None;
                self.outcome = Some(outcome.clone());
            }
        }
    }

    fn position(&self, step: &str) -> Option<usize> {
        self.applied.iter().position(|applied| applied.step == step)
    }

    /// The steps to take back, in the order in which that is to happen.
    pub fn to_undo(&self) -> impl Iterator<Item = &str> {
        self.applied.iter().rev().map(|applied| applied.step.as_str())
    }

    /// Whether a step was performed to the end and verified.
    pub fn is_done(&self, step: &str) -> bool {
        self.position(step).is_some_and(|index| self.applied[index].output.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(step: &str, verb: StepVerb) -> Record {
        Record::Intent { step: step.into(), verb, key: "k".into() }
    }

    fn done(step: &str, verb: StepVerb) -> Record {
        Record::Done { step: step.into(), verb, output: Value::Null }
    }

    #[test]
    fn a_failed_step_is_taken_back_first_and_an_open_one_is_repeated() {
        use StepVerb::{Apply, Undo};
        let mut records = vec![
            Record::Begun { format: 1, plan: "p".into(), procedure: "x".into() },
            intent("a", Apply),
            done("a", Apply),
            intent("b", Apply),
            Record::Failed { step: "b".into(), verb: Apply, error: "no".into() },
        ];
        let recovery = Recovery::of(&records);
        assert_eq!(recovery.to_undo().collect::<Vec<_>>(), ["b", "a"]);
        assert!(recovery.is_done("a") && !recovery.is_done("b") && recovery.open.is_none());

        records.extend([intent("b", Undo), done("b", Undo), intent("a", Undo)]);
        let recovery = Recovery::of(&records);
        assert_eq!(recovery.to_undo().collect::<Vec<_>>(), ["a"]);
        assert_eq!(recovery.open, Some(OpenIntent { step: "a".into(), verb: Undo, key: "k".into() }));

        records.extend([done("a", Undo), Record::Finished { verb: "upgrade".into(), outcome: "rolled-back".into() }]);
        let recovery = Recovery::of(&records);
        assert_eq!((recovery.applied.len(), recovery.outcome.as_deref()), (0, Some("rolled-back")));
    }
}
