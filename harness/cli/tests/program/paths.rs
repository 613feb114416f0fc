//! `grenadier paths`.

use serde_json::Value;

use crate::support::{Place, SWAP};

const SYSTEM: &str = "haproxy-appliance";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn states(found: &Value) -> Vec<&str> {
    found["leaps"].as_array().unwrap().iter().map(|leap| leap["state"].as_str().unwrap()).collect()
}

#[test]
fn what_nobody_rehearsed_is_said_with_the_command_that_does() {
    let place = Place::new();
    let ended = place.start(&["paths", SYSTEM]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let last: Vec<&str> = ended.out.lines().rev().take(2).collect();
    assert_eq!(last[0], "rehearse them: grenadier paths haproxy-appliance --run");
    assert!(last[1].starts_with("passed: of 12 leaps, 6 refused, 6 not rehearsed; "), "{}", ended.out);
    assert!(std::fs::read_dir(place.path()).unwrap().next().is_none(), "nothing is left without --run and --out");
}

#[test]
fn a_run_that_was_made_for_itself_is_evidence_and_a_disturbed_one_is_not() {
    let place = Place::new();
    assert_eq!(place.start(&["run", SWAP, "--quiet"]).code, 0);
    let fault = "power-on-new/vsphere.PowerOnVM_Task#1=task-fails";
    place.start(&["run", SWAP, "--quiet", "--fault", fault, "--seed", "2"]);
    let found = json(&place.start(&["paths", SYSTEM, "--format", "json"]).out);
    let known: Vec<&Value> = found["leaps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|leap| leap["rehearsals"] != Value::Array(Vec::new()))
        .collect();
    assert_eq!(known.len(), 1);
    assert_eq!(
        (&known[0]["from"], &known[0]["to"], &known[0]["state"]),
        (&"v0.1.10".into(), &"v0.2.0".into(), &"rehearsed".into())
    );
    assert_eq!(known[0]["rehearsals"].as_array().unwrap().len(), 1);
    let elsewhere = json(&place.start(&["paths", SYSTEM, "--results", "nowhere", "--format", "json"]).out);
    assert!(states(&elsewhere).iter().all(|state| *state != "rehearsed"));
}

#[test]
fn a_way_that_was_asked_for_is_rehearsed_and_its_folder_explains_it() {
    let place = Place::new();
    let asked = ["paths", SYSTEM, "--run", "--from", "v0.1.8", "--to", "v0.2.0", "--by", "v0.1.10"];
    let ended = place.start(&asked);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("\nv0.1.8 → v0.1.10 → v0.2.0  rehearsed  "), "{}", ended.out);
    assert!(ended.out.ends_with("grenadier-runs/paths-haproxy-appliance explains it\n"), "{}", ended.out);
    let folder = place.path().join("grenadier-runs/paths-haproxy-appliance");
    for file in ["paths.json", "paths.md", "report.html"] {
        assert!(folder.join(file).exists(), "{file}");
    }
    let found = json(&std::fs::read_to_string(folder.join("paths.json")).unwrap());
    let hop = &found["routes"][0]["hops"][1];
    assert_eq!(hop["came_by"], Value::from(vec!["v0.1.8"]));
    let replay = hop["rehearsals"][0]["replay"].as_str().unwrap();
    let again: Vec<&str> = replay.split(' ').skip(1).chain(["--no-folder", "--quiet"]).collect();
    assert_eq!(place.start(&again).code, 0, "{replay}");
    let pruned = place.start(&["prune", "--keep", "0"]);
    assert!(pruned.out.contains("removed grenadier-runs/paths-haproxy-appliance"), "{}", pruned.out);
}

#[test]
fn a_failed_leap_ends_with_1_and_names_its_command() {
    let place = Place::new();
    let asked = ["paths", SYSTEM, "--run", "--procedure", "documented", "--from", "v0.1.9", "--to", "v0.1.10"];
    let ended = place.start(&asked);
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.out.contains("\nFAILED  v0.1.9 → v0.1.10\n    failed: "), "{}", ended.out);
    assert!(
        ended.out.contains("\n    grenadier run grenadier-runs/paths-haproxy-appliance-documented/scenarios/"),
        "{}",
        ended.out
    );
}

#[test]
fn every_format_is_printed_alone() {
    let place = Place::new();
    let printed = |format: &str| place.start(&["paths", SYSTEM, "--format", format]).out;
    assert!(printed("markdown").starts_with("## Upgrade paths of haproxy-appliance\n"));
    assert!(printed("html").starts_with("<!DOCTYPE html>"));
    assert_eq!(json(&printed("json"))["v"], 1);
}

#[test]
fn without_a_docker_engine_the_docker_world_is_not_fit() {
    let place = Place::new();
    let asked = ["paths", SYSTEM, "--run", "--world", "docker", "--from", "v0.1.10", "--to", "v0.2.0"];
    let ended = place.start(&asked);
    assert_eq!(ended.code, 3, "{}", ended.out);
    assert!(ended.out.contains("UNFIT") && !ended.out.contains("FAILED"), "{}", ended.out);
}

#[test]
fn what_makes_no_sense_ends_with_2_and_a_hint() {
    let place = Place::new();
    for (arguments, error, hint) in [
        (vec!["haproxy-aplliance"], "there is no system `haproxy-aplliance`", "did you mean `haproxy-appliance`?"),
        (vec![SYSTEM, "--from", "v0.1.7"], "haproxy-appliance has no version `v0.1.7`", "versions: v0.1.8, v0.1.9"),
        (
            vec![SYSTEM, "--by", "v0.1.9"],
            "a way by v0.1.9 needs to know from where and to where",
            "give --from and --to",
        ),
        (
            vec![SYSTEM, "--scenario", "haproxy-appliance-power-on-fails"],
            "scenario haproxy-appliance-power-on-fails cannot be rehearsed between other versions: it has faults",
            "take one without it",
        ),
        (
            vec![SYSTEM, "--procedure", "hardend"],
            "haproxy-appliance has no procedure `hardend`",
            "did you mean `hardened`?",
        ),
    ] {
        let ended = place.start(&[vec!["paths"], arguments.clone()].concat());
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.err.starts_with(&format!("error: {error}\n  hint: {hint}")), "{}", ended.err);
        let told = json(&place.start(&[vec!["paths", "--format", "json"], arguments].concat()).out);
        assert_eq!((&told["exit_code"], &told["error"]), (&2.into(), &error.into()));
    }
}

#[test]
fn a_folder_that_cannot_be_written_ends_with_3() {
    let place = Place::new();
    std::fs::write(place.path().join("file"), "").unwrap();
    let ended = place.start(&["paths", SYSTEM, "--run", "--out", "file/below"]);
    assert_eq!(ended.code, 3, "{}", ended.err);
    assert!(ended.err.contains("hint: choose another folder with --out"), "{}", ended.err);
}
