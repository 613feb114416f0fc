//! The gate: exit codes, what it prints, what it leaves, and how it is stopped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use grenadier_scenario::embedded;
use serde_json::Value;

use crate::support::{Ended, Place, SWAP, UPGRADE};

const VIRTUAL: &str = "[[run]]\nworld = \"virtual\"\n";

/// A place with a profile over a folder of scenarios: variants of the upgrade.
fn place(rules: &str, scenarios: &[(&str, &[(&str, &str)])]) -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path().join("mine")).unwrap();
    fs::write(place.path().join("gate.toml"), format!("scenarios = [\"mine\"]\n\n{rules}")).unwrap();
    let source = embedded().iter().find(|scenario| scenario.name == UPGRADE).unwrap().source;
    for (name, edits) in scenarios {
        let own = source.replace(&format!("name: {UPGRADE}"), &format!("name: {name}"));
        let text = edits.iter().fold(own, |text, (old, new)| {
            assert_eq!(text.matches(old).count(), 1, "`{old}` must be there once");
            text.replace(old, new)
        });
        fs::write(place.path().join(format!("mine/{name}.yaml")), text).unwrap();
    }
    place
}

const SLOW: &[(&str, &str)] = &[("at-most: 90s", "at-most: 1s")];
const IDLE_FAULT: &[(&str, &str)] =
    &[("expect:", "faults: [{at: power-on-new/vsphere.PowerOnVM_Task#9, do: hang}]\nexpect:")];

fn gate(place: &Place, more: &[&str]) -> (Ended, Value) {
    let ended = place.start(&[&["gate", "--profile", "gate.toml", "--out", "out"], more].concat());
    let kept =
        fs::read_to_string(place.path().join("out/gate.json")).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended, serde_json::from_str(&kept).unwrap())
}

