//! `canary`: a target outside the upgrade stays reachable; if it does not, the environment is to blame.

use std::time::Duration;

use grenadier_catalog::Check as Name;
use grenadier_clock::format_duration;

use super::downtime;
use crate::{Check, CheckResult, Facts};

/// A prober that stands still for longer than one sample's patience says that its machine is not fit.
const MOST_UNSEEN_NS: u64 = 1_000_000_000;

/// Looks at the targets that the upgrade does not touch. Where one of them is down, no other figure of this run can be
/// trusted: the verdict is that the environment is not fit.
pub(super) struct Canary;

impl Check for Canary {
    fn name(&self) -> Name {
        Name::Canary
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let (mut problems, mut gaps) = (Vec::new(), Vec::new());
        let canaries: Vec<_> = downtime::of(facts).into_iter().filter(|target| target.is_canary).collect();
        if canaries.is_empty() {
            gaps.push("there is no canary".to_owned());
        }
        for canary in &canaries {
            let name = &canary.target;
            if canary.watches == 0 {
                gaps.push(format!("no probe watched {name}"));
            } else if canary.first_up.is_none() {
                problems.push(format!("{name} never answered, so the environment is not fit"));
            } else if canary.totals.is_empty() {
                gaps.push(format!("{name} was not watched: the run never came to its first verification"));
            }
            let longest = canary.unseen.iter().max_by_key(|hole| hole.length_ns());
            if let Some(hole) = longest.filter(|hole| hole.length_ns() > MOST_UNSEEN_NS) {
                let length = format_duration(Duration::from_nanos(hole.length_ns()));
                gaps.push(format!("nobody looked at {name} for {length} from {}: {}", hole.from, hole.reason));
            }
            if let Some(outage) = canary.longest(facts.ended_ns) {
                let length = outage.length(facts.ended_ns);
                let (from, reason) = (outage.from.latest_ns, &outage.reason);
                problems
                    .push(format!("{name} was down for {length} from {from}, so the environment is not fit: {reason}"));
            }
        }
        CheckResult::from_lists(Name::Canary, problems, gaps, "it answered all the time")
    }
}

#[cfg(test)]
mod tests {
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::testing::{Run, bare, swap};

    fn made(run: &Run) -> (CheckStatus, String) {
        let result = Canary.make(&run.facts());
        (result.status, result.message)
    }

    #[test]
    fn a_canary_that_is_down_blames_the_environment() {
        let mut run = swap();
        run.down_at_the_end("canary");
        let (status, message) = made(&run);
        assert_eq!(status, CheckStatus::Fail);
        assert_eq!(message, "canary was down for 10s from 9m50s, so the environment is not fit: off");
        let mut run = swap();
        run.never_up("canary");
        assert_eq!(made(&run).0, CheckStatus::Fail);
    }

    #[test]
    fn a_canary_nobody_looked_at_proves_nothing() {
        let mut run = swap();
        run.unseen("canary", 150, 1);
        assert_eq!(made(&run).0, CheckStatus::Pass);
        run.unseen("canary", 160, 2);
        let (status, message) = made(&run);
        assert_eq!(status, CheckStatus::NotCovered);
        assert_eq!(message, "nobody looked at canary for 2s from 2m40s: it stood still");
    }

    #[test]
    fn without_a_canary_it_is_not_covered() {
        let mut run = swap();
        run.unwatched("canary");
        assert_eq!(made(&run).0, CheckStatus::NotCovered);
        let mut run = swap();
        run.without_phases();
        assert_eq!(made(&run).0, CheckStatus::NotCovered);
        assert_eq!(made(&bare()), (CheckStatus::NotCovered, "there is no canary".to_owned()));
    }
}
