//! The docker world from the command line: the real HAProxy, and nothing left behind.
//!
//! Where no Docker engine answers, each test says `not covered` and why; it needs the images (`grenadier images`).

use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use grenadier_catalog::{Named as _, TimingField};

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

/// A document is as its schema says.
fn assert_fits(document: &str, found: &serde_json::Value) {
    let schema = Command::new(PROGRAM).args(["schema", "--output", document]).output().unwrap();
    let schema = serde_json::from_slice(&schema.stdout).unwrap();
    jsonschema::validate(&schema, found).unwrap();
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

/// Preloaded, it tells a program a wall-clock time that is shifted by what a file says (Debian's `libfaketime`).
fn shifting() -> String {
    format!("/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1", std::env::consts::ARCH)
}

#[test]
fn a_wall_clock_that_jumps_changes_nothing() {
    use std::io::{BufRead, BufReader};
    let shifting = shifting();
    if !std::path::Path::new(&shifting).exists() {
        return println!("not covered: libfaketime is not installed");
    }
    let _alone = alone();
    if on_an_engine(&["doctor"]).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let shift = directory.path().join("shift");
    let shifted = |command: &mut Command| {
        command.env("LD_PRELOAD", &shifting).env("FAKETIME_TIMESTAMP_FILE", &shift);
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1").stdout(Stdio::piped()).spawn()
    };
    let clock = || {
        let output = shifted(Command::new("date").arg("+%s")).unwrap().wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse::<i64>().unwrap()
    };
    std::fs::write(&shift, "+0").unwrap();
    let (began, out) = (clock(), directory.path().join("run"));
    let swap = ["run", "haproxy-appliance-swap", "--world", "docker", "--seed", "43", "--out"];
    let mut child = shifted(Command::new(PROGRAM).args(swap).arg(&out)).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    for (step, by, least, most) in [("deploy-new", "+2h", 7_200, 9_000), ("power-on-new", "-3d", -259_200, -250_000)] {
        let is_past = |line: String| line.trim_start().starts_with("STEP") && line.trim_end().ends_with(step);
        assert!(lines.by_ref().any(is_past), "the run ended before {step} had passed");
        std::fs::write(&shift, by).unwrap();
        let jumped = clock() - began;
        assert!((least..most).contains(&jumped), "{by} was {jumped} s");
    }
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let found = std::fs::read_to_string(out.join("verdict.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&found).unwrap()["verdict"], "passed", "{found}");
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
        assert_fits("compare", &found);
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
fn a_calibration_times_the_virtual_world() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("timing.json");
    let out = path.to_str().unwrap();
    let Some(output) = on_an_engine(&["calibrate", "--runs", "1", "--format", "json", "--out", out]) else { return };
    let found = verdict(&output);
    assert_eq!(output.status.code(), Some(0), "{found:#}");
    assert_fits("calibrate", &found);
    assert_eq!(std::fs::read(&path).unwrap(), output.stdout);
    let names: Vec<&str> = found["profile"].as_object().unwrap().keys().map(String::as_str).collect();
    let all: Vec<&str> = TimingField::ALL.iter().map(|field| field.name()).collect();
    assert!(all.iter().all(|name| names.contains(name)), "every length was measured or set: {names:?}");

    let virtually = ["run", "haproxy-appliance-swap", "--format", "json", "--no-folder"];
    let run = |more: &[&str]| verdict(&on_an_engine(&[&virtually[..], more].concat()).expect("it needs no engine"));
    let (timed, usual) = (run(&["--timing", out]), run(&[]));
    let outage =
        |verdict: &serde_json::Value| verdict["targets"][0]["totals"][0]["length"]["upper_ns"].as_u64().unwrap();
    // Half a minute of the reference is the neighbour table with the timers of a real installation.
    assert!(outage(&timed) < outage(&usual), "{} and {} ns", outage(&timed), outage(&usual));
    assert_eq!((&timed["verdict"], &timed["run"]["profile"]), (&"passed".into(), &"own".into()), "{timed:#}");
    let row = &found["outages"][0];
    assert_eq!(row["length"]["virtual"]["upper_ns"], outage(&timed), "{row}");
    let docker = ["run", "haproxy-appliance-swap", "--world", "docker", "--timing", out];
    assert_eq!(on_an_engine(&docker).expect("it is refused before").status.code(), Some(2));
    assert_eq!(left_behind(), Vec::<String>::new());
}

#[test]
fn runs_side_by_side_keep_out_of_each_others_way() {
    let _alone = alone();
    // Whether there is an engine at all is asked once, and not by both.
    let Some(doctor) = on_an_engine(&["doctor"]) else { return };
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("network faults  pause, partition, delay and loss can be made"), "{said}");
    let place = tempfile::tempdir().unwrap();
    let started = ["61", "62"].map(|seed| {
        let mut command = Command::new(PROGRAM);
        command.args(["run", "haproxy-appliance-upgrade", "--world", "docker", "--format", "json", "--seed", seed]);
        command.arg("--out").arg(place.path().join(seed)).stdout(Stdio::piped()).stderr(Stdio::piped());
        (seed, command.spawn().expect("the program starts"))
    });
    let mut networks = std::collections::BTreeSet::new();
    for (seed, child) in started {
        let output = child.wait_with_output().unwrap();
        let found = verdict(&output);
        assert_eq!((&found["verdict"], output.status.code()), (&"passed".into(), Some(0)), "{seed}: {found:#}");
        let events = std::fs::read_to_string(place.path().join(seed).join("events.jsonl")).unwrap();
        let events = events.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut owned = events.filter(|event| event["kind"] == "address-owners" && event["segment"] == "frontend");
        let address = owned.next().expect("somebody owns an address")["address"].as_str().unwrap().to_owned();
        // A block is a /20: three bytes and a half of the address name it.
        let block: Vec<u32> = address.split(['.', '/']).take(3).map(|byte| byte.parse().unwrap()).collect();
        assert!(networks.insert((block[1], block[2] / 16)), "{seed}: {address} in {networks:?}");
    }
    assert_eq!(left_behind(), Vec::<String>::new());
}

#[test]
fn both_worlds_agree_about_a_partition() {
    silent_in_both_worlds("power-on-new=partition:new-appliance:10s");
}

#[test]
fn both_worlds_agree_about_a_pause() {
    silent_in_both_worlds("verify-routes=pause:new-appliance:10s");
}

/// Compares the worlds under a fault for which the new appliance answers for no address for 10 s.
fn silent_in_both_worlds(fault: &str) {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
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
