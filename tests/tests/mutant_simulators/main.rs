//! Simulators with one fault each: a check of a run, or a clause of the simulator's contract, notices.
//!
//! The judge of a row is asked twice. It is content with the sound simulator, so it is the fault that it notices.

mod dataplane;
mod fleet;

use std::process::ExitCode;

use grenadier_catalog::{Check, Named};
use grenadier_checks::{Verdict, Word};
use grenadier_clock::Seed;
use grenadier_events::{CheckStatus, EventLog};
use grenadier_runner::{Options, run_virtual_with};
use grenadier_tests::{scenario, summary};
use libtest_mimic::{Arguments, Failed, Trial};

/// A simulator with a fault, and who notices.
struct Mutant {
    name: &'static str,
    /// The behaviour that is turned over; none where the judge makes the fault itself.
    overturned: &'static str,
    judge: Judge,
}

/// Who notices.
enum Judge {
    /// A run of this scenario fails, by this check among others.
    Run(&'static str, Check),
    /// A run of this scenario fails, because this check had to fail in it and found nothing.
    Missed(&'static str, Check),
    /// A clause of the contract, for a sound simulator or for one in which a behaviour is turned over.
    Contract(&'static str, fn(Option<&str>) -> Result<(), String>),
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "revert-restores-nothing",
        overturned: "revert-restores",
        judge: Judge::Contract("what a snapshot holds comes back", fleet::a_revert_restores),
    },
    Mutant {
        name: "task-never-fails",
        overturned: "tasks-fail",
        judge: Judge::Run("haproxy-appliance-power-on-fails", Check::Outcome),
    },
    Mutant {
        name: "stale-power-state",
        overturned: "power-state-is-fresh",
        judge: Judge::Run("haproxy-appliance-upgrade", Check::Outcome),
    },
    Mutant {
        name: "certificate-ignored",
        overturned: "pinned-client-refuses-others",
        judge: Judge::Contract("a pinned client refuses another certificate", fleet::a_pin_is_held),
    },
    Mutant {
        name: "arp-without-conflict",
        overturned: "two-owners-both-answer",
        judge: Judge::Missed("haproxy-appliance-both-on", Check::UniqueAddressOwner),
    },
    Mutant {
        name: "commit-without-version-check",
        overturned: "ignores-versions",
        judge: Judge::Contract("a stale commit is refused", dataplane::a_stale_commit_is_refused),
    },
    Mutant {
        name: "destroy-removes-nothing",
        overturned: "destroy-removes",
        judge: Judge::Run("haproxy-appliance-power-on-fails", Check::Leftovers),
    },
];

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = MUTANTS
        .iter()
        .map(|mutant| {
            let judge = match &mutant.judge {
                Judge::Run(_, check) => format!("check {}", check.name()),
                Judge::Missed(_, check) => format!("a scenario that needs {} to fail", check.name()),
                Judge::Contract(clause, _) => format!("the contract: {clause}"),
            };
            Trial::test(format!("{} is caught by {judge}", mutant.name), || is_caught(mutant))
        })
        .collect();
    trials.push(Trial::test("every mutant is in the table", everything_is_there));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn is_caught(mutant: &Mutant) -> Result<(), Failed> {
    match &mutant.judge {
        Judge::Run(scenario, check) => {
            let verdict = changed(scenario, mutant.overturned)?;
            let noticed = status(&verdict, *check) == Some(CheckStatus::Fail);
            if noticed { Ok(()) } else { Err(format!("only others noticed:\n{}", summary(&verdict)).into()) }
        }
        Judge::Missed(scenario, check) => {
            let verdict = changed(scenario, mutant.overturned)?;
            let missed = format!("{} must fail here, but passed", check.name());
            let noticed = verdict.reasons.iter().any(|reason| reason.starts_with(&missed));
            if noticed { Ok(()) } else { Err(format!("{:?}\n{}", verdict.reasons, summary(&verdict)).into()) }
        }
        Judge::Contract(_, holds) => {
            holds(None).map_err(|broken| format!("the sound simulator breaks it: {broken}"))?;
            holds(Some(mutant.overturned)).map_or(Ok(()), |()| Err("nobody noticed".into()))
        }
    }
}

/// The verdict with the simulator's fault, which must fail where that without it passes.
fn changed(name: &str, overturned: &str) -> Result<Verdict, Failed> {
    let sound = verdict(name, None);
    if sound.verdict != Word::Passed {
        return Err(format!("it does not pass with the sound simulator:\n{}", summary(&sound)).into());
    }
    let verdict = verdict(name, Some(overturned));
    if verdict.verdict != Word::Failed {
        return Err(format!("nobody noticed:\n{}", summary(&verdict)).into());
    }
    Ok(verdict)
}

fn verdict(name: &str, overturned: Option<&str>) -> Verdict {
    let scenario = scenario(name);
    let options = Options { overturned: overturned.map(str::to_owned).into_iter().collect(), ..Options::default() };
    run_virtual_with(&scenario, Seed(scenario.seed), "", EventLog::default(), &options).verdict
}

fn status(verdict: &Verdict, check: Check) -> Option<CheckStatus> {
    verdict.checks.iter().find(|line| line.result.check == check).map(|line| line.result.status)
}

fn everything_is_there() -> Result<(), Failed> {
    let known = grenadier_fleet_virtual::mutants::ALL.iter().chain(&grenadier_vsphere::mutants::ALL);
    let forgotten = known.map(|behaviour| behaviour.id).filter(|id| MUTANTS.iter().all(|it| it.overturned != *id));
    let forgotten: Vec<&str> = forgotten.collect();
    if forgotten.is_empty() { Ok(()) } else { Err(format!("not in the table: {forgotten:?}").into()) }
}
