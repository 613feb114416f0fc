//! How long things take.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use grenadier_catalog::{Named as _, TimingField, format_duration};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::schema;

/// How long things take.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Timing {
    /// The table of durations.
    #[schemars(schema_with = "schema::timing_profile")]
    pub profile: TimingProfile,
    /// By how much each of them varies, up and down.
    pub jitter: Jitter,
}

/// A table of durations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TimingProfile {
    /// Frozen values, so that recorded event logs stay valid.
    #[default]
    Reference,
    /// Values of one's own, measured by `grenadier calibrate`, say. What is left out is as in the reference.
    Own(BTreeMap<TimingField, Duration>),
}

/// The name of [`TimingProfile::Reference`].
pub(crate) const REFERENCE: &str = "reference";

impl Serialize for TimingProfile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            TimingProfile::Reference => serializer.serialize_str(REFERENCE),
            TimingProfile::Own(lengths) => {
                serializer.collect_map(lengths.iter().map(|(field, length)| (field.name(), format_duration(*length))))
            }
        }
    }
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
