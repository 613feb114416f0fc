//! Every scenario of the product, run in the virtual world: it passes, and what it came to is what was once found right.

use std::process::ExitCode;

use grenadier_checks::Word;
use grenadier_scenario::embedded;
use grenadier_tests::{Golden, run, scenario, skeleton, summary};
use libtest_mimic::{Arguments, Failed, Trial};

/// The scenario whose whole log is kept. The others' logs are guarded by the determinism tests.
const RECORDED: &str = "haproxy-appliance-swap";

fn main() -> ExitCode {
    let mut trials: Vec<Trial> =
        embedded().iter().map(|scenario| Trial::test(scenario.name, || passes(scenario.name))).collect();
    trials.push(Trial::test("the_log_of_the_swap_is_as_recorded", recorded));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn passes(name: &str) -> Result<(), Failed> {
    let output = run(&scenario(name));
    let text = summary(&output.verdict);
    if output.verdict.verdict != Word::Passed {
        return Err(format!("{name} did not pass:\n{text}").into());
    }
    Ok(Golden::named(&format!("{name}.txt")).check(&text)?)
}

/// The skeleton first: where the log differs, a person sees how. The hash holds everything else.
fn recorded() -> Result<(), Failed> {
    let log = run(&scenario(RECORDED)).log;
    log.with(|events| Golden::named(&format!("{RECORDED}.events.txt")).check(&skeleton(events)))?;
    Ok(Golden::named(&format!("{RECORDED}.sha256")).check(&format!("{}\n", log.hash()))?)
}
