//! The docker world from the command line: the real HAProxy, and nothing left behind.
//!
//! Where no Docker engine answers, each test says `not covered` and why; it needs the images (`grenadier images`).

use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

const PROGRAM: &str = env!("CARGO_BIN_EXE_grenadier");

/// A run measures outages in real time, so each has the machine for itself.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the program; none, with a line that says so, where there is no engine to run on.
fn on_an_engine(arguments: &[&str]) -> Option<Output> {
    let output = Command::new(PROGRAM).args(arguments).output().expect("the program runs");
    // For programs an error is printed where the verdict would be.
    let said = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    if output.status.code() == Some(3) && said.contains("Docker engine at") {
        println!("not covered: no Docker engine ({})", said.lines().next().unwrap_or_default());
        return None;
    }
    Some(output)
}

/// What `grenadier clean` finds of runs whose owner is gone. Runs of other tests are alive and left alone.
fn left_behind() -> Vec<String> {
    let output = Command::new(PROGRAM).arg("clean").output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.starts_with("removed")).map(str::to_owned).collect()
}

fn verdict(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn start(directory: &tempfile::TempDir) -> Child {
    Command::new(PROGRAM)
        .args(["run", "haproxy-appliance-swap", "--world", "docker", "--seed", "41", "--out"])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Waits until the run has machines: its first phase has passed.
fn wait_for_base(child: &mut Child) {
    use std::io::{BufRead, BufReader};
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let found = lines.map_while(Result::ok).any(|line| line.contains("PASS") && line.contains("base"));
    assert!(found, "the run ended before its base stood");
}

// One test, because the three runs would only wait for each other on two cores.
#[test]
fn the_swap_passes_with_the_real_haproxy_and_leaves_nothing() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let swap = ["run", "haproxy-appliance-swap", "--world", "docker", "--format", "json", "--out", out];
    let Some(output) = on_an_engine(&swap) else { return };
    let found = verdict(&output);
    assert_eq!(found["verdict"], "passed", "{}", serde_json::to_string_pretty(&found).unwrap());
    assert_eq!(output.status.code(), Some(0));
    let outage = &found["targets"][0]["totals"][0]["length"];
    let (lower, upper) = (outage["lower_ns"].as_u64().unwrap(), outage["upper_ns"].as_u64().unwrap());
    assert!(lower > 0 && lower < upper, "a measured outage has bounds that differ: {lower} to {upper}");
    assert_eq!(left_behind(), Vec::<String>::new());

    // Interrupted: it cleans up and says so.
    let mut child = start(&directory);
    wait_for_base(&mut child);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(4));
    assert_eq!(left_behind(), Vec::<String>::new());

    // Killed: `clean` and the supervisor may meet, and the first call here removes what it finds. This shows that nothing
    // resists being removed; that the supervisor does it alone is shown by the docker fleet's own test of a killed owner.
    let mut child = start(&directory);
    wait_for_base(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    left_behind();
    assert_eq!(left_behind(), Vec::<String>::new());
}

#[test]
fn a_case_of_the_virtual_world_is_replayed_with_the_real_haproxy() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let fault = "power-on-new/vsphere.PowerOnVM_Task#1=lost-reply";
    let run = ["run", "haproxy-appliance-swap", "--fault", fault, "--quiet", "--out", out];
    assert!(Command::new(PROGRAM).args(run).output().unwrap().status.success());
    let case = directory.path().join("case.yaml");
    let again = directory.path().join("docker");
    let replay = ["replay", case.to_str().unwrap(), "--world", "docker", "--format", "json", "--out"];
    let Some(output) = on_an_engine(&[&replay[..], &[again.to_str().unwrap()]].concat()) else { return };
    let found = verdict(&output);
    assert_eq!((found["verdict"].as_str(), output.status.code()), (Some("passed"), Some(0)), "{found:#}");
    assert_eq!(found["run"]["world"], "docker");
    // The task did its work, its answer was lost, and the engine looked before it asked again.
    let events = std::fs::read_to_string(again.join("events.jsonl")).unwrap();
    let calls: Vec<serde_json::Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let call = |event: &&serde_json::Value| {
        event["kind"] == "call"
            && event["address"].as_str().unwrap().starts_with("power-on-new/vsphere.PowerOnVM_Task#")
    };
    let power_on: Vec<_> = calls.iter().filter(call).map(|event| event["result"].to_string()).collect();
    assert!(power_on.len() == 1 && power_on[0].contains("lost"), "{power_on:?}");
}

#[test]
fn both_worlds_agree_about_a_refusal_and_about_an_upgrade() {
    let _alone = alone();
    for scenario in ["haproxy-appliance-refuse-certificate-missing", "haproxy-appliance-upgrade"] {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().to_str().unwrap();
        let Some(output) = on_an_engine(&["compare", scenario, "--format", "json", "--out", out]) else { return };
        let found = verdict(&output);
        assert_eq!((&found["agrees"], output.status.code()), (&serde_json::json!(true), Some(0)), "{found:#}");
        let schema = Command::new(PROGRAM).args(["schema", "--output", "compare"]).output().unwrap();
        let schema = serde_json::from_slice(&schema.stdout).unwrap();
        jsonschema::validate(&schema, &found).unwrap();
        let covered = |check: &&serde_json::Value| {
            check["status"]["virtual"] != "not-covered" && check["status"]["docker"] != "not-covered"
        };
        assert!(found["checks"].as_array().unwrap().iter().filter(covered).count() >= 7, "{found:#}");
        for world in ["virtual", "docker"] {
            assert!(directory.path().join(world).join("report.html").exists(), "{world}");
        }
    }
}

#[test]
fn both_worlds_agree_about_a_partition() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let fault = "power-on-new=partition:new-appliance:10s";
    let compare = ["compare", "haproxy-appliance-swap", "--fault", fault, "--format", "json", "--out", out];
    let Some(output) = on_an_engine(&compare) else { return };
    let found = verdict(&output);
    assert_eq!((&found["agrees"], output.status.code()), (&serde_json::json!(true), Some(0)), "{found:#}");
    for world in ["virtual", "docker"] {
        let events = std::fs::read_to_string(directory.path().join(world).join("events.jsonl")).unwrap();
        let events: Vec<serde_json::Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let time_ns = |event: &serde_json::Value| event["t_ns"].as_u64().unwrap();
        let struck_ns = time_ns(events.iter().find(|event| event["kind"] == "fault-injected").expect(world));
        let owns = |event: &&serde_json::Value| event["owners"].to_string().contains("haproxy-v0.2.0");
        let cut_off = struck_ns..struck_ns + 10_000_000_000;
        let heard: Vec<_> = events.iter().filter(owns).filter(|event| cut_off.contains(&time_ns(event))).collect();
        assert!(heard.is_empty(), "{world}: it answers for addresses while it is cut off: {heard:?}");
        assert!(events.iter().filter(owns).any(|event| time_ns(event) >= cut_off.end), "{world}: it never came back");
    }
}
