//! Joining the shards of one exploration.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::coverage::Cell;
use crate::exploration::{CoverageLine, Exploration, ExplorationFailure, Speed};
use crate::signature::Signature;

/// Explorations are not the shards of one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MergeError {
    /// None was given.
    #[error("there is nothing to merge")]
    Nothing,
    /// One is not a shard.
    #[error("the exploration of {0} in place {1} is whole, not a shard")]
    Whole(String, usize),
    /// They are of different explorations.
    #[error("the explorations in place 1 and {place} differ in {what}, so they are not shards of one")]
    Different {
        /// Which one differs from the first.
        place: usize,
        /// In what.
        what: &'static str,
    },
    /// One is missing or there twice.
    #[error("of {n} shards, {k}/{n} is there {times}")]
    Shards {
        /// Which shard.
        k: u64,
        /// Of how many.
        n: u64,
        /// How often it is there, in words.
        times: &'static str,
    },
}

/// Joins the shards of one exploration to what the whole one would have found.
///
/// # Errors
/// They are not the shards of one exploration, each once.
pub fn merge(shards: Vec<Exploration>) -> Result<Exploration, MergeError> {
    let first = shards.first().ok_or(MergeError::Nothing)?;
    for (place, shard) in shards.iter().enumerate() {
        let place = place + 1;
        if shard.shard.is_none() {
            return Err(MergeError::Whole(shard.scenario.clone(), place));
        }
        let same = [
            ("the version of their shape", shard.v == first.v),
            ("scenario", shard.scenario_sha256 == first.scenario_sha256),
            ("order", shard.order == first.order),
            ("random schedules", shard.random == first.random),
            ("budget", shard.budget == first.budget),
            ("the number of cases there are", shard.enumerated == first.enumerated && shard.pruned == first.pruned),
            ("the number of shards", shard.shard.map(|it| it.n) == first.shard.map(|it| it.n)),
        ];
        if let Some((what, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(MergeError::Different { place, what });
        }
    }
    let n = first.shard.map_or(1, |shard| shard.n);
    for k in 1..=n {
        let times = match shards.iter().filter(|shard| shard.shard.is_some_and(|it| it.k == k)).count() {
            1 => continue,
            0 => "missing",
            _ => "more than once",
        };
        return Err(MergeError::Shards { k, n, times });
    }
    Ok(joined(shards))
}

fn joined(shards: Vec<Exploration>) -> Exploration {
    let mut whole = Exploration { shard: None, speed: None, ..shards[0].clone() };
    (whole.cases, whole.failed, whole.interrupted) = (0, 0, false);
    whole.ended.clear();
    whole.known_failures.iter_mut().for_each(|known| known.cases = 0);
    let mut coverage: BTreeMap<(String, String), Cell> = BTreeMap::new();
    let mut failures: BTreeMap<Signature, ExplorationFailure> = BTreeMap::new();
    let mut speeds = Vec::new();
    for shard in shards {
        whole.cases += shard.cases;
        whole.failed += shard.failed;
        whole.interrupted |= shard.interrupted;
        speeds.extend(shard.speed);
        for (ended, cases) in shard.ended {
            *whole.ended.entry(ended).or_default() += cases;
        }
        for line in shard.coverage {
            coverage.entry((line.call, line.fault)).or_default().add(line.cell);
        }
        for (known, more) in whole.known_failures.iter_mut().zip(shard.known_failures) {
            known.cases += more.cases;
        }
        for failure in shard.failures {
            let cases = failure.cases;
            let earlier = failures.get(&failure.signature).map(|known| (known.first, known.cases));
            match earlier {
                Some((first, before)) if first <= failure.first => {
                    let known = failures.get_mut(&failure.signature).expect("it was just found");
                    known.cases = before + cases;
                }
                earlier => {
                    let before = earlier.map_or(0, |(_, before)| before);
                    let cases = before + cases;
                    failures.insert(failure.signature.clone(), ExplorationFailure { cases, ..failure });
                }
            }
        }
    }
    whole.coverage = coverage.into_iter().map(|((call, fault), cell)| CoverageLine { call, fault, cell }).collect();
    whole.failures = failures.into_values().collect();
    whole.failures.sort_by(|one, other| (one.first, &one.signature).cmp(&(other.first, &other.signature)));
    whole.speed = together(&speeds, whole.cases);
    whole
}

/// Shards run beside each other: the slowest says how long it took.
fn together(speeds: &[Speed], cases: u64) -> Option<Speed> {
    let seconds = speeds.iter().map(|speed| speed.seconds).fold(0.0, f64::max);
    (seconds > 0.0).then(|| Speed {
        workers: speeds.iter().map(|speed| speed.workers).sum(),
        seconds,
        runs_per_second: cases as f64 / seconds,
    })
}
