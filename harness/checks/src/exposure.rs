//! Secrets found where they do not belong.

use std::fmt;

/// A secret, and a place that holds it although it must not. The secret itself is not in here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    /// What it is a secret of: `the password of root`.
    pub secret: String,
    /// Where it was found: the path of a file in the captured state, or `events.jsonl`.
    pub place: String,
}

impl Exposure {
    /// A secret in a place.
    pub fn new(secret: impl fmt::Display, place: impl fmt::Display) -> Exposure {
        Exposure { secret: secret.to_string(), place: place.to_string() }
    }
}
