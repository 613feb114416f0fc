//! The exit codes, and what is said with them.

use crate::support::{Place, SWAP, text};

#[test]
fn a_passed_run_ends_with_0() {
    let place = Place::new();
    let ended = place.start(&["run", SWAP]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
    assert!(
        ended.out.contains("PASSED") && ended.out.contains("replay  grenadier run haproxy-appliance-swap --seed 1")
    );
}

#[test]
fn a_failed_run_ends_with_1_and_names_the_check() {
    let place = Place::new();
    let file = place.variant(SWAP, &[("at-most: 90s", "at-most: 1s")]);
    let ended = place.start(&["run", text(&file)]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.out.contains("FAILED") && ended.out.contains("1s allowed"), "{}", ended.out);
}

#[test]
fn an_unknown_name_ends_with_2_and_a_suggestion() {
    let ended = Place::new().start(&["run", "haproxy-aplliance-swap"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.starts_with("error: no scenario is called `haproxy-aplliance-swap`"), "{}", ended.err);
    assert!(ended.err.contains("hint: did you mean `haproxy-appliance-swap`?"), "{}", ended.err);
}

#[test]
fn a_fault_of_the_command_line_acts_or_ends_with_2_and_a_hint() {
    let place = Place::new();
    let fault = "power-on-new/vsphere.PowerOnVM_Task#1=lost-reply";
    let ended = place.start(&["run", SWAP, "--fault", fault]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains(&format!("--seed 1 --fault '{fault}'")), "{}", ended.out);
    let ended = place.start(&["run", SWAP, "--fault", "power-onn-new/vsphere.PowerOnVM_Task#1=lost-reply"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("did you mean `power-on-new`?") && ended.err.contains("--fault:1:1"), "{}", ended.err);
}

#[test]
fn a_broken_scenario_ends_with_2_and_shows_every_problem_with_its_place() {
    let place = Place::new();
    let file = place.variant(
        SWAP,
        &[
            ("outcome: upgraded", "outcom: upgraded"),
            ("to: v0.2.0", "to: v0.9.0"),
            ("at-most: 90s", "at-most: soon"),
            ("{target: api,", "{target: apo,"),
        ],
    );
    let source = std::fs::read_to_string(&file).unwrap();
    for command in ["run", "plan"] {
        let ended = place.start(&[command, text(&file)]);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""));
        assert!(ended.err.ends_with(&format!("4 problems in {}\n", text(&file))), "{}", ended.err);
        for offending in ["outcom:", "v0.9.0", "soon", "apo,"] {
            let at = source.find(offending).unwrap();
            let line = source[..at].matches('\n').count() + 1;
            let column = at - source[..at].rfind('\n').unwrap();
            let place = format!("{}:{line}:{column}]", text(&file));
            assert!(ended.err.contains(&place), "{place} is not in:\n{}", ended.err);
        }
        assert!(ended.err.contains("did you mean `outcome`?"), "{}", ended.err);
    }
    assert!(!place.path().join("grenadier-runs").exists(), "nothing was run");
}

#[test]
fn a_file_that_is_not_there_and_wrong_usage_end_with_2() {
    let place = Place::new();
    for arguments in [&["run", "./none.yaml"][..], &["run"], &["walk"], &["run", SWAP, "--seed", "many"], &[]] {
        let ended = place.start(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!ended.err.is_empty());
    }
}

#[test]
fn a_docker_world_without_an_engine_ends_with_3_and_a_hint() {
    let place = Place::new();
    for arguments in [&["run", SWAP, "--world", "docker"][..], &["images"], &["clean"]] {
        let ended = place.start(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{arguments:?}");
        assert!(ended.err.starts_with("error: ") && ended.err.contains("\n  hint: "), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn a_fault_that_found_no_place_ends_with_3() {
    let place = Place::new();
    let fault = "faults: [{at: power-on-new/vsphere.PowerOnVM_Task#9, do: hang}]\nexpect:";
    let file = place.variant(SWAP, &[("expect:", fault)]);
    let ended = place.start(&["run", text(&file)]);
    assert_eq!(ended.code, 3, "{}", ended.out);
    assert!(ended.out.contains("power-on-new/vsphere.PowerOnVM_Task#9"), "{}", ended.out);
}

#[test]
fn a_folder_that_cannot_be_written_ends_with_3() {
    let place = Place::new();
    std::fs::write(place.path().join("file"), "").unwrap();
    let ended = place.start(&["run", SWAP, "--quiet", "--out", "file/run"]);
    assert_eq!(ended.code, 3, "{}", ended.out);
    assert!(ended.err.contains("hint: choose another folder with --out"), "{}", ended.err);
}

#[test]
fn an_unknown_procedure_ends_with_2_and_a_suggestion() {
    for command in ["run", "plan", "explore"] {
        let ended = Place::new().start(&[command, SWAP, "--procedure", "documentd"]);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{command}");
        assert!(ended.err.starts_with("error: haproxy-appliance has no procedure `documentd`"), "{}", ended.err);
        assert!(ended.err.contains("hint: did you mean `documented`?"), "{}", ended.err);
    }
}

#[test]
fn another_procedure_stands_in_the_report_in_the_replay_and_in_the_case() {
    let place = Place::new();
    let ended = place.start(&["run", SWAP, "--procedure", "documented", "--out", "other"]);
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("procedure  documented, in place of the scenario's own"), "{}", ended.out);
    assert!(
        ended.out.contains("grenadier run haproxy-appliance-swap --procedure documented --seed 1"),
        "{}",
        ended.out
    );
    let again = place.start(&["replay", "other/case.yaml", "--no-folder"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.out.contains("procedure  documented, in place of the scenario's own"), "{}", again.out);
}
