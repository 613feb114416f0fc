//! Every leap from a generation of HAProxy to one that is not older, in the docker world: which HAProxy really serves before the
//! upgrade, after it and after the rollback is told by the running worker itself, in the captured states.
//!
//! Where no Docker engine answers, the test says `not covered` and why; it needs the images (`grenadier images`).

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_grenadier");

/// The generations, oldest first: HAProxy's version and the Debian release whose image has it.
const GENERATIONS: [(&str, &str); 3] = [("2.2.9", "bullseye"), ("2.6.12", "bookworm"), ("3.0.11", "trixie")];

/// A scenario from an appliance with one HAProxy inside to one with another. The appliance itself differs as v0.1.10 and v0.2.0
/// do; with `older` the target is the one before the base.
fn scenario(base: (&str, &str), target: (&str, &str), older: bool) -> String {
    let version = |like: &str, number: &str, (haproxy, suite): (&str, &str)| {
        format!(
            "{{like: {like}, version: {number}, with: {{haproxy: {haproxy}}}, image: grenadier/haproxy-appliance:{suite}}}"
        )
    };
    let from = version("v0.1.10", "v0.2.1", base);
    let to = version("v0.2.0", if older { "v0.2.0" } else { "v0.3.0" }, target);
    let expect = if older {
        "{outcome: refused, refused-by: target-not-newer, outage: {at-most: 0s}, restored: true}"
    } else {
        "{outcome: upgraded, outage: {at-most: 90s}, restored: true, residuals: [new-appliance-powered-off]}"
    };
    let rollback = if older { "never" } else { "always" };
    format!(
        "name: generations\nsystem: haproxy-appliance\nfrom: {from}\nto: {to}\n\
         topology: {{vsphere: 7.0.1, networks: frontend}}\n\
         create:\n  - load-balancer: {{name: shop, vip: frontend+20, port: 443, backends: 2}}\n\
         engine: {{procedure: hardened}}\nrollback: {rollback}\nexpect: {expect}\n"
    )
}

/// Runs a scenario in the docker world; its verdict and exit code. None, with a line that says so, where there is no engine.
fn run(source: &str, directory: &Path) -> Option<(Value, Option<i32>)> {
    let file = directory.join("generations.yaml");
    std::fs::write(&file, source).unwrap();
    let arguments = ["run", file.to_str().unwrap(), "--world", "docker", "--format", "json", "--out"];
    let output = Command::new(PROGRAM).args(arguments).arg(directory.join("run")).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(3) && said.contains("Docker engine at") {
        println!("not covered: no Docker engine ({})", said.lines().next().unwrap_or_default());
        return None;
    }
    let verdict = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    Some((verdict, output.status.code()))
}

/// The version of every HAProxy that runs, in each captured state in order: one, or there are two appliances on.
fn serving(run: &Path) -> Vec<(String, Vec<String>)> {
    let events = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let captured = events.filter(|event| event["kind"] == "captured");
    let versions = |event: Value| {
        let state = run.join("states").join(format!("{}.json", event["hash"].as_str().unwrap()));
        let state: Value = serde_json::from_slice(&std::fs::read(state).unwrap()).unwrap();
        let machines = state["children"]["machines"]["children"].as_object().unwrap().values();
        let version = |machine: &Value| {
            let haproxy = &machine["children"]["state"]["children"]["haproxy"]["children"];
            Some(haproxy["version"]["value"].as_str()?.to_owned())
        };
        (event["name"].as_str().unwrap().to_owned(), machines.filter_map(version).collect())
    };
    captured.map(versions).collect()
}

// One test, because runs in the docker world measure in real time and would only disturb each other.
#[test]
fn every_generation_is_reached_from_every_one_that_is_not_newer() {
    for (older, base) in GENERATIONS.into_iter().enumerate() {
        for target in GENERATIONS.into_iter().skip(older) {
            let directory = tempfile::tempdir().unwrap();
            let Some((verdict, code)) = run(&scenario(base, target, false), directory.path()) else { return };
            assert_eq!(
                (verdict["verdict"].as_str(), code),
                (Some("passed"), Some(0)),
                "{base:?} {target:?} {verdict:#}"
            );
            let expected = [("base", base.0), ("upgraded", target.0), ("end", base.0)];
            let expected = expected.map(|(state, version)| (state.to_owned(), vec![version.to_owned()]));
            assert_eq!(serving(&directory.path().join("run")), expected, "{base:?} to {target:?}");
        }
    }
    // What is not newer is refused, and the one before goes on.
    let directory = tempfile::tempdir().unwrap();
    let [oldest, _, newest] = GENERATIONS;
    let Some((verdict, code)) = run(&scenario(newest, oldest, true), directory.path()) else { return };
    assert_eq!((verdict["verdict"].as_str(), code), (Some("passed"), Some(0)), "{verdict:#}");
    let served = serving(&directory.path().join("run"));
    assert!(!served.is_empty() && served.iter().all(|(_, versions)| *versions == ["3.0.11"]), "{served:?}");
}
