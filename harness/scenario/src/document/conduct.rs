//! How the run is conducted: engine, rollback, faults, other people's doings, timing.

use std::fmt;
use std::str::FromStr;

use grenadier_catalog::{CallAddress, FaultKind, Machine, VersionNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::schema;

/// The engine under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Engine {
    /// The procedure that the built-in engine follows.
    #[schemars(schema_with = "schema::procedure")]
    pub procedure: String,
    /// Whether it removes the old appliance at the end, after which there is no way back.
    pub remove_old: bool,
}

impl Default for Engine {
    fn default() -> Self {
        Self { procedure: "hardened".to_owned(), remove_old: false }
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

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// The call it happens to: `step/template#k`.
    #[schemars(schema_with = "schema::call_address")]
    pub at: CallAddress,
    /// What happens to it.
    #[serde(rename = "do")]
    #[schemars(schema_with = "schema::name::<FaultKind>")]
    pub kind: FaultKind,
}

/// Something that others do while the engine works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignEvent {
    /// Somebody powers a machine on.
    PowerOn(PowerOn),
    /// Somebody upgrades the vCenter around the appliance.
    UpgradeVcenter(UpgradeVcenter),
}

impl ForeignEvent {
    /// The step after whose end it happens.
    pub fn after(&self) -> &str {
        match self {
            Self::PowerOn(PowerOn { after, .. }) | Self::UpgradeVcenter(UpgradeVcenter { after, .. }) => after,
        }
    }
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

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Timing {
    /// The table of durations.
    pub profile: TimingProfile,
    /// By how much each of them varies, up and down.
    pub jitter: Jitter,
}

/// A table of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimingProfile {
    /// Frozen values, so that recorded event logs stay valid.
    #[default]
    Reference,
}

/// By how much durations vary, up and down: 0% to 50%.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Jitter {
    percent: u8,
}

impl Jitter {
    /// The largest jitter: beyond it a duration would lose its meaning.
    pub const MAX_PERCENT: u8 = 50;

    /// The jitter in percent, 0 to 50.
    pub fn percent(self) -> u8 {
        self.percent
    }
}

/// A text is not a jitter; its message is the decoder's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a jitter from 0% to 50%; got `{text}`")]
pub struct JitterError {
    /// The text as it was given.
    pub text: String,
}

impl FromStr for Jitter {
    type Err = JitterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_suffix('%')
            .filter(|number| (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|number| number.parse().ok())
            .filter(|percent| *percent <= Self::MAX_PERCENT)
            .map(|percent| Self { percent })
            .ok_or_else(|| JitterError { text: text.to_owned() })
    }
}

impl fmt::Display for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent)
    }
}

impl Serialize for Jitter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
