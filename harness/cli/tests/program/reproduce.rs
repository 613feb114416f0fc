//! From a report of the field to a scenario that shows it: `list --symptom`, `suggest`, `new`.

use crate::support::{Place, SWAP};

#[test]
fn a_symptom_finds_the_scenarios_that_show_it() {
    let place = Place::new();
    let ended = place.start(&["list", "--field", "--symptom", "409"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.contains("haproxy-appliance-transaction-left-open"), "{}", ended.out);
    assert!(!ended.out.contains("haproxy-appliance-late-routes") && !ended.out.contains(SWAP), "{}", ended.out);
    assert!(ended.out.contains("Version mismatch"), "{}", ended.out);

    let all = place.start(&["list", "--field"]);
    assert!(all.out.contains("haproxy-appliance-late-routes") && !all.out.contains(SWAP), "{}", all.out);
    // All of several symptoms, whatever the case of their letters.
    let both = place.start(&["list", "--symptom", "409", "--symptom", "version MISMATCH", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&both.out).unwrap();
    assert_eq!(rows["scenarios"].as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows["scenarios"][0]["field"]["symptoms"][0], "409");
    let none = place.start(&["list", "--symptom", "no such thing"]);
    assert!(none.out.starts_with("no scenario that comes with the product is recognised by that\n"), "{}", none.out);
}

#[test]
fn a_log_points_to_faults_that_a_new_scenario_then_has() {
    let place = Place::new();
    let log = "10:00:01 step deploy-new\n10:00:09 ImportVApp: read: connection reset by peer\n";
    std::fs::write(place.path().join("engine.log"), log).unwrap();
    let ended = place.start(&["suggest", SWAP, "engine.log"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let fault = "deploy-new/vsphere.ImportVApp#1=lost-reply";
    assert!(ended.out.starts_with(&format!("{fault}\n  line 2 says \"connection reset\" of ")), "{}", ended.out);
    assert!(ended.out.contains(&format!("grenadier run {SWAP} --seed 1 --fault '{fault}'\n")), "{}", ended.out);

    let made = place.start(&["new", "lost-import", "--from", SWAP, "--fault", fault]);
    assert_eq!(made.code, 0, "{}", made.err);
    let run = place.start(&["run", "lost-import.yaml", "--no-folder"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("deploy-new/vsphere.ImportVApp#1: lost-reply"), "{}", run.out);
    let text = std::fs::read_to_string(place.path().join("lost-import.yaml")).unwrap();
    assert!(text.contains("\nname: lost-import\n") || text.starts_with("name: lost-import\n"), "{text}");

    let json = place.start(&["suggest", SWAP, "engine.log", "--most", "1", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let rows = &found["suggestions"];
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["fault"], &rows[0]["line"]), (1, &fault.into(), &2.into()));
}

#[test]
fn a_log_that_names_nothing_points_nowhere_and_a_missing_one_is_an_error() {
    let place = Place::new();
    std::fs::write(place.path().join("engine.log"), b"\xff\x00 all is well\n").unwrap();
    let ended = place.start(&["suggest", SWAP, "engine.log"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.starts_with("no line names a call or a step of haproxy-appliance-swap"), "{}", ended.out);
    let missing = place.start(&["suggest", SWAP, "nowhere.log"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("hint: name the engine's log, or -"), "{}", missing.err);
}

#[test]
fn nothing_is_written_over_and_nothing_wrong_is_written() {
    let place = Place::new();
    let there = place.path().join("mine.yaml");
    std::fs::write(&there, "mine").unwrap();
    let ended = place.start(&["new", "mine", "--from", SWAP]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("write mine.yaml") && ended.err.contains("--out"), "{}", ended.err);
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");

    for wrong in [
        &["new", "Not A Name", "--from", SWAP][..],
        &["new", "other", "--from", "haproxy-appliance-swop"],
        &["new", "other", "--from", SWAP, "--fault", "deploy-new=lost-replay"],
    ] {
        let ended = place.start(wrong);
        assert_eq!(ended.code, 2, "{wrong:?}: {}", ended.out);
        assert!(!ended.err.is_empty());
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}
