//! Exploring, replaying, shrinking, joining.

use std::fs;

use serde_json::Value;

use crate::support::{Place, SWAP};

/// An exploration that finds something: of the procedure that does no more than its document says.
fn documented(place: &Place) -> std::path::PathBuf {
    place.variant(SWAP, &[("engine: {procedure: hardened}", "engine: {procedure: documented}")])
}

#[test]
fn what_an_exploration_finds_is_replayed_from_its_folder() {
    let place = Place::new();
    let scenario = documented(&place);
    let ended = place.start(&["explore", scenario.to_str().unwrap(), "--budget", "40", "--out", "found"]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.out.starts_with("40 cases, "), "the number of cases comes first: {}", ended.out);
    assert!(ended.out.contains("cases; of them failed behind a !"), "{}", ended.out);
    let found: Value =
        serde_json::from_str(&fs::read_to_string(place.path().join("found/explore.json")).unwrap()).unwrap();
    let failure = &found["failures"][0];
    let file = format!("found/{}", failure["file"].as_str().unwrap());
    assert!(ended.out.contains(&format!("grenadier replay {file}")), "{}", ended.out);
    assert!(place.path().join("found/junit.xml").exists());
    let run = format!("runs/{}/report.html", file.trim_start_matches("found/cases/").trim_end_matches(".yaml"));
    let page = fs::read_to_string(place.path().join("found/report.html")).unwrap();
    assert!(page.contains(&format!("grenadier replay {file}")) && page.contains(&format!("href=\"{run}\"")), "{page}");
    let run = fs::read_to_string(place.path().join("found").join(&run)).unwrap();
    assert!(run.contains(&format!("grenadier replay {file}")), "the run's report says how to replay it");
    let kept = fs::read_dir(place.path().join("found/runs")).unwrap().count();
    assert_eq!(kept, found["failures"].as_array().unwrap().len(), "of failures alone");

    let replayed = place.start(&["replay", &file, "--no-folder", "-q"]);
    let part = |name: &str| failure["signature"][name].as_str().unwrap().to_owned();
    let shows = format!("shows  {}/{}/{}/{}\n", part("check"), part("role"), part("step"), part("fault"));
    assert_eq!(replayed.code, 1, "{}", replayed.err);
    assert!(replayed.out.contains(&shows), "{shows} is not in {}", replayed.out);

    let shrunk = place.start(&["shrink", &file, "--out", "small.yaml"]);
    assert_eq!(shrunk.code, 0, "{}{}", shrunk.out, shrunk.err);
    assert_eq!(place.start(&["replay", "small.yaml", "--no-folder", "-q"]).code, 1);
}

#[test]
fn shards_are_joined_and_what_is_not_all_of_them_is_refused() {
    let place = Place::new();
    let shard = |k: &str, out: &str| {
        let ended = place.start(&["explore", SWAP, "--budget", "12", "--shard", k, "--out", out]);
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    };
    shard("1/2", "one");
    shard("2/2", "two");
    let merged = place.start(&["merge", "one", "two", "--out", "whole"]);
    assert_eq!(merged.code, 0, "{}{}", merged.out, merged.err);
    assert!(merged.out.starts_with("12 cases, "), "{}", merged.out);
    let refused = place.start(&["merge", "one", "--out", "half"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("2/2 is there missing"), "{}", refused.err);
    assert!(!place.path().join("half").exists());
    for wrong in ["0/2", "3/2", "x"] {
        assert_eq!(place.start(&["explore", SWAP, "--shard", wrong]).code, 2, "{wrong}");
    }
}

#[test]
fn a_case_that_cannot_be_is_refused_with_its_place() {
    let place = Place::new();
    let refused = |text: &str| {
        fs::write(place.path().join("case.yaml"), text).unwrap();
        let ended = place.start(&["replay", "case.yaml"]);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{text}");
        ended.err
    };
    let error = refused("scenario: haproxy-appliance-swap\ntie: 3\n");
    assert!(error.contains("case.yaml:2:1") && error.contains("did you mean `ties`?"), "{error}");
    let error = refused("scenario: haproxy-appliance-swap\noverturned: [operator-resync]\n");
    assert!(error.contains("`operator-resync`") && error.contains("grenadier fidelity"), "{error}");
    let error = refused("seed: 3\n");
    assert!(error.contains("scenario"), "{error}");
}

#[test]
fn verdicts_that_hang_on_an_assumption_are_named() {
    let place = Place::new();
    let ended = place.start(&["explore", SWAP, "--assumptions", "--out", "assumed"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("operator-resyncs: the verdict hangs on it"), "{}", ended.out);
    let replayed = place.start(&["replay", "assumed/cases/operator-resyncs.yaml", "--no-folder", "-q"]);
    assert_eq!(replayed.code, 1, "{}", replayed.out);
    assert_eq!(place.start(&["explore", SWAP, "--assumptions", "--random", "3"]).code, 2);
}
