//! Exploring, replaying, shrinking, joining.

use std::fs;

use serde_json::Value;

use crate::support::{Ended, Place, SWAP, UPGRADE, end};

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

    let replayed = place.start(&["replay", &file, "--no-folder"]);
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

fn on_github(place: &Place, arguments: &[&str]) -> Ended {
    let mut command = place.command(arguments);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", place.path().join("summary.md"));
    end(&command.output().unwrap())
}

fn summary(place: &Place) -> String {
    let path = place.path().join("summary.md");
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(path).unwrap();
    text
}

#[test]
fn a_job_on_github_gets_a_line_for_each_failure_and_a_summary() {
    let place = Place::new();
    place.variant(UPGRADE, &[("engine: {procedure: hardened}", "engine: {procedure: documented}")]);
    let source = fs::read_to_string(place.path().join("variant.yaml")).unwrap();
    let name = source.lines().position(|line| line.starts_with("name:")).unwrap() + 1;
    let explore = ["explore", "variant.yaml", "--budget", "10", "--out", "found"];
    let ended = on_github(&place, &explore);
    let found: Value =
        serde_json::from_str(&fs::read_to_string(place.path().join("found/explore.json")).unwrap()).unwrap();
    let failures = found["failures"].as_array().unwrap();
    let lines: Vec<&str> = ended.out.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!((ended.code, lines.len()), (1, failures.len().min(10)), "{}", ended.out);
    let title = format!("::error file=variant.yaml,line={name},title=haproxy-appliance/{UPGRADE}[explore]::");
    assert!(lines.iter().take(9).all(|line| line.starts_with(&title)), "{lines:?}");
    let part = |name: &str| failures[0]["signature"][name].as_str().unwrap();
    let signature = format!("{}/{}/{}/{}", part("check"), part("role"), part("step"), part("fault"));
    let replay = format!("grenadier replay found/{}", failures[0]["file"].as_str().unwrap());
    assert!(lines[0].contains(&format!("::{signature}: ")) && lines[0].ends_with(&format!("%0A{replay}")), "{lines:?}");

    let told = summary(&place);
    assert!(told.starts_with("### Grenadier exploration: the upgrade failed\n"), "{told}");
    let again = "grenadier explore variant.yaml --seed 1";
    assert!(told.contains(again) && told.contains("distinct failure"), "{told}");
    assert_eq!(told.matches("| grenadier replay found/cases/").count(), failures.len(), "{told}");

    let fewer = ["explore", "variant.yaml", "--budget", "10", "--no-folder"];
    let json = on_github(&place, &[&fewer[..], &["--format", "json"]].concat());
    serde_json::from_str::<Value>(&json.out).unwrap();
    assert!(
        json.err.starts_with(&title) && json.err.contains("%0Agrenadier explore variant.yaml --seed 1"),
        "{}",
        json.err
    );
    assert!(!place.start(&fewer).out.contains("::error"), "elsewhere it says nothing of the kind");

    // What the scenario knows of is in the summary alone.
    let known =
        "known-failures:\n  - {signature: \"*/*/*/*\", reason: it is so, issue: \"https://example.org/2\"}\nexpect:";
    place.variant(UPGRADE, &[("engine: {procedure: hardened}", "engine: {procedure: documented}"), ("expect:", known)]);
    summary(&place);
    let ended = on_github(&place, &["explore", "variant.yaml", "--budget", "10", "--no-folder"]);
    assert_eq!((ended.code, ended.out.matches("::error").count()), (0, 0), "{}", ended.out);
    assert!(summary(&place).contains("| https://example.org/2 |"));
}

#[test]
fn on_github_a_mended_failure_and_a_scenario_that_fails_alone_are_told_too() {
    let place = Place::new();
    let known = "known-failures:\n  - {signature: leftovers/nothing/deploy-new/hang, reason: it was so, \
                 issue: \"https://example.org/1\"}\nexpect:";
    place.variant(UPGRADE, &[("expect:", known)]);
    let source = fs::read_to_string(place.path().join("variant.yaml")).unwrap();
    let line = source.lines().position(|line| line.starts_with("known-failures:")).unwrap() + 1;
    let ended = on_github(&place, &["explore", "variant.yaml", "--random", "2", "--quiet", "--no-folder"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let want = format!("::error file=variant.yaml,line={line},title=haproxy-appliance/{UPGRADE}[explore]::known");
    assert!(ended.err.contains(&want), "{want} is not in {}", ended.err);
    assert!(summary(&place).contains("| known failure that is gone |"));

    place.variant(SWAP, &[("at-most: 90s", "at-most: 1s")]);
    let ended = on_github(&place, &["explore", "variant.yaml"]);
    let source = fs::read_to_string(place.path().join("variant.yaml")).unwrap();
    let line = source.lines().position(|line| line.starts_with("  outage:")).unwrap() + 1;
    let want = format!("::error file=variant.yaml,line={line},title=haproxy-appliance/{SWAP}[virtual]::failed: outage");
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains(&want) && ended.out.contains("%0Agrenadier run variant.yaml --seed 1"), "{}", ended.out);
    assert!(summary(&place).starts_with("### Grenadier run: the upgrade failed\n"));
}

#[test]
fn joined_shards_give_a_summary_and_no_lines_twice() {
    let place = Place::new();
    for (shard, out) in [("1/2", "one"), ("2/2", "two")] {
        place.start(&[
            "explore",
            UPGRADE,
            "--procedure",
            "documented",
            "--budget",
            "10",
            "--shard",
            shard,
            "--out",
            out,
        ]);
    }
    let ended = on_github(&place, &["merge", "one", "two", "--out", "whole"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(!ended.out.contains("::error") && ended.err.is_empty(), "{ended:?}");
    let told = summary(&place);
    assert!(told.contains(&format!("grenadier explore {UPGRADE} --procedure documented --seed 1")), "{told}");
    assert!(told.contains("| grenadier replay whole/cases/"), "{told}");
}

#[test]
fn another_procedure_stands_on_the_page_and_in_the_file() {
    let place = Place::new();
    let explore = ["explore", SWAP, "--procedure", "documented", "--budget", "4", "--out", "found"];
    let ended = place.start(&explore);
    assert!(ended.code < 2, "{ended:?}");
    let read = |name: &str| fs::read_to_string(place.path().join("found").join(name)).unwrap();
    let found: Value = serde_json::from_str(&read("explore.json")).unwrap();
    assert_eq!(found["procedure"], "documented");
    assert!(read("report.html").contains("procedure <b>documented</b>, in place of the scenario's own"));
    place.start(&["explore", SWAP, "--budget", "4", "--out", "found"]);
    let found: Value = serde_json::from_str(&read("explore.json")).unwrap();
    assert!(found.get("procedure").is_none(), "{found}");
    assert!(!read("report.html").contains("in place of the scenario"));
}
