//! The other commands.

use grenadier_scenario::embedded;

use crate::support::{Place, SWAP};

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let ended = Place::new().start(&["schema"]);
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/schema.json");
    assert_eq!(ended.code, 0);
    let same = ended.out == std::fs::read_to_string(kept).unwrap();
    assert!(same, "it has changed: grenadier schema > scenarios/schema.json");
}

#[test]
fn the_reference_is_the_one_in_the_repository() {
    let ended = Place::new().start(&["schema", "--reference"]);
    assert_eq!(ended.code, 0);
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scenario.md");
    let same = ended.out == std::fs::read_to_string(kept).unwrap();
    assert!(same, "it has changed: grenadier schema --reference > docs/scenario.md");
}

/// No engine answers here, and no folder may appear.
#[test]
fn a_plan_is_printed_and_nothing_is_run() {
    let place = Place::new();
    let ended = place.start(&["plan", SWAP]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let steps =
        ["check-prerequisites", "copy-certificates", "deploy-new", "power-off-old", "power-on-new", "verify-routes"];
    let mut from = 0;
    for step in steps {
        let at = ended.out[from..].find(step).unwrap_or_else(|| panic!("{step} is not in order in:\n{}", ended.out));
        from += at;
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    for scenario in embedded() {
        assert_eq!(place.start(&["plan", scenario.name]).code, 0, "{}", scenario.name);
    }
}

#[test]
fn the_list_names_every_scenario_and_what_to_do_next() {
    let ended = Place::new().start(&["list"]);
    assert!(embedded().iter().all(|scenario| ended.out.contains(scenario.name)), "{}", ended.out);
    assert!(ended.out.ends_with("run one with: grenadier run <name>\n"));
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = Place::new().start(&["completions", shell]);
        assert_eq!(ended.code, 0, "{shell}");
        assert!(ended.out.contains("grenadier") && ended.out.contains("completions"), "{shell}");
    }
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let place = Place::new();
    let all = place.start(&["--help"]);
    let commands = all.out.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let names: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() >= 7, "{names:?}");
    let mut helps = vec![all.out.clone()];
    helps.extend(names.iter().map(|name| place.start(&[name, "--help"]).out));
    for help in helps {
        let examples = help.split_once("Example").map_or("", |(_, examples)| examples);
        assert!(examples.contains("\n  grenadier "), "{help}");
    }
}

/// An example that does not work is worse than none.
#[test]
fn the_examples_of_run_and_plan_are_accepted() {
    let place = Place::new();
    std::fs::copy(place.variant(SWAP, &[]), place.path().join("my-scenario.yaml")).unwrap();
    for command in [&["--help"][..], &["run", "--help"], &["plan", "--help"], &["list", "--help"]] {
        for line in place.start(command).out.lines().filter_map(|line| line.strip_prefix("  grenadier ")) {
            let line = line.split(" | ").next().unwrap();
            if line.contains("docker") {
                continue;
            }
            let arguments: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(place.start(&arguments).code, 0, "grenadier {line}");
        }
    }
}
