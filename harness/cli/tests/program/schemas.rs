//! What programs read: every document fits the schema that the program prints for it, whatever it says.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{Place, SWAP, UPGRADE, end, text};

/// The schema of a document, as `grenadier schema --output` prints it.
fn validator(name: &str) -> Validator {
    let printed = Place::new().start(&["schema", "--output", name]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""), "{name}");
    let schema: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], format!("grenadier {name}, version 1"));
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Fails with every place where the document does not fit.
fn assert_fits(validator: &Validator, document: &Value, what: &str) {
    let wrong: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(wrong, Vec::<String>::new(), "{what}: {document:#}");
}

/// The one document on standard output, after it was compared with the schema of `name`, or with that of errors where the
/// program came to no result.
fn fits(place: &Place, name: &str, arguments: &[&str], code: i32) -> Value {
    let ended = end(&place.command(arguments).env("VCENTER_PASSWORD", "pa55-word").output().unwrap());
    assert_eq!(ended.code, code, "{arguments:?}: {}{}", ended.out, ended.err);
    let document: Value =
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ended.out));
    assert_fits(&validator(name), &document, &format!("{arguments:?}"));
    document
}

fn json<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--format", "json"]].concat()
}

/// A schema that takes anything would say nothing.
fn is_strict(name: &str, document: &Value) {
    let validator = validator(name);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut other = document.clone();
        change(&mut other);
        validator.is_valid(&other)
    };
    assert!(changed(&|_| ()), "{name}");
    assert!(!changed(&|other| other["surprise"] = json!(1)), "{name} takes a field that nobody knows");
    assert!(!changed(&|other| other["v"] = json!(2)), "{name} takes another version");
    let fields: Vec<String> = document.as_object().unwrap().keys().cloned().collect();
    for field in &fields {
        let wrong = |other: &mut Value| other[field] = json!({"neither": ["this", "nor", "that"]});
        assert!(!changed(&wrong), "{name} takes anything as {field}");
    }
}

#[test]
fn the_page_is_the_one_in_the_repository() {
    let ended = Place::new().start(&["schema", "--output-reference"]);
    assert_eq!(ended.code, 0);
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md");
    let same = ended.out == fs::read_to_string(kept).unwrap_or_default();
    assert!(same, "it has changed: grenadier schema --output-reference > docs/json.md");
}

