//! Deviations from a healthy base.

use std::time::Duration;

use grenadier_catalog::{Privilege, Segment, duration_serde};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SymbolicRange, VersionChoice, schema};

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
    /// Somebody gave the appliance one more service range by hand, in its file, after it was deployed.
    ServiceRange(SymbolicRange),
    /// Somebody added the line of a network to `route-tables.cfg` a second time.
    RouteRuleDuplicated(#[schemars(schema_with = "schema::name::<Segment>")] Segment),
    /// Somebody took the link-scoped route of a network out of `route-tables.cfg` and restarted the route service, which does not
    /// remove it.
    LinkRouteLeft(#[schemars(schema_with = "schema::name::<Segment>")] Segment),
    /// The Data Plane API was stopped for so long before the upgrade, so that the operators have come to wait long between two
    /// attempts.
    ApiStopped(
        #[serde(with = "duration_serde")]
        #[schemars(schema_with = "schema::duration")]
        Duration,
    ),
    /// The appliance was itself upgraded before, from this version, by the engine under test and to the end: the VM before it is
    /// gone. More than one are the versions it came by, the oldest first.
    UpgradedFrom(VersionChoice),
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
