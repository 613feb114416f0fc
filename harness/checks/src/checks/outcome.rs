//! `outcome`: what the engine claims is what the world shows, and what the scenario expects.

use grenadier_catalog::{Check as Name, Named, Outcome as Claim};

use crate::{Check, CheckResult, EngineEnd, EngineFact, Facts, Shown};

/// Holds four things against each other: the engine's exit code, the outcome it claims in words, the scenario's expectation,
/// and the version the world shows.
pub(super) struct Outcome;

impl Check for Outcome {
    fn name(&self) -> Name {
        Name::Outcome
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let (mut problems, mut gaps) = (Vec::new(), Vec::new());
        let Some(upgrade) = facts.upgrade() else {
            return CheckResult::not_covered(Name::Outcome, "the engine was not started");
        };
        let expected = facts.expect.outcome;
        judge_engine(upgrade, expected, &mut problems);
        judge_rule(facts, upgrade, &mut problems, &mut gaps);
        let mut world = |fact: &EngineFact, shown: &Option<Shown>, when: &str| {
            judge_world(fact, facts.shows.base.as_ref(), shown.as_ref(), when, &mut problems, &mut gaps);
        };
        world(upgrade, &facts.shows.upgraded, "after the upgrade");
        world(facts.rollback().unwrap_or(upgrade), &facts.shows.end, "at the end");
        if let Some(rollback) = facts.rollback() {
            judge_engine(rollback, Claim::RolledBack, &mut problems);
        }
        let mut message = format!("the engine says {} and so it is", expected.name());
        if facts.rollback().is_some() {
            message += "; then rolled-back, and so it is";
        }
        CheckResult::from_lists(Name::Outcome, problems, gaps, message)
    }
}

/// Exit code, words and expectation agree.
fn judge_engine(fact: &EngineFact, expected: Claim, problems: &mut Vec<String>) {
    let verb = fact.verb;
    let Some(end) = &fact.end else {
        problems.push(format!("{verb} did not end, {} expected", expected.name()));
        return;
    };
    let by_code = verb.outcome(end.exit_code);
    match (by_code, end.outcome) {
        (None, _) => {
            let said = said(end);
            problems.push(format!("{verb} ended with exit {}, {} expected{said}", end.exit_code, expected.name()));
            return;
        }
        (Some(code), Some(words)) if code != words => {
            let (code, words) = (code.name(), words.name());
            problems.push(format!("{verb} says {words} but ends with exit {}, which is {code}", end.exit_code));
        }
        (Some(_), _) => {}
    }
    if let Some(claim) = fact.claims().filter(|claim| *claim != expected) {
        problems.push(format!("{verb} ended {}, {} expected{}", claim.name(), expected.name(), said(end)));
    }
}

fn said(end: &EngineEnd) -> String {
    match end.message.lines().next() {
        Some(line) if !line.trim().is_empty() => format!(": {}", line.trim()),
        _ => String::new(),
    }
}

fn judge_rule(facts: &Facts<'_>, upgrade: &EngineFact, problems: &mut Vec<String>, gaps: &mut Vec<String>) {
    let (Some(expected), Some(end)) = (facts.expect.refused_by, &upgrade.end) else { return };
    if upgrade.claims() != Some(Claim::Refused) {
        return;
    }
    match &end.rule {
        Some(rule) if rule == expected.name() => {}
        Some(rule) => problems.push(format!("refused by {rule}, {} expected", expected.name())),
        // An engine of somebody else's has no field for it, but may name it.
        None if end.message.contains(expected.name()) => {}
        None => gaps.push(format!("the engine does not say whether it refused by {}", expected.name())),
    }
}

/// The world shows what was claimed. `stuck` claims nothing about the world; `rolled-back` and `refused` claim that it is as it
/// was, which is not always the base version serving: an appliance may have been off before.
fn judge_world(
    fact: &EngineFact,
    before: Option<&Shown>,
    shown: Option<&Shown>,
    when: &str,
    problems: &mut Vec<String>,
    gaps: &mut Vec<String>,
) {
    let Some(claim) = fact.claims() else { return };
    let want = match claim {
        Claim::Upgraded => Shown::Upgraded,
        Claim::RolledBack | Claim::Refused => before.cloned().unwrap_or(Shown::Base),
        Claim::Stuck => return,
    };
    match shown {
        Some(shown) if *shown == want => {}
        Some(shown) => {
            problems.push(format!("the engine says {}, but the world shows {shown} {when}", claim.name()));
        }
        None => gaps.push(format!("what the world shows {when} is not known")),
    }
}

