//! Deviations from a healthy base.

use grenadier_catalog::Privilege;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// One deviation from a healthy base, applied before the upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// The appliance is not there as the upgrade needs it.
    Appliance(ApplianceState),
    /// The engine's account lacks a privilege.
    PrivilegeMissing(#[schemars(schema_with = "schema::name::<Privilege>")] Privilege),
    /// A file is missing on the appliance.
    FileMissing(#[schemars(schema_with = "schema::system_file")] String),
    /// Somebody changed a configuration file by hand.
    Customisation(Customisation),
}

/// How the appliance deviates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApplianceState {
    /// Its VM exists and is powered off.
    PoweredOff,
    /// There is no VM.
    Absent,
}

/// A line that somebody added to a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Customisation {
    /// Absolute path on the appliance.
    #[schemars(schema_with = "schema::customisable_file")]
    pub file: String,
    /// The line as it stands in the file, indentation included.
    #[schemars(schema_with = "schema::required_line")]
    pub line: String,
    /// The section to whose end it was added (`global`, `defaults`); the end of the file if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::required_line")]
    pub section: Option<String>,
}
