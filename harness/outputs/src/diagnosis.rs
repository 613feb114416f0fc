//! Whether a machine is fit to rehearse on, as a document.

use schemars::JsonSchema;
use serde::Serialize;

/// The version of the shape of [`Diagnosis`], written as `v`.
pub(crate) const VERSION: u32 = 1;

/// Whether a machine is fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// The version of this shape.
    pub v: u32,
    /// Whether a run goes in the world that was asked about.
    pub fit: bool,
    /// The exit code: 0 where one does, 3 where none does.
    pub exit_code: u8,
    /// What was looked at, in order.
    pub findings: Vec<Found>,
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Found {
    /// The thing: `virtual world`, `engine`, `disk` and so on.
    pub about: String,
    /// How it stands: `fit`, `doubtful` (a run goes, and may be worse than it could be) or `unfit`.
    pub fitness: Standing,
    /// In one line.
    pub says: String,
    /// What a person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As a run needs it.
    Fit,
    /// A run goes, and something about it may be worse than it could be.
    Doubtful,
    /// No run goes.
    Unfit,
}

impl Diagnosis {
    /// What was found, with the exit code that follows from it.
    pub fn of(fit: bool, exit_code: u8, findings: Vec<Found>) -> Diagnosis {
        Diagnosis { v: VERSION, fit, exit_code, findings }
    }
}
