//! A failure that somebody really had, and how each procedure comes out of it.

use std::collections::BTreeMap;

use grenadier_catalog::{Check, Outcome, RefusalRule, Residual};
use schemars::JsonSchema;
use serde::Serialize;

use super::Expect;
use crate::schema;

/// A failure that somebody really had: who reported it, by which words it is recognised, and how each procedure of the system
/// comes out of it. A run is judged by what stands here for its procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Field {
    /// Where it is reported.
    pub source: Source,
    /// Words by which somebody who has it finds it: of messages, logs and reports.
    #[serde(default)]
    #[schemars(schema_with = "schema::required_lines")]
    pub symptoms: Vec<String>,
    /// How each procedure ends, by the procedure's name.
    #[schemars(schema_with = "schema::ends")]
    pub ends: BTreeMap<String, End>,
}

/// Where a failure is reported; at least one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Source {
    /// The issue: `vmware-haproxy #36`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::required_line")]
    pub issue: Option<String>,
    /// The document that warns of it, or leads into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::required_line")]
    pub document: Option<String>,
}

/// How a procedure comes out of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct End {
    /// The outcome it claims.
    #[schemars(schema_with = "schema::name::<Outcome>")]
    pub outcome: Outcome,
    /// The outcome it should have ended with, where it ends with another and check `outcome` catches that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name::<Outcome>")]
    pub instead_of: Option<Outcome>,
    /// The rule by which it refuses; only with outcome `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::name::<RefusalRule>")]
    pub refused_by: Option<RefusalRule>,
    /// Whether the original state is back at the end; not asked if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::boolean")]
    pub restored: Option<bool>,
    /// What may remain after the run.
    #[serde(default)]
    #[schemars(schema_with = "schema::names::<Residual>")]
    pub residuals: Vec<Residual>,
    /// The checks that catch it: the run passes when exactly these fail.
    #[serde(default)]
    #[schemars(schema_with = "schema::names::<Check>")]
    pub caught_by: Vec<Check>,
}

impl End {
    /// What is expected of a run that ends so; the outage budget is the scenario's.
    pub(crate) fn expected(&self, declared: &Expect) -> Expect {
        Expect {
            outcome: self.instead_of.unwrap_or(self.outcome),
            refused_by: self.refused_by,
            outage: declared.outage,
            restored: self.restored,
            residuals: self.residuals.clone(),
            caught_by: self.caught_by.clone(),
        }
    }
}
