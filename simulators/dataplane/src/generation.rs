//! Generations of the Data Plane API and what they changed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A version of the Data Plane API, as far as its behaviour hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation {
    /// First number: 2 or 3.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

/// A text is not a version of the Data Plane API.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is no version of the Data Plane API such as 2.1.0")]
pub struct GenerationError(pub String);

impl Generation {
    /// What the appliance ships.
    pub const APPLIANCE: Generation = Generation { major: 2, minor: 1, patch: 0 };

    fn at_least(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }

    /// The first segment of every path: `v2`, and from generation 3 on `v3` alone.
    pub fn prefix(self) -> &'static str {
        if self.at_least(3, 0) { "v3" } else { "v2" }
    }

    /// Whether binds and servers hang below their parents in paths and bodies come without `{"_version":…,"data":…}`.
    pub fn nested(self) -> bool {
        self.at_least(3, 0)
    }

    /// Whether `/configuration/version` exists (dataplaneapi `embedded_spec.go`: in v2.2.0, not in v2.1.0).
    pub fn has_version_resource(self) -> bool {
        self.at_least(2, 2)
    }

    /// Whether the number of open transactions is limited, with 429 beyond.
    pub fn limits_transactions(self) -> bool {
        self.at_least(2, 2)
    }

    /// Whether a commit outdates the other open transactions, which then answer 406. Before, a stale commit answers 409 and
    /// its transaction has failed (dataplaneapi `handlers/transaction.go`, `e2e/tests/transactions/commit.bats`).
    pub fn outdates_transactions(self) -> bool {
        self.at_least(2, 3)
    }

    /// Whether an unknown transaction answers 404; 400 with code 20 before.
    pub fn unknown_transaction_is_not_found(self) -> bool {
        self.at_least(3, 0)
    }
}

impl FromStr for Generation {
    type Err = GenerationError;

    fn from_str(text: &str) -> Result<Generation, GenerationError> {
        let error = || GenerationError(text.to_owned());
        let numbers: Vec<u32> = text
            .trim_start_matches('v')
            .split('.')
            .map(|part| part.parse().map_err(|_| error()))
            .collect::<Result<_, _>>()?;
        match numbers[..] {
            [major @ 2..=3, minor] => Ok(Generation { major, minor, patch: 0 }),
            [major @ 2..=3, minor, patch] => Ok(Generation { major, minor, patch }),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Generation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Generation, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_back_and_others_do_not() {
        assert_eq!("v2.1.0".parse(), Ok(Generation::APPLIANCE));
        assert_eq!("3.0".parse::<Generation>().unwrap().to_string(), "3.0.0");
        for text in ["", "2", "1.2.4", "2.x", "2.1.0.0", "4.0.0"] {
            assert_eq!(text.parse::<Generation>(), Err(GenerationError(text.to_owned())));
        }
    }
}
