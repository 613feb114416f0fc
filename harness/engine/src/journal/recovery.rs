//! What a journal says about the world.

use grenadier_events::StepVerb;
use serde_json::Value;

use crate::advice::Advice;
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

/// How the last verb of a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `upgraded`, `rolled-back`, `refused` or `stuck`.
    pub outcome: String,
    /// The rule that refused, where one did.
    pub rule: Option<String>,
    /// What the engine said.
    pub message: String,
    /// What it said somebody should do next.
    pub advice: Option<Advice>,
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The step.
    pub step: String,
    /// Why.
    pub error: String,
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
    /// The step that failed, and made the engine turn round.
    pub failed: Option<Failed>,
    /// Whether taking back has begun: from then on the run only goes back.
    pub undoing: bool,
    /// How the last verb ended; none while one is at work, or was when the engine ended.
    pub ended: Option<Ended>,
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
                self.ended = None;
                self.undoing |= *verb == StepVerb::Undo;
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
            Record::Failed { step, verb, error } => {
                self.open = None;
                if *verb == StepVerb::Apply {
                    self.failed = Some(Failed { step: step.clone(), error: error.clone() });
                }
            }
            Record::Finished { outcome, rule, message, advice, .. } => {
                // Whatever comes after this, somebody asked for it.
                (self.open, self.failed) = (None, None);
                let (outcome, rule, message) = (outcome.clone(), rule.clone(), message.clone());
                self.ended = Some(Ended { outcome, rule, message, advice: advice.clone() });
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

    /// Whether a step was begun and not taken back since.
    pub fn was_begun(&self, step: &str) -> bool {
        self.position(step).is_some()
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
            Record::Begun {
                format: 1,
                plan: "p".into(),
                procedure: "x".into(),
                from: String::new(),
                to: String::new(),
                steps: Vec::new(),
            },
            intent("a", Apply),
            done("a", Apply),
            intent("b", Apply),
            Record::Failed { step: "b".into(), verb: Apply, error: "no".into() },
        ];
        let recovery = Recovery::of(&records);
        assert_eq!(recovery.to_undo().collect::<Vec<_>>(), ["b", "a"]);
        assert!(recovery.is_done("a") && !recovery.is_done("b") && recovery.open.is_none());
        assert!(!recovery.undoing);
        assert_eq!(recovery.failed, Some(Failed { step: "b".into(), error: "no".into() }));

        records.extend([intent("b", Undo), done("b", Undo), intent("a", Undo)]);
        let recovery = Recovery::of(&records);
        assert_eq!(recovery.to_undo().collect::<Vec<_>>(), ["a"]);
        assert_eq!(recovery.open, Some(OpenIntent { step: "a".into(), verb: Undo, key: "k".into() }));

        assert!(recovery.undoing && recovery.ended.is_none());

        records.extend([
            done("a", Undo),
            Record::Finished {
                verb: "upgrade".into(),
                outcome: "rolled-back".into(),
                rule: None,
                message: "b failed".into(),
                advice: None,
            },
        ]);
        let recovery = Recovery::of(&records);
        let ended = Ended { outcome: "rolled-back".into(), rule: None, message: "b failed".into(), advice: None };
        assert_eq!((recovery.applied.len(), recovery.ended), (0, Some(ended)));
        assert_eq!(recovery.failed, None, "what is done next is done because somebody asks for it");
    }
}