#[cfg(test)]
mod tests {
    use grenadier_catalog::RefusalRule;
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::Verb;
    use crate::testing::{Run, bare, swap};

    fn upgrade_only(exit_code: i32) -> Run {
        let mut run = swap();
        run.engine.truncate(1);
        run.engine[0].end.as_mut().unwrap().exit_code = exit_code;
        run.engine[0].end.as_mut().unwrap().outcome = None;
        run.shows.end = run.shows.upgraded.clone();
        run
    }

    fn message(run: &Run, status: CheckStatus) -> String {
        let result = Outcome.make(&run.facts());
        assert_eq!(result.status, status, "{}", result.message);
        result.message
    }

    #[test]
    fn success_over_a_half_upgraded_system_fails() {
        let mut run = upgrade_only(0);
        assert_eq!(message(&run, CheckStatus::Pass), "the engine says upgraded and so it is");
        run.shows.upgraded = Some(Shown::Both);
        run.shows.end = Some(Shown::Both);
        let text = message(&run, CheckStatus::Fail);
        assert_eq!(text, "the engine says upgraded, but the world shows both versions after the upgrade (and 1 more)");
    }

    #[test]
    fn an_engine_that_fails_with_exit_0_contradicts_itself() {
        let mut run = upgrade_only(0);
        run.engine[0].end.as_mut().unwrap().outcome = Some(Claim::Stuck);
        let text = message(&run, CheckStatus::Fail);
        assert!(text.starts_with("upgrade says stuck but ends with exit 0, which is upgraded"), "{text}");
    }

    #[test]
    fn an_exit_code_nobody_knows_is_a_failure_with_its_words() {
        let mut run = upgrade_only(1);
        run.engine[0].end.as_mut().unwrap().message = "traceback\nmore".into();
        assert_eq!(message(&run, CheckStatus::Fail), "upgrade ended with exit 1, upgraded expected: traceback");
    }

    #[test]
    fn another_outcome_than_expected_fails() {
        let mut run = upgrade_only(0);
        run.expect.outcome = Claim::RolledBack;
        assert!(message(&run, CheckStatus::Fail).starts_with("upgrade ended upgraded, rolled-back expected"));
    }

    #[test]
    fn a_refusal_is_by_the_expected_rule() {
        let mut run = upgrade_only(20);
        run.expect.outcome = Claim::Refused;
        run.expect.refused_by = Some(RefusalRule::TargetNotNewer);
        (run.shows.upgraded, run.shows.end) = (Some(Shown::Base), Some(Shown::Base));
        assert_eq!(
            message(&run, CheckStatus::NotCovered),
            "the engine does not say whether it refused by target-not-newer"
        );
        run.engine[0].end.as_mut().unwrap().message = "refused (target-not-newer)".into();
        message(&run, CheckStatus::Pass);
        run.engine[0].end.as_mut().unwrap().rule = Some("topology-differs".into());
        assert_eq!(message(&run, CheckStatus::Fail), "refused by topology-differs, target-not-newer expected");
    }

    #[test]
    fn refused_means_as_it_was_even_where_nothing_served_before() {
        let mut run = upgrade_only(20);
        run.expect.outcome = Claim::Refused;
        run.shows.base = Some(Shown::Neither);
        (run.shows.upgraded, run.shows.end) = (Some(Shown::Neither), Some(Shown::Neither));
        message(&run, CheckStatus::Pass);
        run.shows.end = Some(Shown::Base);
        let text = message(&run, CheckStatus::Fail);
        assert_eq!(text, "the engine says refused, but the world shows the base version at the end");
    }

    #[test]
    fn a_rollback_is_judged_by_what_is_there_at_the_end() {
        let mut run = swap();
        run.shows.end = Some(Shown::Mixed("haproxy is on without routes".into()));
        assert_eq!(
            message(&run, CheckStatus::Fail),
            "the engine says rolled-back, but the world shows haproxy is on without routes at the end"
        );
        assert_eq!(run.engine[1].verb, Verb::Rollback);
        run.engine[1].end = None;
        assert_eq!(message(&run, CheckStatus::Fail), "rollback did not end, rolled-back expected");
    }

    #[test]
    fn what_the_world_does_not_show_is_not_covered() {
        let mut run = swap();
        run.shows.end = None;
        assert_eq!(message(&run, CheckStatus::NotCovered), "what the world shows at the end is not known");
        assert_eq!(message(&bare(), CheckStatus::NotCovered), "the engine was not started");
    }
}
