//! `--quiet`: the result alone, and errors where errors go.

use std::fs;

use crate::support::{Ended, Place, SWAP, UPGRADE, end};

const MEANING: &str = "Print nothing but the result";
const COMMANDS: [&str; 16] = [
    "run",
    "replay",
    "explore",
    "merge",
    "gate",
    "paths",
    "compare",
    "calibrate",
    "shrink",
    "list",
    "new",
    "suggest",
    "doctor",
    "images",
    "clean",
    "prune",
];

fn quiet(place: &Place, arguments: &[&str]) -> Ended {
    let ended = place.start(&[arguments, &["--quiet"]].concat());
    assert_eq!(ended.err, "", "{arguments:?}");
    ended
}

/// What is printed is one line, and this.
fn is_line(place: &Place, arguments: &[&str], code: i32, line: &str) {
    let ended = quiet(place, arguments);
    assert_eq!((ended.code, ended.out), (code, format!("{line}\n")), "{arguments:?}");
}

#[test]
fn every_command_that_says_more_has_it_and_means_the_same() {
    let place = Place::new();
    let help = |command: &[&str]| {
        let help = place.start(&[command, &["--help"]].concat()).out;
        help.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for command in COMMANDS {
        assert!(help(&[command]).contains(&format!("-q, --quiet {MEANING}")), "{command}");
    }
    for verb in ["upgrade", "resume", "rollback"] {
        assert!(help(&["engine", verb]).contains(&format!("-q, --quiet {MEANING}")), "engine {verb}");
    }
}

#[test]
fn verdicts_are_one_line() {
    let place = Place::new();
    let passed = format!("PASSED  {SWAP}  v0.1.10 → v0.2.0, virtual world, 10m02s: all 10 checks");
    is_line(&place, &["run", SWAP, "--out", "run"], 0, &passed);
    is_line(&place, &["replay", "run/case.yaml", "--no-folder"], 0, &passed);
    place.variant(SWAP, &[("at-most: 90s", "at-most: 1s")]);
    let failed = quiet(&place, &["run", "variant.yaml"]);
    assert_eq!((failed.code, failed.out.matches('\n').count()), (1, 1));
    assert!(failed.out.starts_with(&format!("FAILED  {SWAP}  ")) && failed.out.contains(": outage: "), "{failed:?}");

    for (shard, out) in [("1/2", "one"), ("2/2", "two")] {
        let explored = quiet(&place, &["explore", SWAP, "--budget", "2", "--shard", shard, "--out", out]);
        assert!(explored.out.starts_with(&format!("PASSED  {SWAP}: 0 distinct failures; 1 of ")), "{explored:?}");
        assert_eq!((explored.code, explored.out.matches('\n').count()), (0, 1), "{explored:?}");
    }
    let merged = quiet(&place, &["merge", "one", "two"]);
    assert!(merged.out.starts_with(&format!("PASSED  {SWAP}: 0 distinct failures; 2 of ")), "{merged:?}");
    assert_eq!((merged.code, merged.out.matches('\n').count()), (0, 1), "{merged:?}");
    let assumed = quiet(&place, &["explore", SWAP, "--assumptions"]);
    assert_eq!((assumed.code, assumed.out.matches('\n').count()), (0, 1), "{assumed:?}");
    assert!(assumed.out.starts_with(&format!("{SWAP}: passed, which hangs on ")), "{assumed:?}");

    let profile = format!("[[run]]\nworld = \"virtual\"\nfiles = [\"{SWAP}\"]\n");
    fs::write(place.path().join("gate.toml"), profile).unwrap();
    is_line(&place, &["gate", "--profile", "gate.toml"], 0, "passed: 1 passed; 1 case");
    let leap = ["paths", "haproxy-appliance", "--run", "--from", "v0.1.10", "--to", "v0.2.0"];
    is_line(&place, &leap, 0, "passed: of 1 leap, 1 rehearsed");
    is_line(&place, &["doctor", "--world", "virtual"], 0, "fit");
}

#[test]
fn names_are_one_a_line() {
    let place = Place::new();
    let names: Vec<&str> = grenadier_scenario::embedded().iter().map(|scenario| scenario.name).collect();
    assert_eq!(quiet(&place, &["list"]).out, names.join("\n") + "\n");
    assert_eq!(quiet(&place, &["list", "--symptom", "nothing of the kind"]).out, "");

    let fault = "deploy-new/vsphere.ImportVApp#1=lost-reply";
    fs::write(place.path().join("engine.log"), "step deploy-new\nImportVApp: connection reset by peer\n").unwrap();
    is_line(&place, &["suggest", SWAP, "engine.log", "--most", "1"], 0, fault);
    is_line(&place, &["new", "mine", "--from", SWAP], 0, "mine.yaml");

    place.start(&["explore", UPGRADE, "--procedure", "documented", "--budget", "10", "--out", "grenadier-runs/found"]);
    let case = fs::read_dir(place.path().join("grenadier-runs/found/cases")).unwrap().next().unwrap().unwrap().path();
    is_line(&place, &["shrink", case.to_str().unwrap(), "--out", "small.yaml"], 0, "small.yaml");

    is_line(&place, &["prune", "--keep", "0"], 0, "grenadier-runs/found");
    assert_eq!(quiet(&place, &["prune", "--keep", "0"]).out, "");
}

#[test]
fn the_engine_says_how_it_ended_and_no_more() {
    let place = Place::new();
    crate::engine::unreachable(&place);
    let given = ["engine", "upgrade", "--journal", "swap.sqlite", "--parameters", "swap.yaml", "--quiet"];
    let ended = end(&place.command(&given).env("VCENTER_PASSWORD", "pa55-word").output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (10, ""), "{ended:?}");
    assert!(ended.out.starts_with("rolled-back (exit 10): ") && ended.out.matches('\n').count() == 1, "{ended:?}");
}

#[test]
fn errors_are_still_told() {
    let place = Place::new();
    for arguments in [
        &["run", "haproxy-aplliance-swap"][..],
        &["replay", "none.yaml"],
        &["explore", "none.yaml"],
        &["merge", "nowhere"],
        &["gate", "--profile", "none.toml"],
        &["shrink", "none.yaml"],
        &["new", "mine", "--from", "nowhere"],
        &["suggest", SWAP, "none.log"],
        &["prune", "nowhere", "--keep", "1"],
        &["paths", "nowhere"],
        &["compare", SWAP],
        &["images"],
        &["clean"],
    ] {
        let ended = place.start(&[arguments, &["--quiet"]].concat());
        assert!(ended.code == 2 || ended.code == 3, "{arguments:?}: {ended:?}");
        assert!(ended.out.is_empty() && ended.err.starts_with("error: "), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains("  hint: "), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_document_is_the_result() {
    let place = Place::new();
    let ended = quiet(&place, &["gate", "--out", "out", "--format", "json", "--profile", &profile(&place)]);
    assert_eq!(ended.out, fs::read_to_string(place.path().join("out/gate.json")).unwrap());
}

fn profile(place: &Place) -> String {
    let path = place.path().join("gate.toml");
    fs::write(&path, format!("[[run]]\nworld = \"virtual\"\nfiles = [\"{SWAP}\"]\n")).unwrap();
    path.to_str().unwrap().to_owned()
}
