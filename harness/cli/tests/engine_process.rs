//! The engine as a process of its own in the virtual world: time stands still while it computes, and the run is the same as
//! with an engine in the runner's own process.
#![allow(clippy::disallowed_methods, reason = "these tests start processes")]

use grenadier_catalog::{Check as Name, Outcome};
use grenadier_checks::Word;
use grenadier_clock::Seed;
use grenadier_events::{CheckStatus, EventLog};
use grenadier_runner::{EngineProgram, Options, RunOutput, run_virtual_with};
use grenadier_scenario::{Scenario, embedded, parse};

fn scenario(name: &str) -> Scenario {
    let found = embedded().iter().find(|scenario| scenario.name == name).expect("it comes with the product");
    parse(found.source, found.path).expect("it is one")
}

fn run(scenario: &Scenario, engine: Option<EngineProgram>) -> RunOutput {
    let options = Options { engine, ..Options::default() };
    run_virtual_with(scenario, Seed(scenario.seed), "", EventLog::default(), &options)
}

fn own_process(folder: &tempfile::TempDir) -> Option<EngineProgram> {
    let program = env!("CARGO_BIN_EXE_grenadier").into();
    Some(EngineProgram { program, folder: folder.path().join("engine") })
}

#[test]
fn every_call_and_every_nanosecond_is_as_in_the_runners_own_process() {
    for name in ["haproxy-appliance-swap", "haproxy-appliance-upgrade", "haproxy-appliance-power-on-fails"] {
        let folder = tempfile::tempdir().unwrap();
        let scenario = scenario(name);
        let (inside, outside) = (run(&scenario, None), run(&scenario, own_process(&folder)));
        let (inside, outside) = (inside.log.events(), outside.log.events());
        let differs = inside.iter().zip(&outside).position(|(inside, outside)| inside != outside);
        if let Some(at) = differs {
            panic!("{name}: event {at} is {:?} instead of {:?}", outside[at], inside[at]);
        }
        assert_eq!(inside.len(), outside.len(), "{name}");
    }
}

#[test]
fn a_refusal_is_told_with_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&scenario("haproxy-appliance-refuse-target-not-newer"), own_process(&folder));
    assert_eq!(output.verdict.verdict, Word::Passed, "{:#?}", output.verdict.reasons);
    let line = &output.verdict.engine[0];
    assert_eq!((line.rule.as_deref(), line.exit_code), (Some("target-not-newer"), Some(20)));
}

/// The places at which a process is killed, `rollback: always`, so that those in steps' undo are reached too.
const PLACES: [(&str, &str); 12] = [
    ("deploy-new/vsphere.ImportVApp#1", "crash-after"),
    ("power-off-old", "crash-before"),
    ("power-off-old/vsphere.ShutdownGuest#1", "crash-after"),
    ("power-off-old", "crash-journaled"),
    ("power-on-new/vsphere.PowerOnVM_Task#1", "crash-before"),
    ("power-on-new/vsphere.PowerOnVM_Task#1", "crash-after"),
    ("power-on-new", "crash-after"),
    // One of several calls that are on their way.
    ("verify-addresses/shell.curl#2", "crash-before"),
    ("verify-addresses/shell.curl#2", "crash-after"),
    ("verify-routes", "crash-journaled"),
    // The rollback.
    ("power-on-new/vsphere.ShutdownGuest#1", "crash-after"),
    ("power-off-old/vsphere.PowerOnVM_Task#1", "crash-before"),
];

/// The swap with one process killed at a place, and another one asked for `then`.
fn killed(place: &str, fault: &str, then: &str) -> Scenario {
    let found = embedded().iter().find(|scenario| scenario.name == "haproxy-appliance-swap").expect("it is embedded");
    let faults = format!("rollback: always\nfaults:\n  - {{at: {place}, do: {fault}, then: {then}}}");
    assert_eq!(found.source.matches("rollback: always").count(), 1);
    parse(&found.source.replace("rollback: always", &faults), found.path).expect("it is a scenario")
}

#[test]
fn a_killed_process_leaves_what_one_that_crashes_in_the_runner_leaves() {
    for (place, fault) in PLACES {
        for then in ["resume", "rollback"] {
            let folder = tempfile::tempdir().unwrap();
            let scenario = killed(place, fault, then);
            let (inside, outside) = (run(&scenario, None), run(&scenario, own_process(&folder)));
            let at = format!("{fault} at {place}, then {then}");
            assert_eq!(outside.verdict.faults.len(), 1, "{at}: nothing was killed");
            let output = std::fs::read_to_string(folder.path().join("engine/output.log")).unwrap();
            assert!(output.contains("was killed: signal: 9 (SIGKILL)"), "{at}: {output:?}");
            assert!(outside.verdict.engine.iter().any(|line| line.exit_code == Some(-9)), "{at}");
            assert!(inside.log.events() == outside.log.events(), "{at}: the two runs differ");
            // Who is rolled back before the end of the upgrade misses the outcome that the scenario expects, and nothing else.
            let failed: Vec<Name> = outside
                .verdict
                .checks
                .iter()
                .filter(|line| line.result.status == CheckStatus::Fail)
                .map(|line| line.result.check)
                .collect();
            let upgraded = outside.verdict.engine.iter().any(|line| line.outcome == Some(Outcome::Upgraded));
            let may_fail: &[Name] = if upgraded { &[] } else { &[Name::Outcome] };
            assert!(failed.iter().all(|check| may_fail.contains(check)), "{at}: {:#?}", outside.verdict.reasons);
            assert!(!upgraded || outside.verdict.verdict == Word::Passed, "{at}: {:#?}", outside.verdict.reasons);
        }
    }
}
