//! What somebody asks of an exploration.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What somebody asks of an exploration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How many threads run cases; none: one a core.
    pub workers: Option<NonZeroUsize>,
    /// How many cases are run at most; none: all.
    pub budget: Option<u64>,
    /// Whether pairs of faults are run too.
    pub pairs: bool,
    /// Which part of the cases is run; none: all.
    pub shard: Option<Shard>,
    /// Random schedules instead of the enumeration.
    pub random: Option<Random>,
}

/// How many random schedules, drawn from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Random {
    /// How many.
    pub schedules: u64,
    /// What they are drawn from.
    pub seed: u64,
}

/// The `k`-th of `n` parts, from 1. Every case is in exactly one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// Which part.
    pub k: u64,
    /// Of how many.
    pub n: u64,
}

/// A text is no shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected a shard k/n with k from 1 to n, such as 2/4; got `{0}`")]
pub struct ShardError(String);

impl Shard {
    /// Whether the case at this place is in it.
    pub fn holds(self, place: u64) -> bool {
        place % self.n == self.k - 1
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Shard, ShardError> {
        let number = |text: &str| text.parse::<u64>().ok();
        let shard = text.split_once('/').and_then(|(k, n)| Some(Shard { k: number(k)?, n: number(n)? }));
        shard.filter(|shard| (1..=shard.n).contains(&shard.k)).ok_or_else(|| ShardError(text.to_owned()))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.k, self.n)
    }
}

/// Somebody who watches an exploration, and may stop it. Called from every worker.
pub trait Watch: Sync {
    /// Cases are about to be run: so many more.
    fn begins(&self, cases: u64) {
        let _ = cases;
    }

    /// A case was run.
    fn ran(&self, failed: bool) {
        let _ = failed;
    }

    /// Set as soon as no further case is to be run.
    fn stop(&self) -> &AtomicBool;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_part_the_cases() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].map(|text| text.parse().unwrap()).into();
        assert!((0..100).all(|place| shards.iter().filter(|shard| shard.holds(place)).count() == 1));
        for text in ["", "1", "0/3", "4/3", "1/0", "a/b", "1/3/5"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
