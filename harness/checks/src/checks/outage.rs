//! `outage`: every target is unreachable for no longer than the scenario allows.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::{Check as Name, Outcome};
use grenadier_clock::format_duration;
use grenadier_events::CheckStatus;
use grenadier_probe::{Length, Part, Spans, Total};

use super::downtime::{self, TargetOutage};
use crate::{Check, CheckResult, Facts};

/// Judges each target's total in the upgrade, and again in the rollback, by its upper bound. A target that never answered,
/// or not before the upgrade began, fails whatever the budget.
pub(super) struct Outage;

impl Check for Outage {
    fn name(&self) -> Name {
        Name::Outage
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let targets: Vec<TargetOutage> = downtime::of(facts).into_iter().filter(|target| !target.is_canary).collect();
        let budget = budget(facts);
        let (mut problems, mut gaps) = (Vec::new(), Vec::new());
        if targets.is_empty() {
            gaps.push("there is no target".to_owned());
        }
        let before = facts.before_upgrade(&Spans::of(facts.events));
        for target in &targets {
            let name = &target.target;
            gaps.extend(target.not_covered());
            if target.watches == 0 {
                gaps.push(format!("no probe watched {name}"));
                continue;
            }
            match (target.first_up, before) {
                (None, _) => problems.push(format!("{name} never answered")),
                (Some(up), Some(before)) if up.latest_ns > before.at => {
                    problems.push(format!("{name} did not answer before the upgrade"));
                }
                (Some(_), _) => {}
            }
            if target.totals.is_empty() {
                gaps.push(format!("{name} was not watched: the run never came to its first verification"));
            }
            if let Some(budget) = budget {
                problems.extend(target.totals.iter().filter_map(|total| exceeded(name, total, budget)));
                gaps.extend(target.totals.iter().filter_map(|total| hidden(target, total, budget)));
            }
        }
        let worst = worst(&targets);
        let evidence = targets.iter().flat_map(|target| intervals(target, facts));
        let Some(budget) = budget else {
            if problems.is_empty() && gaps.is_empty() && targets.iter().any(|t| !t.outages.is_empty()) {
                let why = format!("the scenario sets no limit ({worst})");
                return CheckResult::does_not_apply(Name::Outage, why).with_evidence(evidence);
            }
            return CheckResult::from_lists(Name::Outage, problems, gaps, "no outage at all").with_evidence(evidence);
        };
        let message = format!("{worst}; {} allowed", format_duration(budget));
        let result = CheckResult::from_lists(Name::Outage, problems, gaps, message);
        debug_assert!(result.status != CheckStatus::Pass || result.evidence.is_empty());
        result.with_evidence(evidence)
    }
}

/// What the scenario allows. A refused upgrade touches nothing, so it has no budget where the scenario names none.
fn budget(facts: &Facts<'_>) -> Option<Duration> {
    let refused = facts.expect.outcome == Outcome::Refused;
    facts.expect.outage_at_most.or(refused.then_some(Duration::ZERO))
}

fn exceeded(name: &str, total: &Total, budget: Duration) -> Option<String> {
    let budget_ns = budget.as_nanos();
    if u128::from(total.length.upper_ns) <= budget_ns {
        return None;
    }
    let sure = if u128::from(total.length.lower_ns) > budget_ns { "" } else { "possibly " };
    let (part, allowed) = (total.part.name(), format_duration(budget));
    Some(format!("{name} was {sure}unreachable for {} in the {part}, {allowed} allowed", total.length))
}

/// What nobody saw may have been an outage. Where it could have made the difference, nothing is known.
fn hidden(target: &TargetOutage, total: &Total, budget: Duration) -> Option<String> {
    let (unseen, longest) = target.unseen_in(total.part)?;
    let lost = Duration::from_nanos(total.length.upper_ns);
    if lost > budget || lost + unseen <= budget {
        return None;
    }
    let (unseen, allowed) = (format_duration(unseen), format_duration(budget));
    let (client, probe, part) = (&longest.client, longest.probe.name(), total.part.name());
    Some(format!(
        "{client} did not look at {} ({probe}) for {unseen} of the {part}, {allowed} allowed: {}",
        target.target, longest.reason
    ))
}

/// `at most 41.25s in the upgrade (api), 12s in the rollback (shop)`; `none` where nothing was lost.
fn worst(targets: &[TargetOutage]) -> String {
    let mut worst: BTreeMap<Part, (Length, &str)> = BTreeMap::new();
    for target in targets {
        for total in target.totals.iter().filter(|total| !total.length.is_zero()) {
            let entry = worst.entry(total.part).or_insert((total.length, &target.target));
            if total.length.upper_ns > entry.0.upper_ns {
                *entry = (total.length, &target.target);
            }
        }
    }
    let parts: Vec<String> =
        worst.iter().map(|(part, (lost, name))| format!("{lost} in the {} ({name})", part.name())).collect();
    if parts.is_empty() { "none".to_owned() } else { format!("at most {}", parts.join(", ")) }
}

