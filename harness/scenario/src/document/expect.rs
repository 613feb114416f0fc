//! What must come of a run.

use std::time::Duration;

use grenadier_catalog::{Check, Outcome, RefusalRule, Residual, duration_serde};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::schema;

/// What must come of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Expect {
    /// How the upgrade ends.
    #[schemars(schema_with = "schema::name::<Outcome>")]
    pub outcome: Outcome,
    /// The rule by which the engine refuses; only with outcome `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name::<RefusalRule>")]
    pub refused_by: Option<RefusalRule>,
    /// How long targets may be unreachable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::outage_budget")]
    pub outage: Option<OutageBudget>,
    /// Whether the original state is back at the end; not asked if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::boolean")]
    pub restored: Option<bool>,
    /// What may remain after the run.
    #[schemars(schema_with = "schema::names::<Residual>")]
    pub residuals: Vec<Residual>,
    /// The checks that must fail: the run passes when exactly these do.
    #[schemars(schema_with = "schema::names::<Check>")]
    pub caught_by: Vec<Check>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            outcome: Outcome::Upgraded,
            refused_by: None,
            outage: None,
            restored: None,
            residuals: Vec::new(),
            caught_by: Vec::new(),
        }
    }
}

/// How long targets may be unreachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OutageBudget {
    /// The longest outage any target may see.
    #[serde(with = "duration_serde")]
    #[schemars(schema_with = "schema::duration")]
    pub at_most: Duration,
}

/// The checks that must have been made; one that could not be made ends the run with exit code 3.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Require {
    /// Every check that applies.
    #[default]
    All,
    /// These.
    These(Vec<Check>),
}

impl Require {
    /// Whether the check must have been made.
    pub fn contains(&self, check: Check) -> bool {
        match self {
            Self::All => true,
            Self::These(checks) => checks.contains(&check),
        }
    }
}

impl Serialize for Require {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::These(checks) => checks.serialize(serializer),
        }
    }
}
