//! What a journal says of a run.

use std::path::{Path, PathBuf};

use grenadier_engine::{Advice, BegunStep, Journal, JournalError, Record, Storage, StorageError};
use grenadier_events::StepVerb;
use grenadier_journal_sqlite::SqliteStorage;
use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::result::RESULT_VERSION;

/// There is nothing to say of a run.
#[derive(Debug, Error)]
pub enum StatusError {
    /// There is no such file.
    #[error("there is no journal {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be read as a journal.
    #[error("the journal cannot be read")]
    Journal(#[from] JournalError),
}

/// What a journal says of its last run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The version of this shape, see [`RESULT_VERSION`].
    pub v: u32,
    /// The procedure: `haproxy-appliance/hardened`; none where nothing was begun.
    pub procedure: Option<String>,
    /// What is upgraded.
    pub from: String,
    /// What it becomes.
    pub to: String,
    /// `empty`, `interrupted` (the engine ended before its verb did), `upgraded`, `rolled-back`, `refused` or `stuck`.
    pub state: String,
    /// Whether the run had turned round: from then on it only goes back.
    pub going_back: bool,
    /// The steps of the plan, in order.
    pub steps: Vec<StepStatus>,
    /// The step with which `resume` or `rollback` goes on; none where the run has ended and nothing is left to be done.
    pub next: Option<String>,
    /// What the engine said last.
    pub message: Option<String>,
    /// What somebody should do.
    pub advice: Option<Advice>,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StepStatus {
    /// Its name.
    pub step: String,
    /// How it stands.
    pub state: StepState,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// It was performed and verified.
    Done,
    /// It was begun; nobody knows how far it came.
    Open,
    /// It failed; part of its effect may be there.
    Failed,
    /// Taking it back was begun; nobody knows how far that came.
    BeingTakenBack,
    /// Taking it back failed.
    NotTakenBack,
    /// It was taken back.
    TakenBack,
    /// It was not begun.
    ToCome,
}

impl StepState {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            StepState::Done => "done",
            StepState::Open => "open",
            StepState::Failed => "failed",
            StepState::BeingTakenBack => "being-taken-back",
            StepState::NotTakenBack => "not-taken-back",
            StepState::TakenBack => "taken-back",
            StepState::ToCome => "to-come",
        }
    }

    const fn after(record: &Record) -> Option<StepState> {
        match record {
            Record::Intent { verb: StepVerb::Undo, .. } => Some(StepState::BeingTakenBack),
            Record::Intent { .. } => Some(StepState::Open),
            Record::Done { verb: StepVerb::Undo, .. } => Some(StepState::TakenBack),
            Record::Done { .. } => Some(StepState::Done),
            Record::Failed { verb: StepVerb::Undo, .. } => Some(StepState::NotTakenBack),
            Record::Failed { .. } => Some(StepState::Failed),
            Record::Begun { .. } | Record::Finished { .. } => None,
        }
    }
}

/// A journal that is only looked at: the rest of a torn write stays where it is.
struct Looked(SqliteStorage);

impl Storage for Looked {
    fn append(&mut self, _bytes: &[u8]) -> Result<(), StorageError> {
        Err(StorageError("the journal was opened to be looked at".to_owned()))
    }

    fn read(&self) -> Result<Vec<u8>, StorageError> {
        self.0.read()
    }

    fn truncate(&mut self, _length: usize) -> Result<(), StorageError> {
        Ok(())
    }
}

impl Status {
    /// What the journal in `file` says. Nothing is written.
    ///
    /// # Errors
    /// There is no such file, an engine is at work with it, or it is damaged.
    pub fn read(file: &Path) -> Result<Status, StatusError> {
        if !file.exists() {
            return Err(StatusError::Missing(file.to_owned()));
        }
        let storage = SqliteStorage::open(file).map_err(JournalError::from)?;
        Ok(Status::of(&Journal::open(Box::new(Looked(storage)))?))
    }

