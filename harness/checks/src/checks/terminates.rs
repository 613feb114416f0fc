//! `terminates`: the engine comes to an end before the horizon.

use grenadier_catalog::Check as Name;

use crate::{Check, CheckResult, Facts, RunEnd};

/// Every call of the engine has ended by the horizon, and the run lasted long enough to know how it ends: to its horizon, or
/// until nothing was left that could still happen.
pub(super) struct Terminates;

impl Check for Terminates {
    fn name(&self) -> Name {
        Name::Terminates
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let (mut problems, mut gaps) = (Vec::new(), Vec::new());
        let mut last = None;
        for fact in &facts.engine {
            match &fact.end {
                None => problems.push(format!("{} began at {} and never ended", fact.verb, fact.began_ns)),
                Some(end) if end.at_ns > facts.horizon => {
                    let (at, horizon) = (end.at_ns, facts.horizon);
                    problems.push(format!("{} ended at {at}, beyond the horizon of {horizon}", fact.verb));
                }
                Some(end) => last = last.max(Some(end.at_ns)),
            }
        }
        if facts.engine.is_empty() {
            gaps.push("the engine was not started".to_owned());
        }
        let end = match &facts.end {
            RunEnd::Horizon => "its horizon",
            RunEnd::Quiet => "when nothing was left to happen",
            RunEnd::Cut(reason) => {
                problems.push(format!("the run was cut short: {reason}"));
                ""
            }
            RunEnd::Lost(reason) => {
                gaps.push(reason.clone());
                ""
            }
            RunEnd::Interrupted => {
                gaps.push("the run was interrupted".to_owned());
                ""
            }
        };
        let last = last.map_or_else(String::new, |at| format!("the engine ended at {at}, "));
        let message = format!("{last}the run at {}, {end}", facts.ended_ns);
        CheckResult::from_lists(Name::Terminates, problems, gaps, message)
    }
}

#[cfg(test)]
mod tests {
    use grenadier_clock::Time;
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::testing::{Run, bare, swap};

    fn made(run: &Run) -> (CheckStatus, String) {
        let result = Terminates.make(&run.facts());
        (result.status, result.message)
    }

    #[test]
    fn an_engine_that_never_ends_is_noticed() {
        let mut run = swap();
        assert_eq!(made(&run).1, "the engine ended at 5m20s, the run at 10m00s, its horizon");
        run.engine[1].end = None;
        assert_eq!(made(&run), (CheckStatus::Fail, "rollback began at 5m00s and never ended".to_owned()));
    }

    #[test]
    fn an_engine_that_ends_too_late_is_noticed() {
        let mut run = swap();
        run.horizon = Time::from_ns(200_000_000_000);
        let (status, message) = made(&run);
        assert_eq!(status, CheckStatus::Fail);
        assert_eq!(message, "rollback ended at 5m20s, beyond the horizon of 3m20s");
    }

    #[test]
    fn a_run_cut_short_shows_nothing() {
        let mut run = swap();
        run.end = RunEnd::Cut("a million events without progress".into());
        assert_eq!(made(&run).0, CheckStatus::Fail);
        run.end = RunEnd::Interrupted;
        assert_eq!(made(&run).0, CheckStatus::NotCovered);
        assert_eq!(made(&bare()), (CheckStatus::NotCovered, "the engine was not started".to_owned()));
    }
}
