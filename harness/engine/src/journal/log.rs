//! The journal itself.

use grenadier_events::StepVerb;
use serde_json::Value;
use thiserror::Error;

use crate::journal::codec::{self, CodecError};
use crate::journal::record::{BegunStep, Record};
use crate::journal::recovery::Recovery;
use crate::journal::storage::{MemoryStorage, Storage, StorageError};
use crate::plan::Plan;
use crate::report::{EngineReport, Outcome};

/// Something could not be written to the journal or read from it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum JournalError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The bytes are damaged.
    #[error(transparent)]
    Damaged(#[from] CodecError),
    /// It was begun with another plan, or by an engine that writes plans in another form.
    #[error(
        "the journal belongs to another plan: {found} (format {found_format}), not {wanted} (format {wanted_format})"
    )]
    AnotherPlan {
        /// The hash in the journal.
        found: String,
        /// The format in the journal.
        found_format: u32,
        /// The hash of the plan at hand.
        wanted: String,
        /// Its format.
        wanted_format: u32,
    },
    /// Nothing was begun in it.
    #[error("the journal holds no run: begin one with upgrade")]
    Empty,
    /// It holds a run that was begun and not finished.
    #[error("the journal holds a run that has not ended: resume it or roll it back")]
    Unfinished,
}

/// The engine's memory: written before and after every verb, so that it can be continued or taken back after a crash.
pub struct Journal {
    storage: Box<dyn Storage>,
    records: Vec<Record>,
    chain: String,
    /// How many bytes the records take.
    length: usize,
    /// Whether a failed write left a rest behind that could not be cut off: nothing may be written after it.
    broken: Option<StorageError>,
}

impl Journal {
    /// Opens what `storage` holds and cuts off the rest of a torn write.
    ///
    /// # Errors
    /// The storage cannot be read, or the journal is damaged elsewhere than at its end.
    pub fn open(mut storage: Box<dyn Storage>) -> Result<Journal, JournalError> {
        let bytes = storage.read()?;
        let decoded = codec::decode(&bytes)?;
        if decoded.whole < bytes.len() {
            storage.truncate(decoded.whole)?;
        }
        Ok(Journal { storage, records: decoded.records, chain: decoded.chain, length: decoded.whole, broken: None })
    }

    /// A new one, in memory.
    pub fn in_memory() -> Journal {
        Journal::open(Box::new(MemoryStorage::default())).expect("new memory is readable and holds nothing")
    }

    /// What was written, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Where the run stands.
    pub fn recovery(&self) -> Recovery {
        Recovery::of(&self.records)
    }

    /// Begins a run of `plan`.
    ///
    /// # Errors
    /// Another run has not ended, or it cannot be written.
    pub fn begin(&mut self, plan: &Plan) -> Result<(), JournalError> {
        let recovery = self.recovery();
        if recovery.plan.is_some() && recovery.ended.is_none() {
            return Err(JournalError::Unfinished);
        }
        let steps = plan.steps.iter().map(|step| BegunStep { step: step.name.clone(), changes: step.changes });
        self.write(Record::Begun {
            format: plan.format,
            plan: plan.hash(),
            procedure: plan.procedure.clone(),
            from: plan.from.clone(),
            to: plan.to.clone(),
            steps: steps.collect(),
        })
    }

    /// Sees that the journal was begun with `plan`, and says where its run stands.
    ///
    /// # Errors
    /// It was begun with another plan, or not at all.
    pub fn recover(&self, plan: &Plan) -> Result<Recovery, JournalError> {
        let recovery = self.recovery();
        let (found_format, found) = recovery.plan.clone().ok_or(JournalError::Empty)?;
        let (wanted_format, wanted) = (plan.format, plan.hash());
        if (found_format, &found) != (wanted_format, &wanted) {
            return Err(JournalError::AnotherPlan { found, found_format, wanted, wanted_format });
        }
        Ok(recovery)
    }

    /// Writes that a verb is about to be performed.
    ///
    /// # Errors
    /// It cannot be written: do not perform the verb.
    pub fn intent(&mut self, step: &str, verb: StepVerb, key: &str) -> Result<(), JournalError> {
        self.write(Record::Intent { step: step.to_owned(), verb, key: key.to_owned() })
    }