    /// What a journal says.
    pub fn of(journal: &Journal) -> Status {
        let recovery = journal.recovery();
        let records = journal.records();
        let begun = records.iter().rposition(|record| matches!(record, Record::Begun { .. }));
        let records = begun.map_or(&[][..], |begun| &records[begun..]);
        let (procedure, from, to, planned) = match records.first() {
            Some(Record::Begun { procedure, from, to, steps, .. }) => {
                (Some(procedure.clone()), from.clone(), to.clone(), steps.as_slice())
            }
            _ => (None, String::new(), String::new(), &[][..]),
        };
        let steps: Vec<StepStatus> = planned.iter().map(|planned| stands(&planned.step, records)).collect();
        let ended = recovery.ended.as_ref();
        let state = match (ended, &procedure) {
            (Some(ended), _) => ended.outcome.as_str(),
            (None, Some(_)) => "interrupted",
            (None, None) => "empty",
        };
        let going_back = recovery.undoing || recovery.failed.is_some();
        let changes = |step: &str| planned.iter().any(|planned: &BegunStep| planned.step == step && planned.changes);
        let next = match state {
            "interrupted" if !going_back => {
                planned.iter().find(|planned| !recovery.is_done(&planned.step)).map(|planned| planned.step.clone())
            }
            "interrupted" | "stuck" => recovery.to_undo().find(|step| changes(step)).map(str::to_owned),
            _ => None,
        };
        let interrupted = || {
            let resume = if going_back { "goes on taking back" } else { "goes on with the upgrade" };
            Advice {
                left: None,
                next: vec![format!(
                    "call `grenadier engine resume` ({resume}) or `grenadier engine rollback` (takes everything back) with this \
                     journal and the parameters the upgrade was begun with"
                )],
            }
        };
        let advice = match state {
            "interrupted" => Some(interrupted()),
            _ => ended.and_then(|ended| ended.advice.clone()),
        };
        Status {
            v: RESULT_VERSION,
            procedure,
            from,
            to,
            state: state.to_owned(),
            going_back,
            steps,
            next,
            message: ended.map(|ended| ended.message.clone()),
            advice,
        }
    }

    /// The same for people.
    pub fn render(&self) -> String {
        let Some(procedure) = &self.procedure else {
            return "the journal holds no run\n".to_owned();
        };
        let mut text = format!("{procedure}\n  from   {}\n  to     {}\n  state  {}", self.from, self.to, self.state);
        text.push_str(if self.going_back && self.state == "interrupted" { ", on its way back\n\n" } else { "\n\n" });
        let width = self.steps.iter().map(|step| step.step.len()).max().unwrap_or_default();
        for (place, step) in self.steps.iter().enumerate() {
            let mark = if self.next.as_deref() == Some(step.step.as_str()) { "  <- next" } else { "" };
            let line = format!("{:>3}  {:<width$}  {}{mark}", place + 1, step.step, step.state.name());
            text.push_str(line.trim_end());
            text.push('\n');
            if let Some(error) = &step.error {
                text.push_str(&format!("     {error}\n"));
            }
        }
        text.push('\n');
        if let Some(message) = &self.message {
            text.push_str(&format!("  said   {message}\n"));
        }
        if let Some(advice) = &self.advice {
            if let Some(left) = &advice.left {
                text.push_str(&format!("  left   {left}\n"));
            }
            for (place, next) in advice.next.iter().enumerate() {
                text.push_str(&format!("  {:<5}  {}. {next}\n", if place == 0 { "next" } else { "" }, place + 1));
            }
        }
        text
    }
}

/// How a step stands after these records.
fn stands(step: &str, records: &[Record]) -> StepStatus {
    let last = records.iter().rfind(|record| match record {
        Record::Intent { step: name, .. } | Record::Done { step: name, .. } | Record::Failed { step: name, .. } => {
            name == step
        }
        Record::Begun { .. } | Record::Finished { .. } => false,
    });
    let state = last.and_then(StepState::after).unwrap_or(StepState::ToCome);
    let error = match last {
        Some(Record::Failed { error, .. }) => Some(error.clone()),
        _ => None,
    };
    StepStatus { step: step.to_owned(), state, error }
}
