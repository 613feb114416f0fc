//! How the run is conducted: engine, rollback, faults, other people's doings.

use grenadier_catalog::{AfterCrash, Cluster, Machine, VersionNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SymbolicRange, schema};

/// The engine under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Engine {
    /// The procedure that the built-in engine follows.
    #[schemars(schema_with = "schema::procedure")]
    pub procedure: String,
    /// Whether it removes the old appliance at the end, after which there is no way back.
    pub remove_old: bool,
    /// What a new engine process is asked for where a fault made the one before crash.
    #[schemars(schema_with = "schema::name::<AfterCrash>")]
    pub after_crash: AfterCrash,
    /// The procedure that the scenario names, where somebody asked for another one ([`crate::Scenario::with_procedure`]).
    #[serde(skip)]
    #[schemars(skip)]
    pub in_place_of: Option<String>,
}

impl Default for Engine {
    fn default() -> Self {
        Self { procedure: "hardened".to_owned(), remove_old: false, after_crash: AfterCrash::Resume, in_place_of: None }
    }
}

/// When the runner asks the engine to roll back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rollback {
    /// Not at all, not even after a failure.
    Never,
    /// When the upgrade failed.
    #[default]
    OnFailure,
    /// Also after a success, which must come undone without a trace.
    Always,
}

/// Something that others do while the engine works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignEvent {
    /// Somebody powers a machine on.
    PowerOn(PowerOn),
    /// Somebody upgrades the vCenter around the appliance.
    UpgradeVcenter(UpgradeVcenter),
    /// Somebody resets a machine.
    Reboot(PowerOn),
    /// Somebody gives the running appliance a service range by hand, in the kernel alone.
    BindRange(BindRange),
    /// A client of the Data Plane API is slow with a transaction, or is killed in the midst of it.
    Transaction(Transaction),
    /// Somebody starts the same upgrade once more, with an engine of their own that follows the same procedure.
    SecondEngine(SecondEngine),
}

impl ForeignEvent {
    /// The step after whose end it happens.
    pub fn after(&self) -> &str {
        match self {
            Self::PowerOn(PowerOn { after, .. })
            | Self::Reboot(PowerOn { after, .. })
            | Self::BindRange(BindRange { after, .. })
            | Self::Transaction(Transaction { after, .. })
            | Self::SecondEngine(SecondEngine { after })
            | Self::UpgradeVcenter(UpgradeVcenter { after, .. }) => after,
        }
    }

    /// Every step that it names.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        let later = match self {
            Self::Transaction(Transaction { committed_after, .. }) => committed_after.as_deref(),
            _ => None,
        };
        [Some(self.after()), later].into_iter().flatten()
    }
}

/// Somebody gives the running appliance a service range by hand (`ip route add local RANGE dev lo`): it is gone after a reboot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BindRange {
    /// The range.
    pub range: SymbolicRange,
    /// The step after whose end it happens.
    #[schemars(schema_with = "schema::step")]
    pub after: String,
}

/// A client of the Data Plane API is slow with a transaction, or is killed in the midst of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Transaction {
    /// The cluster whose client it is.
    #[schemars(schema_with = "schema::name::<Cluster>")]
    pub cluster: Cluster,
    /// The step after whose end it is begun.
    #[schemars(schema_with = "schema::step")]
    pub after: String,
    /// The step after whose end it is committed; if absent, its client is killed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::step")]
    pub committed_after: Option<String>,
}

/// Somebody starts the same upgrade once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecondEngine {
    /// The step of the engine under test after whose end it happens.
    #[schemars(schema_with = "schema::step")]
    pub after: String,
}

/// Somebody powers a machine on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PowerOn {
    /// The machine.
    #[schemars(schema_with = "schema::name::<Machine>")]
    pub machine: Machine,
    /// The step after whose end it happens.
    #[schemars(schema_with = "schema::step")]
    pub after: String,
}

/// Somebody upgrades the vCenter around the appliance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UpgradeVcenter {
    /// The release it is upgraded to.
    #[schemars(schema_with = "schema::vsphere_release")]
    pub to: VersionNumber,
    /// The step after whose end it happens.
    #[schemars(schema_with = "schema::step")]
    pub after: String,
}
