//! The folder that explains a run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grenadier_checks::{Node, Verdict};
use grenadier_clock::Seed;
use grenadier_events::{Event, Kind};
use sha2::{Digest, Sha256};

use crate::support::{Place, SWAP, files, text};

/// Runs the scenario and gives the folder it left.
fn folder(place: &Place, scenario: &str) -> PathBuf {
    let ended = place.start(&["run", scenario, "--quiet", "--out", "run", "--seed", "1"]);
    assert!(ended.code < 2, "{}{}", ended.out, ended.err);
    place.path().join("run")
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn events(folder: &Path) -> Vec<Event> {
    let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    read(folder, "events.jsonl").lines().map(event).collect()
}

#[test]
fn events_are_numbered_in_order_of_time_and_known() {
    let place = Place::new();
    let events = events(&folder(&place, SWAP));
    assert!(events.len() >= 300);
    assert!(events.iter().enumerate().all(|(number, event)| event.seq == number as u64));
    assert!(events.is_sorted_by_key(|event| event.t_ns), "time does not run backwards");
    assert!(!events.iter().any(|event| matches!(event.kind, Kind::Unknown(_))));
    assert!(matches!(events.first().unwrap().kind, Kind::RunStarted { .. }));
    assert!(matches!(&events.last().unwrap().kind, Kind::RunFinished { verdict } if verdict == "passed"));
}

#[test]
fn the_captured_states_are_there_under_their_hashes() {
    let place = Place::new();
    let folder = folder(&place, SWAP);
    let captured: BTreeSet<String> = events(&folder)
        .into_iter()
        .filter_map(|event| match event.kind {
            Kind::Captured { hash, .. } => Some(format!("{hash}.json")),
            _ => None,
        })
        .collect();
    assert_eq!(captured.len(), 3, "base, upgraded and end differ");
    let states = files(&folder.join("states"));
    let names: BTreeSet<String> =
        states.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, captured);
    for path in states {
        let content = std::fs::read(&path).unwrap();
        let hash: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(path.file_stem().unwrap().to_string_lossy(), hash);
        serde_json::from_slice::<Node>(&content).unwrap();
    }
}

#[test]
fn the_verdict_reads_back() {
    let place = Place::new();
    let verdict: Verdict = serde_json::from_str(&read(&folder(&place, SWAP), "verdict.json")).unwrap();
    assert_eq!((verdict.exit_code, verdict.run.seed, verdict.checks.len()), (0, 1, 10));
    assert_eq!(verdict.run.replay, "grenadier run haproxy-appliance-swap --seed 1");
}

#[test]
fn the_report_and_the_trace_tell_of_the_run() {
    let place = Place::new();
    let folder = folder(&place, SWAP);
    let report = read(&folder, "report.html");
    assert!(report.contains("grenadier run haproxy-appliance-swap --seed 1"));
    assert!(report.contains("After a success an operator looks again every 30 s."), "what an assumption is");
    let trace: serde_json::Value = serde_json::from_str(&read(&folder, "trace.json")).unwrap();
    let named = |name: &str| trace["traceEvents"].as_array().unwrap().iter().any(|event| event["name"] == name);
    assert!(named("power-off-old") && named("upgrade") && named("shop"));
    assert_eq!(trace["otherData"]["verdict"], "passed");
}

/// Two parsers that nobody here wrote.
#[test]
fn strict_parsers_accept_the_junit_report() {
    let place = Place::new();
    let slow = place.variant(SWAP, &[("at-most: 90s", "at-most: 1s")]);
    for (scenario, failures) in [(SWAP, false), (text(&slow), true)] {
        let folder = folder(&place, scenario);
        let report = read(&folder, "junit.xml");
        let document = roxmltree::Document::parse(&report).unwrap();
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        assert!(count("testcase") >= 9, "{report}");
        assert_eq!(count("failure") > 0, failures, "{report}");
        let program =
            "import sys, xml.etree.ElementTree as tree; print(len(list(tree.parse(sys.argv[1]).iter('testcase'))))";
        let python =
            Command::new("python3").args(["-c", program]).arg(folder.join("junit.xml")).stdin(Stdio::null()).output();
        match python {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                assert_eq!(said, count("testcase").to_string(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            Err(error) => println!("not covered: no python3 ({error})"),
        }
    }
}

/// Where one of `needles` is in the files below `folder`.
fn found(folder: &Path, needles: &[String]) -> Vec<String> {
    let mut places = Vec::new();
    for path in files(folder) {
        let content = std::fs::read(&path).unwrap();
        for needle in needles {
            if content.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                places.push(format!("{needle} in {}", path.display()));
            }
        }
    }
    places
}

#[test]
fn no_secret_of_a_run_is_in_its_folder() {
    let place = Place::new();
    let folder = folder(&place, SWAP);
    let mut needles = vec!["PRIVATE KEY-----".to_owned()];
    for secret in grenadier_runner::secrets(Seed(1)) {
        let secret = secret.reveal();
        needles.push(secret.to_owned());
        needles.push(STANDARD.encode(secret));
        // As HTTP's basic authentication sends it, for the accounts there are.
        for user in ["wcp", "root", "administrator@vsphere.local", "upgrader@vsphere.local"] {
            needles.push(STANDARD.encode(format!("{user}:{secret}")));
        }
    }
    assert_eq!(found(&folder, &needles), Vec::<String>::new());
    // The search finds what is there.
    std::fs::write(folder.join("states/planted"), format!("before {} after", needles[1])).unwrap();
    assert_eq!(found(&folder, &needles).len(), 1);
}

#[test]
fn no_folder_means_none() {
    let place = Place::new();
    assert_eq!(place.start(&["run", SWAP, "--quiet", "--no-folder"]).code, 0);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    assert_eq!(place.start(&["run", SWAP, "--quiet"]).code, 0);
    assert!(place.path().join("grenadier-runs/haproxy-appliance-swap-virtual-1/verdict.json").exists());
}