    /// Writes that a verb was performed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn done(&mut self, step: &str, verb: StepVerb, output: Value) -> Result<(), JournalError> {
        self.write(Record::Done { step: step.to_owned(), verb, output })
    }

    /// Writes that a verb failed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn failed(&mut self, step: &str, verb: StepVerb, error: &str) -> Result<(), JournalError> {
        self.write(Record::Failed { step: step.to_owned(), verb, error: error.to_owned() })
    }

    /// Writes that a verb of the engine ended.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finished(&mut self, report: &EngineReport) -> Result<(), JournalError> {
        let rule = match &report.outcome {
            Outcome::Refused { rule, .. } => Some(rule.clone()),
            Outcome::Upgraded | Outcome::RolledBack | Outcome::Stuck => None,
        };
        self.write(Record::Finished {
            verb: report.verb.name().to_owned(),
            outcome: report.outcome.name().to_owned(),
            rule,
            message: report.message.clone(),
            advice: report.advice.clone(),
        })
    }

    fn write(&mut self, record: Record) -> Result<(), JournalError> {
        if let Some(error) = &self.broken {
            return Err(error.clone().into());
        }
        let (line, chain) = codec::encode(&record, &self.chain);
        if let Err(error) = self.storage.append(&line) {
            // Part of the line may be there. Behind it the next record would pass for damage.
            if let Err(error) = self.storage.truncate(self.length) {
                self.broken = Some(error);
            }
            return Err(error.into());
        }
        self.length += line.len();
        self.records.push(record);
        self.chain = chain;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PLAN_FORMAT;
    use crate::report::Verb;

    fn plan(to: &str) -> Plan {
        Plan {
            format: PLAN_FORMAT,
            procedure: "system/procedure".into(),
            from: "v1".into(),
            to: to.into(),
            steps: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_torn_write_is_cut_off_and_writing_goes_on_behind_the_whole_records() {
        let storage = MemoryStorage::default();
        let mut journal = Journal::open(Box::new(storage.clone())).unwrap();
        journal.begin(&plan("v2")).unwrap();
        journal.intent("a", StepVerb::Apply, "k").unwrap();
        let whole = storage.read().unwrap().len();
        journal.done("a", StepVerb::Apply, Value::Null).unwrap();
        let torn = storage.read().unwrap().len() - 3;
        storage.clone().truncate(torn).unwrap();

        let mut journal = Journal::open(Box::new(storage.clone())).unwrap();
        assert_eq!(storage.read().unwrap().len(), whole);
        assert_eq!(journal.recovery().open.unwrap().step, "a");
        journal.done("a", StepVerb::Apply, Value::Null).unwrap();
        assert!(Journal::open(Box::new(storage)).unwrap().recovery().is_done("a"));
    }

    /// Writes half of what the second append brings and says that it failed.
    struct Full(MemoryStorage, u32, bool);

    impl Storage for Full {
        fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
            self.1 += 1;
            if self.1 == 2 {
                self.0.append(&bytes[..bytes.len() / 2])?;
                return Err(StorageError("disk full".into()));
            }
            self.0.append(bytes)
        }

        fn read(&self) -> Result<Vec<u8>, StorageError> {
            self.0.read()
        }

        fn truncate(&mut self, length: usize) -> Result<(), StorageError> {
            if self.2 { self.0.truncate(length) } else { Err(StorageError("read only".into())) }
        }
    }

    #[test]
    fn a_failed_write_is_cut_off_or_the_last() {
        for can_truncate in [true, false] {
            let storage = MemoryStorage::default();
            let mut journal = Journal::open(Box::new(Full(storage.clone(), 0, can_truncate))).unwrap();
            journal.begin(&plan("v2")).unwrap();
            assert!(journal.intent("a", StepVerb::Apply, "k").is_err());
            assert_eq!(journal.intent("b", StepVerb::Apply, "k").is_ok(), can_truncate);
            let read = Journal::open(Box::new(storage)).unwrap();
            assert_eq!(read.records(), journal.records());
            assert_eq!(read.records().len(), if can_truncate { 2 } else { 1 });
        }
    }

    #[test]
    fn another_plan_is_not_continued_and_an_open_run_is_not_begun_anew() {
        let mut journal = Journal::in_memory();
        assert!(matches!(journal.recover(&plan("v2")), Err(JournalError::Empty)));
        journal.begin(&plan("v2")).unwrap();
        assert!(journal.recover(&plan("v2")).is_ok());
        assert!(matches!(journal.recover(&plan("v3")), Err(JournalError::AnotherPlan { .. })));
        assert_eq!(journal.begin(&plan("v2")), Err(JournalError::Unfinished));
        journal.finished(&EngineReport::new(Verb::Upgrade, Outcome::Upgraded, String::new())).unwrap();
        assert_eq!(journal.begin(&plan("v3")), Ok(()));
    }
}
