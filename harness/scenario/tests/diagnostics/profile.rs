//! What people read when a gate's profile is wrong.

use grenadier_scenario::{Diagnostics, Loaded, Style, embedded, load, parse_profile};

/// A profile without problems, which each test breaks in its own way.
const SOUND: &str = r#"scenarios = ["embedded", "mine"]

[[run]]
world = "virtual"
labels = ["base", "field"]
require = ["outage"]

[[run]]
world = "docker"
files = ["haproxy-appliance-swap", "**/field/*.yaml"]
retries = 2
allow-flaky = true
must-run = true
outage-tolerance = "5s"

[[explore]]
systems = ["haproxy-appliance"]
upgrades = ["*->v0.2.0"]
budget = 500
shard = {k = 1, n = 4}
"#;

fn problems(from: &str, to: &str) -> Diagnostics {
    assert!(SOUND.contains(from), "`{from}` is not in the sound profile");
    parse_profile(&SOUND.replacen(from, to, 1), "gate.toml").expect_err("a profile with problems")
}

/// `line:column: message; help` of each problem.
fn told(problems: &Diagnostics) -> Vec<String> {
    let line = |problem: &grenadier_scenario::Problem| {
        let help = problem.help.as_deref().unwrap_or("no hint");
        format!("{}:{}: {}; {help}", problem.line, problem.column, problem.message)
    };
    problems.iter().map(line).collect()
}

fn all() -> Vec<Loaded> {
    embedded().iter().map(|scenario| load(scenario.name).unwrap()).collect()
}

#[test]
fn the_profile_that_the_tests_break_is_sound() {
    let profile = parse_profile(SOUND, "gate.toml").unwrap();
    assert_eq!((profile.runs.len(), profile.explorations.len()), (2, 1));
    profile.fits(&all()).unwrap();
}

#[test]
fn each_slip_is_told_once_with_its_place_and_a_hint() {
    for (from, to, want) in [
        ("labels", "label", "5:1: unknown key `label`; did you mean `labels`?"),
        ("[[explore]]", "[[explor]]", "16:3: unknown key `explor`; did you mean `explore`?"),
        ("[[explore]]", "[explore]", "16:2: expected rules; got a mapping; begin each rule with the line [[explore]]"),
        ("world = \"docker\"", "world = \"doker\"", "9:9: unknown world `doker`; did you mean `docker`?"),
        ("world = \"docker\"\n", "", "8:1: missing key `world`; a run needs `world`"),
        ("\"outage\"", "\"outages\"", "6:12: unknown check `outages`; did you mean `outage`?"),
        (
            "\"outage\"",
            "\"differential\"",
            "6:11: check `differential` is never made in a run in the virtual world; leave it out: such a gate could not pass",
        ),
        ("retries = 2", "retries = 20", "11:11: expected a whole number from 0 to 10; got the number 20; no hint"),
        (
            "retries = 2",
            "retries = \"2\"",
            "11:11: expected a whole number from 0 to 10; got `2`; leave the quotes out",
        ),
        (
            "require",
            "retries = 1\nrequire",
            "6:1: `retries` says nothing about the virtual world; leave it out: the virtual world is always there, and a \
             run in it always comes out alike",
        ),
        (
            "\"5s\"",
            "5",
            "14:20: expected a duration such as 10ms, 90s, 5m; got the number 5; add the unit: 5ms, 5s or 5m",
        ),
        ("haproxy-appliance\"", "haproxy\"", "17:12: unknown system `haproxy`; the only system is haproxy-appliance"),
        (
            "*->v0.2.0",
            "v0.2.0",
            "18:13: expected an upgrade such as \"v0.1.10->v0.2.0\"; got `v0.2.0`; a star stands for any version: \
             \"*->v0.2.0\"",
        ),
        ("k = 1", "k = 5", "20:14: expected a whole number from 1 to 4; got the number 5; no hint"),
        (
            "[\"base\", \"field\"]",
            "[]",
            "5:10: `labels` has no values, so no scenario fits; name some, or leave the key out",
        ),
        (
            "[\"embedded\", \"mine\"]",
            "[]",
            "1:13: there are no scenarios; name a folder, or \"embedded\" for those that come with the product",
        ),
    ] {
        assert_eq!(told(&problems(from, to)), [want], "{from} → {to}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    let told = told(&problems("budget = 500", "budget ="));
    assert!(told[0].starts_with("19:9: this is no TOML: "), "{told:?}");
    assert!(told[0].ends_with("each rule below a line such as [[run]]"), "{told:?}");
}

#[test]
fn an_empty_profile_would_pass_everything() {
    let problems = parse_profile("scenarios = [\"embedded\"]\n", "gate.toml").unwrap_err();
    assert!(problems.render(Style::Plain).contains("the profile asks for nothing"), "{problems}");
}

#[test]
fn what_no_scenario_has_is_told_with_its_place() {
    let scenarios = all();
    for (from, to, want) in [
        ("\"field\"", "\"fields\"", "5:19: no scenario has the label `fields`; did you mean `field`?"),
        (
            "haproxy-appliance-swap",
            "haproxy-appliance-swop",
            "10:10: no scenario has the name or file `haproxy-appliance-swop`; did you mean `haproxy-appliance-swap`?",
        ),
        (
            "*->v0.2.0",
            "v0.2.0->v0.1.10",
            "18:13: no scenario upgrades v0.2.0->v0.1.10; upgrades: v0.1.10->v0.1.10, v0.1.10->v0.2.0, v0.1.10->v0.3.0 (like v0.2.0), v0.1.7 (like \
             v0.1.8)->v0.1.8, v0.1.8->v0.1.9",
        ),
        (
            "upgrades = [\"*->v0.2.0\"]",
            "labels = [\"base\"]\nfiles = [\"*-power-on-fails\"]",
            "16:1: no scenario is chosen by this rule; a scenario must fit one value of each key: leave a key out, or the rule",
        ),
    ] {
        assert!(SOUND.contains(from));
        let profile = parse_profile(&SOUND.replacen(from, to, 1), "gate.toml").unwrap();
        assert_eq!(told(&profile.fits(&scenarios).unwrap_err()), [want], "{from} → {to}");
    }
}

#[test]
fn a_rule_chooses_what_fits_a_value_of_each_of_its_keys() {
    let scenarios = all();
    let chosen = |keys: &str| -> Vec<&str> {
        let profile = parse_profile(&format!("[[explore]]\n{keys}\n"), "gate.toml").unwrap();
        let chooses = |loaded: &&Loaded| profile.explorations[0].choice.chooses(loaded);
        scenarios.iter().filter(chooses).map(|loaded| loaded.scenario.name.as_str()).collect()
    };
    assert_eq!(chosen("labels = ['base']"), ["haproxy-appliance-swap", "haproxy-appliance-upgrade"]);
    assert_eq!(chosen("labels = ['base', 'topology']\nfiles = ['*-swap*']").len(), 2);
    let field = chosen("files = ['field/*.yaml']");
    assert_eq!(field, chosen("labels = ['field']"));
    assert!(chosen("files = ['scenarios/*.yaml']").is_empty(), "a star ends at a slash");
    assert_eq!(chosen("files = ['scenarios/**/*.yaml']").len(), scenarios.len());
    assert_eq!(chosen("").len(), scenarios.len());
}