#[test]
fn a_name_that_is_none_is_refused_with_those_there_are() {
    let ended = Place::new().start(&["schema", "--output", "runs"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("run, explore, assumptions, gate, paths"), "{}", ended.err);
}

#[test]
fn verdicts_fit_however_the_run_ended() {
    let place = Place::new();
    let idle = "faults: [{at: power-on-new/vsphere.PowerOnVM_Task#9, do: hang}]\nexpect:";
    for (edits, code) in [
        (&[][..], 0),
        (&[("at-most: 90s", "at-most: 1s")][..], 1),
        (&[("engine: {procedure: hardened}", "engine: {procedure: documented}")][..], 0),
        (&[("expect:", idle)][..], 3),
    ] {
        let file = place.variant(SWAP, edits);
        let verdict = fits(&place, "run", &json(&["run", text(&file), "--out", "run"]), code);
        let again = fits(&place, "run", &json(&["replay", "run/case.yaml", "--no-folder"]), code);
        assert_eq!(again["checks"], verdict["checks"]);
    }
    // Every scenario with the procedure that comes out of them in every way: stuck, refused, rolled back, caught.
    let validator = validator("run");
    for scenario in grenadier_scenario::embedded() {
        let ended = place.start(&json(&["run", scenario.name, "--procedure", "documented", "--no-folder"]));
        let document: Value = serde_json::from_str(&ended.out).unwrap();
        assert_fits(&validator, &document, scenario.name);
    }
    let fault = "power-on-new/vsphere.PowerOnVM_Task#1=task-stuck";
    let document = fits(&place, "run", &json(&["run", SWAP, "--fault", fault, "--no-folder"]), 1);
    is_strict("run", &document);
}

#[test]
fn every_line_of_a_log_fits() {
    let place = Place::new();
    let fault = "deploy-new/vsphere.ImportVApp#1=lost-reply";
    let ended = place.start(&["run", SWAP, "--quiet", "--out", "run", "--fault", fault]);
    assert!(ended.code < 2, "{}", ended.err);
    let validator = validator("event");
    let log = fs::read_to_string(place.path().join("run/events.jsonl")).unwrap();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.iter().for_each(|event| assert_fits(&validator, event, "an event"));
    let kinds: std::collections::BTreeSet<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert!(kinds.len() >= 18, "{kinds:?}");
    for event in &events {
        let mut other = event.clone();
        other["surprise"] = json!(1);
        assert!(!validator.is_valid(&other), "{other}");
        let mut later = event.clone();
        later["kind"] = json!("moon-phase");
        assert!(!validator.is_valid(&later), "{later}");
    }
}

#[test]
fn explorations_fit_whole_in_parts_and_joined() {
    let place = Place::new();
    let documented = ["explore", UPGRADE, "--procedure", "documented", "--budget", "12", "--out", "found"];
    let found = fits(&place, "explore", &json(&documented), 1);
    assert_eq!(found["procedure"], "documented");
    assert!(!found["failures"].as_array().unwrap().is_empty());
    is_strict("explore", &found);
    fits(&place, "explore", &json(&["explore", SWAP, "--random", "3", "--no-folder"]), 0);
    for (shard, out) in [("1/2", "one"), ("2/2", "two")] {
        fits(&place, "explore", &json(&["explore", SWAP, "--budget", "6", "--shard", shard, "--out", out]), 0);
    }
    fits(&place, "explore", &json(&["merge", "one", "two", "--out", "whole"]), 0);
    let assumed = fits(&place, "assumptions", &json(&["explore", SWAP, "--assumptions", "--out", "assumed"]), 0);
    is_strict("assumptions", &assumed);
}

#[test]
fn gates_fit_with_everything_that_can_be_in_them() {
    let place = Place::new();
    let profile = format!(
        "[[run]]\nworld = \"virtual\"\nfiles = [\"{SWAP}\", \"*transaction-left-open\"]\n\n[[run]]\nworld = \"docker\"\n\
         files = [\"{SWAP}\"]\n\n[[explore]]\nfiles = [\"{SWAP}\"]\nbudget = 4\n"
    );
    fs::write(place.path().join("gate.toml"), profile).unwrap();
    let gate = json(&["gate", "--profile", "gate.toml", "--out", "before"]);
    fits(&place, "gate", &gate, 0);
    let path = place.path().join("before/gate.json");
    let mut before: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    before["rows"][0]["outages_ns"]["shop in the upgrade"] = 1.into();
    let mut gone = before["rows"][1].clone();
    gone["name"] = "gone".into();
    before["rows"].as_array_mut().unwrap().push(gone);
    fs::write(&path, before.to_string()).unwrap();
    let worse = fits(&place, "gate", &[&gate[..3], &["--baseline", "before", "--format", "json"]].concat(), 1);
    assert_eq!(worse["differences"].as_array().unwrap().len(), 2, "{worse}");
    is_strict("gate", &worse);
}

#[test]
fn matrices_and_diagnoses_fit() {
    let place = Place::new();
    let leap = ["paths", "haproxy-appliance", "--run", "--from", "v0.1.9"];
    fits(&place, "paths", &json(&leap), 0);
    let way = [&leap[..], &["--to", "v0.2.0", "--by", "v0.1.10", "--procedure", "documented"]].concat();
    let found = fits(&place, "paths", &json(&way), 1);
    assert!(!found["routes"].as_array().unwrap().is_empty());
    is_strict("paths", &found);
    let fit = fits(&place, "doctor", &json(&["doctor", "--world", "virtual"]), 0);
    is_strict("doctor", &fit);
    fits(&place, "doctor", &json(&["doctor"]), 3);
    fits(&place, "error", &json(&["calibrate"]), 3);
}

#[test]
fn lists_and_suggestions_fit() {
    let place = Place::new();
    let all = fits(&place, "list", &json(&["list"]), 0);
    is_strict("list", &all);
    assert!(all["scenarios"].as_array().unwrap().iter().any(|listed| listed["field"].is_object()));
    assert!(all["scenarios"].as_array().unwrap().iter().any(|listed| listed["field"].is_null()));
    fits(&place, "list", &json(&["list", "--symptom", "nothing of the kind"]), 0);
    fs::write(place.path().join("engine.log"), "step deploy-new\nImportVApp: connection reset by peer\n").unwrap();
    let found = fits(&place, "suggest", &json(&["suggest", SWAP, "engine.log"]), 0);
    assert!(!found["suggestions"].as_array().unwrap().is_empty());
    is_strict("suggest", &found);
    fs::write(place.path().join("engine.log"), "all is well\n").unwrap();
    fits(&place, "suggest", &json(&["suggest", SWAP, "engine.log"]), 0);
}

#[test]
fn what_the_engine_says_fits() {
    let place = Place::new();
    crate::engine::unreachable(&place);
    let given = ["--journal", "swap.sqlite", "--parameters", "swap.yaml", "--format", "json"];
    let verb = |verb: &'static str| [&["engine", verb], &given[..]].concat();
    is_strict("engine", &fits(&place, "engine", &verb("resume"), 20));
    let ended = fits(&place, "engine", &verb("upgrade"), 10);
    is_strict("engine", &ended);
    let status = ["engine", "status", "--journal", "swap.sqlite", "--format", "json"];
    is_strict("engine-status", &fits(&place, "engine-status", &status, 0));
}

#[test]
fn errors_fit_whoever_makes_them() {
    let place = Place::new();
    fs::write(place.path().join("file"), "notes of somebody, and by no means a journal of an engine's").unwrap();
    fs::write(place.path().join("gate.toml"), "[[run]]\nworld = \"nowhere\"\n").unwrap();
    crate::engine::unreachable(&place);
    let slow = place.variant(SWAP, &[("at-most: 90s", "at-most: 1s")]);
    fs::copy(&slow, place.path().join("slow.yaml")).unwrap();
    place.variant(SWAP, &[("outcome: upgraded", "outcom: upgraded"), ("to: v0.2.0", "to: v0.9.0")]);
    let engine = ["engine", "upgrade", "--journal", "file", "--parameters"];
    for (arguments, code) in [
        (&["run", "haproxy-aplliance-swap"][..], 2),
        (&["run", "./none.yaml"], 2),
        (&["run", "variant.yaml"], 2),
        (&["run", SWAP, "--procedure", "documentd"], 2),
        (&["run", SWAP, "--fault", "nowhere=hang"], 2),
        (&["run", SWAP, "--out", "file/run"], 3),
        (&["run", SWAP, "--world", "docker"], 3),
        (&["replay", "none.yaml"], 2),
        (&["explore", "none.yaml"], 2),
        (&["explore", "slow.yaml"], 1),
        (&["explore", SWAP, "--budget", "1", "--out", "file/found"], 3),
        (&["explore", SWAP, "--assumptions", "--out", "file/found"], 3),
        (&["merge", "nowhere"], 2),
        (&["gate", "--profile", "none.toml"], 2),
        (&["gate", "--profile", "gate.toml"], 2),
        (&["gate", "--baseline", "nowhere"], 2),
        (&["gate", "--out", "file/gate"], 3),
        (&["suggest", SWAP, "none.log"], 2),
        (&[&engine[..], &["none.yaml"]].concat(), 2),
        (&[&engine[..], &["swap.yaml"]].concat(), 3),
        (&["engine", "status", "--journal", "none.sqlite"], 2),
        (&["engine", "status", "--journal", "file"], 3),
    ] {
        let error = fits(&place, "error", &json(arguments), code);
        assert_eq!(error["exit_code"], code, "{arguments:?}");
        is_strict("error", &error);
        if arguments.contains(&"variant.yaml") {
            assert_eq!(error["problems"].as_array().unwrap().len(), 2, "{error}");
            assert_eq!(error["error"], "2 problems in variant.yaml");
        }
    }
    assert!(!place.path().join("grenadier-runs").exists(), "nothing was run");
}
