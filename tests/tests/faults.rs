//! A fault at a call: the hardened procedure ends upgraded or rolled back, and every check passes.
//!
//! By default one call of each template that the engine makes in a step is disturbed: a call that changes something by each
//! kind of fault that makes sense there, a call that only looks by one, the kinds taking turns. With
//! `GRENADIER_FAULTS=every-call` every call suffers every kind.

use std::process::ExitCode;
use std::time::Duration;

use grenadier_catalog::{Named, Outcome, Residual};
use grenadier_checks::{Verb, Verdict, Word};
use grenadier_scenario::{Fault, Rollback, Scenario};
use grenadier_tests::{engine_calls, faults_at, one_of_each, only_looks, rollback_calls, run, scenario, summary};
use libtest_mimic::{Arguments, Failed, Trial};

/// The upgrade that is disturbed.
const UPGRADE: &str = "haproxy-appliance-upgrade";
/// The upgrade whose rollback is disturbed.
const SWAP: &str = "haproxy-appliance-swap";

fn main() -> ExitCode {
    let every_call = std::env::var("GRENADIER_FAULTS").is_ok_and(|which| which == "every-call");
    let forth = run(&scenario(UPGRADE)).log.with(engine_calls);
    let back = run(&scenario(SWAP)).log.with(rollback_calls);
    let mut trials = Vec::new();
    for (calls, verb, test) in
        [(forth, Verb::Upgrade, upgrade_survives as fn(Fault) -> _), (back, Verb::Rollback, rollback_survives)]
    {
        let calls = if every_call { calls } else { one_of_each(calls) };
        for (turn, call) in calls.iter().enumerate() {
            let mut faults = faults_at(call);
            if !every_call && only_looks(&call.template) {
                faults = vec![faults.swap_remove(turn % faults.len())];
            }
            for fault in faults {
                let name = format!("{verb}: {} at {}", fault.kind.name(), fault.at);
                trials.push(Trial::test(name, move || test(fault)));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn upgrade_survives(fault: Fault) -> Result<(), Failed> {
    let mut disturbed = disturbed(UPGRADE, fault);
    disturbed.rollback = Rollback::OnFailure;
    let first = run(&disturbed).verdict;
    let upgrade = first.engine.iter().find(|line| line.verb == Verb::Upgrade);
    if upgrade.is_none_or(|line| line.outcome != Some(Outcome::RolledBack)) {
        return passed(&first);
    }
    // Going back is as good an end, and is then held to what it promises.
    disturbed.expect.outcome = Outcome::RolledBack;
    disturbed.expect.restored = Some(true);
    disturbed.expect.residuals.retain(|residual| *residual != Residual::OldAppliancePoweredOff);
    passed(&run(&disturbed).verdict)
}

fn rollback_survives(fault: Fault) -> Result<(), Failed> {
    passed(&run(&disturbed(SWAP, fault)).verdict)
}

/// A scenario with one fault. It may take longer than an undisturbed one: a call that hangs is waited for.
fn disturbed(name: &str, fault: Fault) -> Scenario {
    let mut disturbed = scenario(name);
    disturbed.faults = vec![fault];
    disturbed.horizon = Duration::from_secs(1800);
    disturbed.expect.outage = None;
    disturbed
}

/// Also fails where the fault did not act: the verdict is then unfit.
fn passed(verdict: &Verdict) -> Result<(), Failed> {
    if verdict.verdict == Word::Passed && !verdict.faults.is_empty() { Ok(()) } else { Err(summary(verdict).into()) }
}
