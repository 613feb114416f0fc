//! Which of many cases are run.

use crate::settings::Shard;

/// The cases of one part of an exploration that are run: those within the budget, and of them those of the shard.
///
/// A budget does not take the first ones: it takes them spread over all, by a stride that shares no divisor with their number,
/// so that a small budget sees something of everything. The same budget takes the same cases anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// How many there are.
    pub total: u64,
    /// How many of them are within the budget.
    pub within: u64,
    stride: u64,
    shard: Option<Shard>,
}

impl Selection {
    pub(crate) fn new(total: u64, budget: Option<u64>, shard: Option<Shard>) -> Selection {
        let within = budget.map_or(total, |budget| budget.min(total));
        let stride = if within == total { 1 } else { coprime_stride(total) };
        Selection { total, within, stride, shard }
    }

    /// How many are run here.
    pub(crate) fn len(&self) -> u64 {
        match self.shard {
            None => self.within,
            Some(Shard { k, n }) => (self.within + n - k) / n,
        }
    }

    /// The number of the case that is run in this place, among all there are.
    pub(crate) fn nth(&self, place: u64) -> u64 {
        let place = self.shard.map_or(place, |Shard { k, n }| place * n + k - 1);
        let wide = u128::from(place) * u128::from(self.stride) % u128::from(self.total.max(1));
        u64::try_from(wide).expect("a remainder is smaller than its divisor")
    }
}

/// A number near the golden section of `total` that shares no divisor with it.
fn coprime_stride(total: u64) -> u64 {
    let near = (total as u128 * 618 / 1000).max(1) as u64;
    (near..=near + total).find(|stride| common_divisor(*stride, total) == 1).unwrap_or(1)
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn taken(total: u64, budget: Option<u64>, shard: Option<Shard>) -> Vec<u64> {
        let selection = Selection::new(total, budget, shard);
        (0..selection.len()).map(|place| selection.nth(place)).collect()
    }

    #[test]
    fn shards_part_what_is_within_the_budget() {
        for total in [0, 1, 2, 7, 100, 101] {
            for budget in [None, Some(0), Some(1), Some(13), Some(1000)] {
                let all: BTreeSet<u64> = taken(total, budget, None).into_iter().collect();
                assert_eq!(all.len() as u64, budget.unwrap_or(total).min(total));
                assert!(all.iter().all(|case| *case < total));
                for n in 1..=4 {
                    let parts: Vec<u64> = (1..=n).flat_map(|k| taken(total, budget, Some(Shard { k, n }))).collect();
                    assert_eq!(parts.len(), all.len(), "no case twice");
                    assert_eq!(parts.into_iter().collect::<BTreeSet<_>>(), all);
                }
            }
        }
    }

    #[test]
    fn a_small_budget_sees_something_of_everything() {
        let taken = taken(1000, Some(10), None);
        assert!((0..5).all(|fifth| taken.iter().any(|case| case / 200 == fifth)), "{taken:?}");
        assert_eq!(super::Selection::new(50, None, None).nth(7), 7, "without a budget they come in order");
    }
}
