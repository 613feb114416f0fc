//! The engine's process is killed with SIGKILL in the docker world, and another one goes on or goes back, with the real HAProxy.
//!
//! Where no Docker engine answers, each test says by its name that it is not covered; it needs the images (`grenadier images`).

use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use grenadier_scenario::embedded;

const PROGRAM: &str = env!("CARGO_BIN_EXE_grenadier");

/// One run at a time: they would only wait for each other.
static ONE: Mutex<()> = Mutex::new(());

/// A run of the swap whose engine is killed.
struct Killed {
    at: &'static str,
    fault: &'static str,
    then: &'static str,
    rollback: &'static str,
    outcome: &'static str,
    /// Each process of the engine: what it was asked for, and how it ended.
    engine: &'static [(&'static str, i64)],
}

/// Runs it; false, with a line that says so, where there is no engine to run on.
fn survives(name: &str, killed: &Killed) -> bool {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Killed { at, fault, then, rollback, outcome, engine } = killed;
    let found = embedded().iter().find(|scenario| scenario.name == "haproxy-appliance-swap").expect("it is embedded");
    let mut text = found.source.to_owned();
    for (old, new) in [
        ("rollback: always\n", format!("rollback: {rollback}\nfaults:\n  - {{at: {at}, do: {fault}, then: {then}}}\n")),
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
        return false;
    }
    let verdict: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(verdict["verdict"], "passed", "{}", serde_json::to_string_pretty(&verdict).unwrap());
    assert_eq!(verdict["faults"].as_array().map(Vec::len), Some(1), "nothing was killed: {}", verdict["faults"]);
    let lines = verdict["engine"].as_array().unwrap();
    let lines: Vec<_> =
        lines.iter().map(|line| (line["verb"].as_str().unwrap(), line["exit_code"].as_i64().unwrap())).collect();
    assert_eq!(lines, *engine, "{}", verdict["engine"]);
    let said = std::fs::read_to_string(folder.join("engine/output.log")).unwrap();
    assert!(said.contains("was killed: signal: 9 (SIGKILL)"), "{said}");
    // Its calls are in the log under their addresses, as those of an engine in the runner's own process are.
    let events = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
    assert!(events.contains(r#""address":"deploy-new/vsphere.ImportVApp#1""#));
    let status = Command::new(PROGRAM)
        .args(["engine", "status", "--format", "json", "--journal"])
        .arg(folder.join("engine/journal.sqlite"))
        .output()
        .unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let ends = if *rollback == "always" { "rolled-back" } else { outcome };
    assert_eq!(status["state"], ends, "{status}");
    true
}

fn run(paths: &[&std::path::Path; 2]) -> Output {
    let arguments = ["run", "--world", "docker", "--format", "json", "--out"];
    Command::new(PROGRAM).args(arguments).arg(paths[1]).arg(paths[0]).output().expect("the program runs")
}

#[test]
fn killed_before_power_off_old_it_resumes() {
    survives(
        "killed_before_power_off_old_it_resumes",
        &Killed {
            at: "power-off-old",
            fault: "crash-before",
            then: "resume",
            rollback: "always",
            outcome: "upgraded",
            engine: &[("upgrade", -9), ("resume", 0), ("rollback", 0)],
        },
    );
}

#[test]
fn killed_between_power_off_old_and_power_on_new_it_rolls_back() {
    survives(
        "killed_between_power_off_old_and_power_on_new_it_rolls_back",
        &Killed {
            at: "power-off-old",
            fault: "crash-journaled",
            then: "rollback",
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
            at: "power-on-new/vsphere.PowerOnVM_Task#1",
            fault: "crash-after",
            then: "resume",
            rollback: "always",
            outcome: "upgraded",
            engine: &[("upgrade", -9), ("resume", 0), ("rollback", 0)],
        },
    );
}

#[test]
fn killed_during_the_rollback_it_goes_on_going_back() {
    survives(
        "killed_during_the_rollback_it_goes_on_going_back",
        &Killed {
            at: "power-off-old/vsphere.PowerOnVM_Task#1",
            fault: "crash-before",
            then: "resume",
            rollback: "always",
            outcome: "upgraded",
            engine: &[("upgrade", 0), ("rollback", -9), ("resume", 10)],
        },
    );
}
