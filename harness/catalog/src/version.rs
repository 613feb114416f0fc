//! Version numbers and their order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A version of three numbers, with a total order in which 0.1.10 comes after 0.1.9.
///
/// Read with or without a leading `v`; printed without, as HAProxy, Data Plane API and vSphere write theirs. The
/// appliance's own names (`v0.1.10`) are kept beside the number in [`crate::Version::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionNumber {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

/// A text is not a version number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a version of three numbers such as 7.0.1, got `{text}`")]
pub struct VersionNumberError {
    /// The text as it was given.
    pub text: String,
}

impl VersionNumber {
    /// The version `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl FromStr for VersionNumber {
    type Err = VersionNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || VersionNumberError { text: text.to_owned() };
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.').map(|part| {
            // `u32::from_str` would accept a plus sign.
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) { None } else { part.parse().ok() }
        });
        let mut next = || parts.next().flatten();
        let (Some(major), Some(minor), Some(patch)) = (next(), next(), next()) else { return Err(error()) };
        if parts.next().is_some() { Err(error()) } else { Ok(Self { major, minor, patch }) }
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Serialize for VersionNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_comes_after_nine() {
        let nine: VersionNumber = "v0.1.9".parse().unwrap();
        let ten: VersionNumber = "v0.1.10".parse().unwrap();
        assert!(nine < ten);
        assert!(ten < "0.2.0".parse().unwrap());
        assert_eq!(ten.to_string(), "0.1.10");
    }

    #[test]
    fn what_is_not_three_numbers_is_refused() {
        for text in ["", "v", "1.2", "1.2.3.4", "1.2.x", "+1.2.3", "1..3", "vv1.2.3", "1.2.99999999999", " 1.2.3"] {
            let error = text.parse::<VersionNumber>().unwrap_err();
            assert_eq!(error.text, text);
        }
    }
}
