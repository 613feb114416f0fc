//! The journal's vocabulary.

use grenadier_events::StepVerb;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Record {
    /// A run of a plan began.
    Begun {
        /// The plan's format, see [`crate::PLAN_FORMAT`].
        format: u32,
        /// The plan's hash.
        plan: String,
        /// The plan's procedure, for people.
        procedure: String,
    },
    /// A verb is about to be performed. From here on its effect may be there.
    Intent {
        /// The step.
        step: String,
        /// Apply or undo.
        verb: StepVerb,
        /// The step's idempotency key.
        key: String,
    },
    /// A verb was performed, and where it was an apply, verified.
    Done {
        /// The step.
        step: String,
        /// Apply or undo.
        verb: StepVerb,
        /// What it found out or made; holds no secrets.
        output: Value,
    },
    /// A verb failed. Part of its effect may be there.
    Failed {
        /// The step.
        step: String,
        /// Apply or undo.
        verb: StepVerb,
        /// Why.
        error: String,
    },
    /// A verb of the engine ended.
    Finished {
        /// `upgrade` or `rollback`.
        verb: String,
        /// `upgraded`, `rolled-back`, `refused` or `stuck`.
        outcome: String,
    },
}
