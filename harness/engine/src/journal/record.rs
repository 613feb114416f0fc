//! The journal's vocabulary.

use grenadier_events::StepVerb;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::advice::Advice;

/// A step of the plan that a run was begun with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BegunStep {
    /// Its name.
    pub step: String,
    /// Whether it changes the world, and is taken back in a rollback; those that do not only look.
    pub changes: bool,
}

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
        /// What is upgraded, for people.
        #[serde(default)]
        from: String,
        /// What it becomes, for people.
        #[serde(default)]
        to: String,
        /// The plan's steps, in order, so that a journal says by itself what is still to come.
        #[serde(default)]
        steps: Vec<BegunStep>,
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
        /// `upgrade`, `resume` or `rollback`.
        verb: String,
        /// `upgraded`, `rolled-back`, `refused` or `stuck`.
        outcome: String,
        /// The rule that refused, where one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// What the engine said.
        #[serde(default)]
        message: String,
        /// What it said somebody should do next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        advice: Option<Advice>,
    },
}
