//! `--format json`: one JSON document on standard output, whatever happens.

use serde_json::Value;

use crate::support::{Place, SWAP, text};

fn json(place: &Place, arguments: &[&str]) -> (i32, Value) {
    let arguments = [arguments, &["--format", "json"]].concat();
    let ended = place.start(&arguments);
    let value = serde_json::from_str(&ended.out);
    (ended.code, value.unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}\n{}", ended.out, ended.err)))
}

#[test]
fn every_end_of_a_run_is_a_document_with_the_exit_code_in_it() {
    let place = Place::new();
    let slow = place.variant(SWAP, &[("at-most: 90s", "at-most: 1s")]);
    std::fs::write(place.path().join("file"), "").unwrap();
    for (arguments, code, word) in [
        (&["run", SWAP][..], 0, "passed"),
        (&["run", text(&slow)], 1, "failed"),
        (&["run", "haproxy-aplliance-swap"], 2, "input"),
        (&["run", "./none.yaml"], 2, "input"),
        (&["run", SWAP, "--out", "file/run"], 3, "unfit"),
        (&["run", SWAP, "--world", "docker"], 3, "unfit"),
    ] {
        let (ended, value) = json(&place, arguments);
        assert_eq!(ended, code, "{arguments:?}");
        assert_eq!((&value["verdict"], &value["exit_code"]), (&word.into(), &code.into()), "{arguments:?}");
        if value.get("run").is_none() {
            assert!(value["error"].is_string() && value["help"].is_string(), "{value}");
        }
    }
}

#[test]
fn problems_of_a_scenario_are_data() {
    let place = Place::new();
    let file = place.variant(SWAP, &[("outcome: upgraded", "outcom: upgraded"), ("to: v0.2.0", "to: v0.9.0")]);
    let (code, value) = json(&place, &["run", text(&file)]);
    assert_eq!((code, &value["verdict"], &value["exit_code"]), (2, &"input".into(), &2.into()));
    let problems = value["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{value}");
    for problem in problems {
        assert_eq!(problem["file"], text(&file));
        assert!(problem["line"].is_u64() && problem["column"].is_u64() && problem["message"].is_string());
    }
}

#[test]
fn what_is_printed_is_the_verdict_in_the_folder() {
    let place = Place::new();
    let ended = place.start(&["run", SWAP, "--format", "json", "--out", "run"]);
    assert_eq!(ended.out, std::fs::read_to_string(place.path().join("run/verdict.json")).unwrap());
}

#[test]
fn the_list_is_a_document_too() {
    let (code, value) = json(&Place::new(), &["list"]);
    let names: Vec<&str> =
        value["scenarios"].as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
    let embedded: Vec<&str> = grenadier_scenario::embedded().iter().map(|scenario| scenario.name).collect();
    assert_eq!((code, names), (0, embedded));
    assert!(
        value["scenarios"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["labels"].as_array().is_some_and(|it| !it.is_empty()))
    );
}
