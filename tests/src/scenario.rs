//! Scenarios, variants of them, and running them.

use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_runner::{RunOutput, run_virtual};
use grenadier_scenario::{Scenario, embedded, parse};

/// The embedded scenario of this name.
///
/// # Panics
/// Where there is none.
pub fn scenario(name: &str) -> Scenario {
    variant(name, &[])
}

/// The embedded scenario of this name with parts of its text replaced.
///
/// It goes through the decoder like any file, so a variant is something a person could have written.
///
/// # Panics
/// Where there is no such scenario, a text to be replaced is not in it exactly once, or the result is no scenario.
pub fn variant(name: &str, edits: &[(&str, &str)]) -> Scenario {
    let found = embedded().iter().find(|scenario| scenario.name == name);
    let found = found.unwrap_or_else(|| panic!("no scenario is called `{name}`"));
    let mut text = found.source.to_owned();
    for (old, new) in edits {
        assert_eq!(text.matches(old).count(), 1, "`{old}` must be in {name} once");
        text = text.replace(old, new);
    }
    match parse(&text, found.path) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("the variant of {name} is no scenario:\n{problems}"),
    }
}

/// Runs it in the virtual world with its own seed.
pub fn run(scenario: &Scenario) -> RunOutput {
    run_with(scenario, Seed(scenario.seed))
}

/// Runs it in the virtual world.
pub fn run_with(scenario: &Scenario, seed: Seed) -> RunOutput {
    run_virtual(scenario, seed, "", EventLog::default())
}
