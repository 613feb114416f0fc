//! The way round: several hops where one leap cannot be made.

use std::collections::{BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::leap::{LeapLine, State};

/// How many ways round are tried before a leap counts as having none.
pub(crate) const MOST_TRIED: usize = 5;

/// Why a route is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The leap is refused or failed, and this is the shortest way round.
    WayRound,
    /// Every version in turn, from the oldest to the newest.
    EveryVersion,
    /// Somebody asked for it.
    Asked,
}

impl Why {
    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Why::WayRound => "the way round",
            Why::EveryVersion => "every version in turn",
            Why::Asked => "as asked",
        }
    }
}

/// A route from one version to another in several hops, each from the state the last one left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteLine {
    /// The version it starts from.
    pub from: String,
    /// The version it goes to.
    pub to: String,
    /// Why it is there.
    pub why: Why,
    /// How it stands: as its worst hop does.
    pub state: State,
    /// Its hops, in order.
    pub hops: Vec<LeapLine>,
}

impl RouteLine {
    pub(crate) fn of(why: Why, hops: Vec<LeapLine>) -> RouteLine {
        let worst = [State::Failed, State::Unfit, State::Refused, State::NotRehearsed];
        let state = worst.into_iter().find(|state| hops.iter().any(|hop| hop.state == *state));
        let end = |hop: Option<&LeapLine>, name: fn(&LeapLine) -> &String| hop.map(name).cloned().unwrap_or_default();
        RouteLine {
            from: end(hops.first(), |hop| &hop.from),
            to: end(hops.last(), |hop| &hop.to),
            why,
            state: state.unwrap_or(State::Rehearsed),
            hops,
        }
    }

    /// The versions on it.
    pub fn versions(&self) -> Vec<&str> {
        let first = self.hops.first().map(|hop| hop.from.as_str());
        first.into_iter().chain(self.hops.iter().map(|hop| hop.to.as_str())).collect()
    }
}

/// The ways of at least two hops from one place to another over `leaps`, the shortest first; of one length those with the
/// oldest stops first. None comes to a place twice.
pub(crate) fn ways(from: usize, to: usize, leaps: &BTreeSet<(usize, usize)>) -> impl Iterator<Item = Vec<usize>> {
    let mut begun = VecDeque::from([vec![from]]);
    std::iter::from_fn(move || {
        while let Some(way) = begun.pop_front() {
            let last = way[way.len() - 1];
            if last == to {
                if way.len() > 2 {
                    return Some(way);
                }
                continue;
            }
            for (_, next) in leaps.range((last, 0)..(last + 1, 0)) {
                if !way.contains(next) {
                    begun.push_back(way.iter().copied().chain([*next]).collect());
                }
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_comes_first_and_one_hop_is_none() {
        let leaps = BTreeSet::from([(0, 1), (0, 3), (1, 2), (1, 3), (2, 3), (3, 4)]);
        let found: Vec<_> = ways(0, 3, &leaps).collect();
        assert_eq!(found, [vec![0, 1, 3], vec![0, 1, 2, 3]]);
        assert_eq!(ways(0, 4, &leaps).next(), Some(vec![0, 3, 4]));
        assert_eq!(ways(4, 0, &leaps).next(), None);
    }

    #[test]
    fn a_way_does_not_come_to_a_place_twice() {
        let leaps = BTreeSet::from([(0, 1), (1, 0), (1, 2), (2, 1), (2, 3)]);
        assert_eq!(ways(0, 3, &leaps).collect::<Vec<_>>(), [vec![0, 1, 2, 3]]);
    }
}