fn intervals(target: &TargetOutage, facts: &Facts<'_>) -> Vec<String> {
    let line = |outage: &grenadier_probe::Outage| {
        let length = outage.length(facts.ended_ns);
        let open = if outage.to.is_none() { ", not over at the end" } else { "" };
        let class = outage.class.map(|class| format!(" [{}]", class.name())).unwrap_or_default();
        format!(
            "{} from {} for {length} ({}): {}{open}{class}",
            outage.target,
            outage.from.latest_ns,
            outage.cause(),
            outage.reason
        )
    };
    let unseen = |hole: &grenadier_probe::Unseen| {
        let (length, from) = (format_duration(Duration::from_nanos(hole.length_ns())), hole.from);
        format!("{} not looked at by {} from {from} for {length}: {}", hole.target, hole.client, hole.reason)
    };
    target.outages.iter().map(line).chain(target.unseen.iter().map(unseen)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Subject;
    use crate::testing::{Run, bare, swap};

    fn made(run: &Run) -> CheckResult {
        Outage.make(&run.facts())
    }

    #[test]
    fn an_outage_within_the_budget_passes_and_names_its_step() {
        let result = made(&swap());
        assert_eq!(result.status, CheckStatus::Pass);
        assert_eq!(result.message, "at most 41s in the upgrade (shop), 12s in the rollback (shop); 1m30s allowed");
        assert_eq!(result.evidence[0], "shop from 1m40s for 41s (power-off-old): machine haproxy is off");
    }

    #[test]
    fn an_outage_above_the_budget_fails_in_either_part() {
        let mut run = swap();
        run.expect.outage_at_most = Some(Duration::from_secs(40));
        let result = made(&run);
        assert_eq!(result.status, CheckStatus::Fail);
        assert_eq!(result.message, "shop was unreachable for 41s in the upgrade, 40s allowed (and 1 more)");
        run.expect.outage_at_most = Some(Duration::from_secs(41));
        assert_eq!(made(&run).status, CheckStatus::Pass);
        let mut run = swap();
        run.shift_end_of_last_outage(100);
        assert!(made(&run).message.contains("1m52s in the rollback"), "{}", made(&run).message);
    }

    #[test]
    fn bounds_are_judged_by_the_upper_one() {
        let mut run = swap();
        run.blur_ns(10_000_000);
        run.expect.outage_at_most = Some(Duration::from_secs(41));
        let result = made(&run);
        assert_eq!(result.status, CheckStatus::Fail);
        assert!(result.message.contains("possibly unreachable for 40.99s to 41.01s"), "{}", result.message);
    }

    #[test]
    fn a_refused_upgrade_has_no_budget() {
        let mut run = swap();
        run.expect.outage_at_most = None;
        run.expect.outcome = Outcome::Refused;
        assert_eq!(made(&run).status, CheckStatus::Fail);
        run.expect.outcome = Outcome::Upgraded;
        let result = made(&run);
        assert_eq!((result.status, result.applies), (CheckStatus::NotCovered, false));
    }

    #[test]
    fn a_target_that_never_answered_fails_without_a_budget_too() {
        let mut run = swap();
        run.expect.outage_at_most = None;
        run.never_up("api");
        assert_eq!(made(&run).message, "api never answered");
        assert_eq!(made(&run).status, CheckStatus::Fail);
    }

    #[test]
    fn a_target_that_came_up_only_with_the_upgrade_was_never_promised() {
        let mut run = swap();
        run.up_from("api", 150);
        assert_eq!(made(&run).message, "api did not answer before the upgrade");
        assert_eq!(made(&run).status, CheckStatus::Fail);
    }

    #[test]
    fn a_run_that_never_verified_watched_nothing() {
        let mut run = swap();
        run.without_phases();
        let result = made(&run);
        assert_eq!((result.status, result.applies), (CheckStatus::NotCovered, true));
        assert!(result.message.starts_with("shop was not watched: the run never came to"), "{}", result.message);
    }

    #[test]
    fn what_nobody_saw_is_never_no_outage() {
        // 41 s of the upgrade were lost, 90 s are allowed.
        let mut run = swap();
        run.unseen("shop", 145, 40);
        let result = made(&run);
        assert_eq!(result.status, CheckStatus::Pass, "{}", result.message);
        assert!(
            result.evidence.contains(&"shop not looked at by client from 2m25s for 40s: it stood still".to_owned())
        );
        run.unseen("shop", 190, 10);
        let result = made(&run);
        assert_eq!((result.status, result.applies), (CheckStatus::NotCovered, true));
        assert!(
            result.message.starts_with("client did not look at shop (http-new) for 50s of the upgrade"),
            "{}",
            result.message
        );
        // An outage that is seen to be too long stays one.
        run.expect.outage_at_most = Some(Duration::from_secs(40));
        assert_eq!(made(&run).status, CheckStatus::Fail);
    }

    #[test]
    fn a_kind_that_cannot_look_here_is_not_covered_by_name() {
        let mut run = swap();
        run.not_covered("shop");
        let result = made(&run);
        assert_eq!((result.status, result.applies), (CheckStatus::NotCovered, true));
        assert_eq!(result.message, "udp of shop is not covered: there are no datagrams");
    }

    #[test]
    fn a_target_nobody_watched_is_not_covered() {
        let mut run = swap();
        run.unwatched("api");
        let result = made(&run);
        assert_eq!((result.status, result.applies), (CheckStatus::NotCovered, true));
        assert_eq!(result.message, "no probe watched api");
        let run: Run = bare();
        let _subject: &Subject = &run.subject;
        assert_eq!(made(&run).message, "there is no target");
    }
}