fn statuses(gate: &Value) -> Vec<&str> {
    gate["rows"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect()
}

/// How many failures and errors `junit.xml` counts.
fn junit(place: &Place) -> (usize, usize) {
    let text = fs::read_to_string(place.path().join("out/junit.xml")).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
    (count("failure"), count("error"))
}

#[test]
fn where_everything_passes_it_ends_with_0_and_every_row_has_its_folder() {
    let place =
        place(&format!("{VIRTUAL}\n[[explore]]\nfiles = [\"one\"]\nbudget = 4\n"), &[("one", &[]), ("two", &[])]);
    let (ended, found) = gate(&place, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(statuses(&found), ["passed"; 3]);
    assert_eq!(found["cases"], 6);
    for folder in ["one-virtual/verdict.json", "two-virtual/events.jsonl", "one-explore/explore.json"] {
        assert!(place.path().join("out/rows").join(folder).exists(), "{folder}");
    }
    assert!(ended.out.contains("passed: 3 passed; 6 cases"), "{}", ended.out);
    assert!(ended.out.ends_with("compare with it: --baseline out\n"), "{}", ended.out);
    assert_eq!(ended.err.lines().filter(|line| line.starts_with("PASS")).count(), 3, "a line each: {}", ended.err);
    assert_eq!(junit(&place), (0, 0));
    let again = place.start(&["replay", "out/rows/one-virtual/case.yaml", "--no-folder", "-q"]);
    assert_eq!(again.code, 0, "{}", again.err);
}

#[test]
fn an_upgrade_that_failed_ends_with_1_and_is_a_failure() {
    let place = place(VIRTUAL, &[("good", &[]), ("slow", SLOW)]);
    let (ended, found) = gate(&place, &[]);
    assert_eq!((ended.code, statuses(&found)), (1, vec!["passed", "failed"]), "{}", ended.out);
    assert!(ended.out.contains("FAIL  haproxy-appliance/slow[virtual]\n    failed: outage: "), "{}", ended.out);
    assert!(ended.out.contains("    grenadier run mine/slow.yaml --seed 1\n"), "{}", ended.out);
    let (failures, errors) = junit(&place);
    assert!(failures > 0 && errors == 0, "{failures} failures, {errors} errors");
}

#[test]
fn an_environment_that_failed_ends_with_3_and_is_an_error() {
    let place = place(VIRTUAL, &[("good", &[]), ("idle", IDLE_FAULT)]);
    let (ended, found) = gate(&place, &[]);
    assert_eq!((ended.code, statuses(&found)), (3, vec!["passed", "unfit"]), "{}", ended.out);
    let (failures, errors) = junit(&place);
    assert!(failures == 0 && errors > 0, "{failures} failures, {errors} errors");
}

#[test]
fn a_world_that_is_not_there_is_named_with_the_reason_and_ends_with_3_only_where_it_must_be() {
    let rules = format!("{VIRTUAL}\n[[run]]\nworld = \"docker\"\n");
    for (rules, code, status) in [(rules.clone(), 0, "not-covered"), (format!("{rules}must-run = true\n"), 3, "unfit")]
    {
        let place = place(&rules, &[("one", &[])]);
        let (ended, found) = gate(&place, &[]);
        assert_eq!((ended.code, statuses(&found)), (code, vec!["passed", status]), "{}", ended.out);
        let reason =
            "haproxy-appliance/one[docker]\n    not covered: reach a Docker engine at unix:///nonexistent.sock";
        assert!(ended.out.contains(reason), "{}", ended.out);
    }
}

#[test]
fn a_required_check_that_was_not_made_ends_with_3() {
    let place = place(&format!("{VIRTUAL}require = [\"restored\"]\n"), &[("one", &[])]);
    let (ended, found) = gate(&place, &[]);
    assert_eq!((ended.code, statuses(&found)), (3, vec!["unfit"]), "{}", ended.out);
    assert!(ended.out.contains("not fit to tell: restored is not covered: "), "{}", ended.out);
}

#[test]
fn what_is_worse_than_the_baseline_ends_with_1_and_is_in_the_table() {
    let place = place(VIRTUAL, &[("one", &[]), ("two", &[])]);
    assert_eq!(place.start(&["gate", "--profile", "gate.toml", "--out", "before"]).code, 0);
    let (same, found) = gate(&place, &["--baseline", "before"]);
    assert_eq!((same.code, &found["differences"]), (0, &Value::Array(Vec::new())), "{}", same.out);

    let path = place.path().join("before/gate.json");
    let mut before: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let outage = &mut before["rows"][0]["outages_ns"]["shop in the upgrade"];
    *outage = (outage.as_u64().unwrap() - 1).into();
    fs::write(&path, before.to_string()).unwrap();
    fs::remove_file(place.path().join("mine/two.yaml")).unwrap();
    let (worse, found) = gate(&place, &["--baseline", "before"]);
    assert_eq!(worse.code, 1, "{}", worse.out);
    let kinds: Vec<&str> =
        found["differences"].as_array().unwrap().iter().filter_map(|it| it["kind"].as_str()).collect();
    assert_eq!(kinds, ["outage", "row-vanished"]);
    assert!(worse.out.contains("worse than the baseline"), "{}", worse.out);
    assert!(worse.out.contains("haproxy-appliance/one[virtual]: shop in the upgrade"), "{}", worse.out);
    assert!(junit(&place).0 > 0);

    let none = place.start(&["gate", "--baseline", "nowhere"]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(none.err.contains("read baseline nowhere/gate.json") && none.err.contains("hint: "), "{}", none.err);
}

#[test]
fn a_profile_that_is_wrong_ends_with_2_and_its_places_and_runs_nothing() {
    let refused = |rules: &str, want: &[&str]| {
        let place = place(rules, &[("one", &[])]);
        let ended = place.start(&["gate", "--profile", "gate.toml"]);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{rules}");
        for want in want {
            assert!(ended.err.contains(want), "{want} is not in {}", ended.err);
        }
        assert!(!place.path().join("grenadier-runs").exists(), "nothing was run");
        let json = place.start(&["gate", "--profile", "gate.toml", "--format", "json"]);
        let value: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!((&value["exit_code"], &value["verdict"]), (&2.into(), &"input".into()));
    };
    refused("[[run]]\nworld = \"virtual\"\nlabel = [\"base\"]\n", &["gate.toml:5:1]", "did you mean `labels`?"]);
    refused(
        "[[run]]\nworld = \"virtual\"\nlabels = [\"bas\"]\n",
        &["gate.toml:5:11]", "no scenario has the label", "`base`?"],
    );
    refused("[[run]\n", &["gate.toml:3:7]", "this is no TOML"]);
    let place = place(VIRTUAL, &[("one", &[("outcome:", "outcom:")]), ("two", &[("from:", "form:")])]);
    let ended = place.start(&["gate", "--profile", "gate.toml"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("1 problem in mine/one.yaml") && ended.err.contains("mine/two.yaml"), "{}", ended.err);
    let missing = place.start(&["gate", "--profile", "none.toml"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.err.contains("read profile none.toml") && missing.err.contains("--print-profile"),
        "{}",
        missing.err
    );
}

#[test]
fn the_profile_that_is_printed_is_one() {
    let place = Place::new();
    let printed = place.start(&["gate", "--print-profile"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let text = printed.out.replace("[[explore]]", "[[explore]]\nbudget = 2");
    let less = text.replace("world = \"virtual\"\n", &format!("world = \"virtual\"\nfiles = [\"{SWAP}\"]\n"));
    fs::write(place.path().join("gate.toml"), less).unwrap();
    let (ended, found) = gate(&place, &["--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(statuses(&found), ["passed", "passed", "passed", "not-covered"]);
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), found, "what is printed is what is kept");
}

/// Somebody presses Ctrl-C while it explores: what ran is reported, what did not is named.
#[test]
fn an_interrupted_gate_still_reports() {
    let place = place(&format!("{VIRTUAL}files = [\"one\"]\n\n[[explore]]\n"), &[("one", &[]), ("two", &[])]);
    let mut command = place.command(&["gate", "--profile", "gate.toml", "--out", "out"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.any(|line| line.contains("one[virtual]")), "the run ends before the explorations begin");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    told.for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let found: Value = serde_json::from_str(&fs::read_to_string(place.path().join("out/gate.json")).unwrap()).unwrap();
    assert_eq!((&found["verdict"], &found["exit_code"]), (&"interrupted".into(), &4.into()));
    let statuses = statuses(&found);
    assert_eq!((statuses[0], statuses.len()), ("passed", 3));
    assert!(statuses[1..].contains(&"not-run"), "{statuses:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("NOT RUN  haproxy-appliance/two[explore]"));
    assert!(place.path().join("out/junit.xml").exists());
}

#[test]
fn a_job_on_github_gets_annotations_and_a_summary() {
    let place = place(VIRTUAL, &[("slow", SLOW)]);
    let on_github = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", place.path().join("summary.md"));
        crate::support::end(&command.output().unwrap())
    };
    let source = fs::read_to_string(place.path().join("mine/slow.yaml")).unwrap();
    let line = source.lines().position(|line| line.starts_with("  outage:")).unwrap() + 1;
    let want = format!("::error file=mine/slow.yaml,line={line},title=haproxy-appliance/slow[virtual]::failed%3A");
    let want = want.replace("%3A", ":");
    for arguments in [&["gate", "--profile", "gate.toml"][..], &["run", "mine/slow.yaml"]] {
        let ended = on_github(arguments);
        assert_eq!(ended.code, 1);
        assert!(ended.out.contains(&want), "{want} is not in {}", ended.out);
        let json = on_github(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str::<Value>(&json.out).unwrap();
        assert!(json.err.contains(&want), "{}", json.err);
    }
    let summary = fs::read_to_string(place.path().join("summary.md")).unwrap();
    assert_eq!(summary.matches("### Grenadier gate: the upgrade failed").count(), 2, "{summary}");
    assert_eq!(summary.matches("### Grenadier run: the upgrade failed").count(), 2, "{summary}");
    let quiet = on_github(&["gate", "--profile", "gate.toml", "--quiet"]);
    assert!(!quiet.out.contains("::error") && quiet.err.contains(&want), "{quiet:?}");
    let elsewhere = place.start(&["run", "mine/slow.yaml"]);
    assert!(!elsewhere.out.contains("::error"), "{}", elsewhere.out);
}
