//! Running in the docker world.

use std::path::PathBuf;

use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_runner::{DockerError, RunOutput, run_docker};
use grenadier_scenario::Scenario;

/// Runs `scenario` on the Docker engine; raw samples go to `folder`.
pub(crate) fn run(
    scenario: &Scenario,
    seed: Seed,
    replay: &str,
    log: EventLog,
    folder: PathBuf,
) -> Result<RunOutput, DockerError> {
    run_docker(scenario, seed, replay, log, folder)
}
