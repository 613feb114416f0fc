//! What a step is.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use thiserror::Error;

use crate::dataplane::DataplaneError;
use crate::plan::PlannedStep;
use crate::retry::NotInTime;
use crate::shell::ShellError;
use crate::vsphere::VSphereError;

/// What a step is doing.
pub type StepFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StepError>> + Send + 'a>>;

/// Why a step did not do what it is for.
#[derive(Debug, Error)]
pub enum StepError {
    /// A prerequisite is not met. Before anything was changed this ends the run as refused; a step that has changed something
    /// itself must not say so.
    #[error("{message}")]
    Refused {
        /// The rule's name: `target-not-newer`.
        rule: &'static str,
        /// What was found.
        message: String,
    },
    /// vSphere did not do it.
    #[error(transparent)]
    VSphere(#[from] VSphereError),
    /// The Data Plane API did not do it.
    #[error(transparent)]
    Dataplane(#[from] DataplaneError),
    /// A machine's shell did not do it.
    #[error(transparent)]
    Shell(#[from] ShellError),
    /// What the step waited for did not come.
    #[error(transparent)]
    NotInTime(#[from] NotInTime),
    /// The world is not as it must be for this step.
    #[error("{0}")]
    Unfit(String),
}

/// What a step had found out cannot be read back from the journal.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("what the journal keeps of it cannot be read back: {0}")]
pub struct Restoring(pub String);

impl From<serde_json::Error> for Restoring {
    fn from(error: serde_json::Error) -> Restoring {
        Restoring(error.to_string())
    }
}

/// Why a step is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoReason {
    /// A later step, or the step itself, failed.
    Failure,
    /// Somebody asked for the old version back after the upgrade had succeeded.
    Requested,
}

/// One step of a procedure, on a context `C` that holds parameters, clients and what earlier steps found out.
///
/// Every verb is idempotent: it looks whether its effect is already there before it brings it about, so that a call whose
/// answer was lost, or a verb that is repeated after a crash, does no harm. A crash loses the context but for what
/// [`Step::restore`] brings back, and leaves what was under way under way: a task of the cloud goes on without its engine.
pub trait Step<C>: Send + Sync {
    /// What the plan says of it.
    fn plan(&self, context: &C) -> PlannedStep;

    /// Performs it. The output goes into the journal and must hold no secrets.
    fn apply<'a>(&'a self, context: &'a mut C) -> StepFuture<'a, Value>;

    /// Looks whether it took.
    fn verify<'a>(&'a self, context: &'a mut C) -> StepFuture<'a, ()> {
        let _ = context;
        Box::pin(async { Ok(()) })
    }

    /// Takes it back, or as much of it as was done. A step that cannot be taken back only looks here whether it is too late, and
    /// refuses if so.
    fn undo<'a>(&'a self, context: &'a mut C, reason: UndoReason) -> StepFuture<'a, ()> {
        let _ = (context, reason);
        Box::pin(async { Ok(()) })
    }

    /// Puts what it once found out (its output, from a journal) back into the context.
    ///
    /// # Errors
    /// The output is not what this step writes, or was sealed with a password that is not the one at hand.
    fn restore(&self, context: &mut C, output: &Value) -> Result<(), Restoring> {
        let _ = (context, output);
        Ok(())
    }

    /// What somebody should do by hand where taking it back failed.
    fn advice(&self, context: &C) -> String {
        let _ = context;
        "look at the system and at the journal, then finish the rollback by hand".to_owned()
    }
}
