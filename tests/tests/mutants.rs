//! Scenarios changed for the worse: the check that is there for it notices, through the whole run, and nothing else does.

use std::collections::BTreeSet;

use grenadier_catalog::{Check, Named, Outcome};
use grenadier_checks::{ExitCode, Verdict, Word};
use grenadier_events::CheckStatus;
use grenadier_tests::{run, summary, variant};

const SWAP: &str = "haproxy-appliance-swap";
const BOTH_ON: &str = "haproxy-appliance-both-on";

/// Runs the variant, which must fail by these checks and by no other; gives the verdict for a closer look.
fn fails_by(name: &str, edits: &[(&str, &str)], checks: &[Check]) -> Verdict {
    let verdict = run(&variant(name, edits)).verdict;
    let failed: BTreeSet<Check> = verdict
        .checks
        .iter()
        .filter(|line| line.result.status == CheckStatus::Fail)
        .map(|line| line.result.check)
        .collect();
    assert_eq!(failed, checks.iter().copied().collect(), "{}", summary(&verdict));
    assert_eq!((verdict.verdict, verdict.exit_code()), (Word::Failed, ExitCode::Failed), "{}", summary(&verdict));
    verdict
}

fn message(verdict: &Verdict, check: Check) -> &str {
    let line = verdict.checks.iter().find(|line| line.result.check == check);
    &line.unwrap_or_else(|| panic!("no check is called {}", check.name())).result.message
}

#[test]
fn an_outage_beyond_the_budget_fails_in_upgrade_and_rollback() {
    let verdict = fails_by(SWAP, &[("at-most: 90s", "at-most: 1s")], &[Check::Outage]);
    let text = message(&verdict, Check::Outage);
    assert!(text.starts_with("shop was unreachable for ") && text.contains("in the upgrade, 1s allowed"), "{text}");
    assert!(verdict.targets.iter().filter(|target| !target.is_canary).all(|target| target.totals.len() == 2));
}

#[test]
fn a_residual_nobody_declared_is_left_over() {
    let edits = [("residuals: [new-appliance-powered-off]", "residuals: []")];
    let verdict = fails_by(SWAP, &edits, &[Check::Leftovers, Check::Restored]);
    assert_eq!(message(&verdict, Check::Leftovers), "machine haproxy-v0.2.0 is left over");
}

#[test]
fn two_appliances_on_are_two_owners_of_every_address() {
    let edits = [("  caught-by: [unique-address-owner, outcome]\n", "")];
    let verdict = fails_by(BOTH_ON, &edits, &[Check::UniqueAddressOwner, Check::Outcome]);
    let text = message(&verdict, Check::UniqueAddressOwner);
    assert!(text.contains("haproxy and haproxy-v0.2.0 both answer"), "{text}");
}

#[test]
fn a_check_that_must_fail_and_passes_fails_the_run() {
    let edits =
        [("caught-by: [unique-address-owner, outcome]", "caught-by: [unique-address-owner, outcome, leftovers]")];
    let verdict = run(&variant(BOTH_ON, &edits)).verdict;
    assert_eq!(verdict.verdict, Word::Failed);
    assert!(verdict.reasons[0].starts_with("leftovers must fail here, but passed"), "{:?}", verdict.reasons);
}

/// Versions below v0.1.10 make new certificates at every boot, which would break the operators' pins.
#[test]
fn a_target_that_makes_new_certificates_is_given_the_old_ones() {
    let own = "to: {like: v0.2.0, version: v0.2.1, with: {regenerates-certificates: true}}";
    let verdict = run(&variant(SWAP, &[("to: v0.2.0", own)])).verdict;
    assert_eq!(verdict.verdict, Word::Passed, "{}", summary(&verdict));
    assert_eq!(message(&verdict, Check::Identity), "2 targets and the API's certificate are as they were");
}

#[test]
fn a_fault_that_found_no_place_makes_the_run_unfit() {
    let faults = "faults:\n  - {at: power-on-new/vsphere.PowerOnVM_Task#9, do: hang}\nexpect:";
    let verdict = run(&variant(SWAP, &[("expect:", faults)])).verdict;
    assert_eq!((verdict.verdict, verdict.exit_code()), (Word::Unfit, ExitCode::Environment), "{}", summary(&verdict));
    assert_eq!(verdict.not_injectable.len(), 1);
    assert!(verdict.faults.is_empty());
}

#[test]
fn an_engine_that_has_no_time_to_end_is_told_from_one_that_failed() {
    let edits = [("rollback: never", "rollback: never\nhorizon: 95s")];
    let verdict = fails_by("haproxy-appliance-upgrade", &edits, &[Check::Terminates, Check::Outcome, Check::Leftovers]);
    assert!(message(&verdict, Check::Terminates).ends_with("never ended"), "{}", summary(&verdict));
    let upgrade = &verdict.engine[0];
    assert_eq!((upgrade.exit_code, upgrade.outcome, upgrade.ended_ns), (None, None, None));
}

#[test]
fn an_upgrade_that_should_have_been_refused_fails() {
    let edits = [("outcome: upgraded", "outcome: refused\n  refused-by: topology-differs")];
    let verdict = fails_by(SWAP, &edits, &[Check::Outcome]);
    assert_eq!(verdict.engine[0].outcome, Some(Outcome::Upgraded));
}

#[test]
fn a_refusal_for_another_reason_fails() {
    let edits = [("refused-by: topology-differs", "refused-by: address-plan-differs")];
    let verdict = fails_by("haproxy-appliance-refuse-topology-differs", &edits, &[Check::Outcome]);
    assert_eq!(message(&verdict, Check::Outcome), "refused by topology-differs, address-plan-differs expected");
}

#[test]
fn a_failed_upgrade_is_not_rolled_back_by_the_runner_where_the_scenario_says_never() {
    let verdict = run(&variant(BOTH_ON, &[])).verdict;
    let rollback = verdict.phases.iter().find(|line| line.phase == "rollback");
    let rollback = rollback.expect("a phase that is skipped is listed");
    assert_eq!(rollback.message.as_deref(), Some("the scenario says never"));
    assert_eq!(verdict.engine.len(), 1, "the engine was called once");
}

/// What a failed upgrade leaves is destroyed and compared all the same.
#[test]
fn a_failed_phase_skips_what_needs_it_and_nothing_else() {
    let edits = [("rollback: never", "rollback: on-failure\nhorizon: 95s")];
    let verdict = run(&variant("haproxy-appliance-upgrade", &edits)).verdict;
    let status = |phase: &str| {
        let line = verdict.phases.iter().find(|line| line.phase == phase);
        line.and_then(|line| line.status).unwrap_or_else(|| panic!("{phase} has no end"))
    };
    use grenadier_events::PhaseStatus::{Failed, Passed, Skipped};
    assert_eq!(status("upgrade"), Failed);
    assert_eq!(status("verify-upgraded"), Skipped);
    assert_ne!(status("rollback"), Skipped, "{}", summary(&verdict));
    assert_ne!(status("compare"), Skipped);
    assert_eq!(status("destroy"), Passed);
}
