//! Running in the docker world.

use std::path::PathBuf;

use grenadier_checks::ExitCode;
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_runner::{RunOutput, run_docker};
use grenadier_scenario::Scenario;

/// Runs `scenario` on the Docker engine; raw samples go to `folder`.
pub(crate) fn run(
    scenario: &Scenario,
    seed: Seed,
    replay: &str,
    log: EventLog,
    folder: PathBuf,
) -> Result<RunOutput, ExitCode> {
    run_docker(scenario, seed, replay, log, folder)
        .map_err(|error| crate::report(ExitCode::Environment, &error, error.hint()))
}
