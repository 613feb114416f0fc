//! The engine's process is killed with SIGKILL in the docker world, and another one goes on or goes back, with the real HAProxy: at
//! single places, and in runs in which one process after the other is killed at the next place, at every step.
//!
//! Where no Docker engine answers, each test says by its name that it is not covered; it needs the images (`grenadier images`).

use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use grenadier_scenario::embedded;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_grenadier");

/// One run at a time: they would only wait for each other.
static ONE: Mutex<()> = Mutex::new(());

/// Where a process of the engine is killed, how, and what the next one is asked for.
type Kill = (&'static str, &'static str, &'static str);

/// A run of the swap whose engine is killed.
struct Killed<'a> {
    kills: &'a [Kill],
    rollback: &'static str,
    outcome: &'static str,
    /// Each process of the engine: what it was asked for, and how it ended.
    engine: &'a [(&'static str, i64)],
}

/// Runs it; what the journal then says (`grenadier engine status`), and the log. None, with a line that says so, where there is no
/// engine to run on.
fn survives(name: &str, killed: &Killed<'_>) -> Option<(Value, String)> {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Killed { kills, rollback, outcome, engine } = killed;
    let found = embedded().iter().find(|scenario| scenario.name == "haproxy-appliance-swap").expect("it is embedded");
    let mut text = found.source.to_owned();
    let faults: String =
        kills.iter().map(|(at, fault, then)| format!("  - {{at: {at}, do: {fault}, then: {then}}}\n")).collect();
    for (old, new) in [
        ("rollback: always\n", format!("rollback: {rollback}\nfaults:\n{faults}")),
        ("outcome: upgraded", format!("outcome: {outcome}")),
    ] {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, &new);
    }
    let place = tempfile::tempdir().unwrap();
    let scenario = place.path().join("killed.yaml");
    std::fs::write(&scenario, text).unwrap();
    let folder = place.path().join("run");
    let output = run(&[scenario.as_path(), folder.as_path()]);
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.code() == Some(3) && [&said, &printed].iter().any(|text| text.contains("Docker engine at")) {
        println!("not covered: {name}: no Docker engine");
        return None;
    }
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(verdict["verdict"], "passed", "{verdict:#}");
    let wanted: Vec<String> = kills.iter().map(|(at, fault, then)| format!("{at}: {fault}:{then}")).collect();
    assert_eq!(verdict["faults"], Value::from(wanted), "not every process was killed where it should be");
    let lines = verdict["engine"].as_array().unwrap();
    let lines: Vec<_> =
        lines.iter().map(|line| (line["verb"].as_str().unwrap(), line["exit_code"].as_i64().unwrap())).collect();
    assert_eq!(lines, *engine, "{:#}", verdict["engine"]);
    let said = std::fs::read_to_string(folder.join("engine/output.log")).unwrap();
    assert_eq!(said.matches("was killed: signal: 9 (SIGKILL)").count(), kills.len(), "{said}");
    // Its calls are in the log under their addresses, as those of an engine in the runner's own process are.
    let events = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
    assert!(events.contains(r#""address":"deploy-new/vsphere.ImportVApp#1""#));
    let status = Command::new(PROGRAM)
        .args(["engine", "status", "--format", "json", "--journal"])
        .arg(folder.join("engine/journal.sqlite"))
        .output()
        .unwrap();
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let ends = if *rollback == "always" { "rolled-back" } else { outcome };
    assert_eq!(status["state"], ends, "{status}");
    Some((status, events))
}

fn run(paths: &[&std::path::Path; 2]) -> Output {
    let arguments = ["run", "--world", "docker", "--format", "json", "--out"];
    Command::new(PROGRAM).args(arguments).arg(paths[1]).arg(paths[0]).output().expect("the program runs")
}

#[test]
fn killed_between_power_off_old_and_power_on_new_it_rolls_back() {
    survives(
        "killed_between_power_off_old_and_power_on_new_it_rolls_back",
        &Killed {
            kills: &[("power-off-old", "crash-journaled", "rollback")],
            rollback: "on-failure",
            outcome: "rolled-back",
            engine: &[("upgrade", -9), ("rollback", 0)],
        },
    );
}

#[test]
fn killed_after_power_on_new_it_resumes() {
    survives(
        "killed_after_power_on_new_it_resumes",
        &Killed {
            kills: &[("power-on-new/vsphere.PowerOnVM_Task#1", "crash-after", "resume")],
            rollback: "always",
            outcome: "upgraded",
            engine: &[("upgrade", -9), ("resume", 0), ("rollback", 0)],
        },
    );
}

/// The steps of the upgrade, in order.
const STEPS: [&str; 11] = [
    "check-prerequisites",
    "read-appliance",
    "copy-certificates",
    "save-customisations",
    "deploy-new",
    "power-off-old",
    "power-on-new",
    "verify-services",
    "reapply-customisations",
    "verify-addresses",
    "verify-routes",
];

/// The moments of a step: nothing of it has happened; its effect is there, and the journal does not know; the journal knows.
const MOMENTS: [&str; 3] = ["crash-before", "crash-after", "crash-journaled"];

/// The places of a rollback that keeps the new machine. The steps that come before the first one have no effect to take back, and
/// the journal has them when that one begins; the same holds of each step and the first call of the next. A call that is made
/// again by the next process has the next number.
const ROLLBACK: [(&str, &str); 6] = [
    ("power-on-new/vsphere.FindByInventoryPath#1", "crash-before"),
    ("power-on-new/vsphere.ShutdownGuest#1", "crash-before"),
    ("power-on-new/vsphere.ShutdownGuest#2", "crash-after"),
    ("power-off-old/vsphere.FindByInventoryPath#1", "crash-before"),
    ("power-off-old/vsphere.PowerOnVM_Task#1", "crash-before"),
    ("power-off-old/vsphere.PowerOnVM_Task#2", "crash-after"),
];

/// What a rollback that does not keep the new machine goes on with.
const REMOVAL: [(&str, &str); 2] =
    [("deploy-new/vsphere.Destroy_Task#1", "crash-before"), ("deploy-new/vsphere.Destroy_Task#2", "crash-after")];

/// The processes of a run: each of `killed` of this verb is killed, and the last one of the verb `then` ends so.
fn processes(first: &'static str, killed: usize, then: &'static str, exit_code: i64) -> Vec<(&'static str, i64)> {
    let mut processes = vec![(then, -9); killed];
    processes[0].0 = first;
    processes.push((then, exit_code));
    processes
}

#[test]
fn killed_at_every_moment_of_every_step_it_resumes() {
    let upgrade = STEPS.iter().flat_map(|step| MOMENTS.map(|moment| (*step, moment, "resume")));
    let rollback = ROLLBACK.map(|(at, fault)| (at, fault, "resume"));
    let kills: Vec<Kill> = upgrade.chain(rollback).collect();
    let upgrade = processes("upgrade", STEPS.len() * MOMENTS.len(), "resume", 0);
    let rollback = processes("rollback", ROLLBACK.len(), "resume", 10);
    let killed =
        Killed { kills: &kills, rollback: "always", outcome: "upgraded", engine: &[upgrade, rollback].concat() };
    let Some((status, events)) = survives("killed_at_every_moment_of_every_step_it_resumes", &killed) else { return };
    let steps: Vec<_> = status["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, STEPS, "there is a step at which nobody was killed");
    // A step is repeated where the journal did not know that it was done, and only there.
    for step in STEPS {
        assert_eq!(begun(&events, step, "apply"), 2, "{step}");
    }
    taken_back(&events, &ROLLBACK);
    // Its effect was found and not brought about again, even so.
    for once in
        ["deploy-new/vsphere.ImportVApp", "power-off-old/vsphere.ShutdownGuest", "power-on-new/vsphere.PowerOnVM_Task"]
    {
        assert!(events.contains(&format!(r#""address":"{once}#1""#)), "{once}");
        assert!(!events.contains(&format!(r#""address":"{once}#2""#)), "{once}");
    }
}

/// How often a verb of a step was begun.
fn begun(events: &str, step: &str, verb: &str) -> usize {
    events.matches(&format!(r#""kind":"step-started","step":"{step}","verb":"{verb}""#)).count()
}

/// Each step was taken back once, and once more for each process that was killed while it did, and for each that found what the
/// one before it had ordered under way: a machine that goes while it is looked at.
fn taken_back(events: &str, places: &[(&str, &str)]) {
    for step in STEPS.into_iter().filter(|step| begun(events, step, "undo") > 0) {
        let killed = places.iter().filter(|(at, _)| at.split_once('/').is_some_and(|(of, _)| of == step)).count();
        let error = "RetrievePropertiesEx failed: ManagedObjectNotFound";
        let under_way = format!(r#""kind":"step-finished","step":"{step}","verb":"undo","error":"{error}"#);
        let again = killed + events.matches(&under_way).count();
        assert_eq!(begun(events, step, "undo"), 1 + again, "{step}");
    }
}

/// Kills the upgrade in a step, and each process of its rollback at the next place; the last one comes to its end.
fn rolls_back(name: &str, from: (&'static str, &'static str), places: &[(&'static str, &'static str)]) {
    let kills: Vec<Kill> = std::iter::once(&from).chain(places).map(|(at, fault)| (*at, *fault, "rollback")).collect();
    let engine = processes("upgrade", kills.len(), "rollback", 0);
    let killed = Killed { kills: &kills, rollback: "on-failure", outcome: "rolled-back", engine: &engine };
    if let Some((_, events)) = survives(name, &killed) {
        taken_back(&events, places);
    }
}

#[test]
fn killed_in_deploy_new_and_wherever_it_goes_back_it_rolls_back() {
    let name = "killed_in_deploy_new_and_wherever_it_goes_back_it_rolls_back";
    rolls_back(name, ("deploy-new", "crash-after"), &REMOVAL);
}

#[test]
fn killed_in_power_off_old_and_wherever_it_goes_back_it_rolls_back() {
    let name = "killed_in_power_off_old_and_wherever_it_goes_back_it_rolls_back";
    let places = [&ROLLBACK[3..], &REMOVAL].concat();
    rolls_back(name, ("power-off-old", "crash-after"), &places);
}

#[test]
fn killed_in_power_on_new_and_wherever_it_goes_back_it_rolls_back() {
    let name = "killed_in_power_on_new_and_wherever_it_goes_back_it_rolls_back";
    rolls_back(name, ("power-on-new", "crash-after"), &ROLLBACK[..3]);
}

#[test]
fn killed_at_its_end_and_wherever_it_goes_back_it_rolls_back() {
    let name = "killed_at_its_end_and_wherever_it_goes_back_it_rolls_back";
    rolls_back(name, ("verify-routes", "crash-journaled"), &[&ROLLBACK[..], &REMOVAL].concat());
}
