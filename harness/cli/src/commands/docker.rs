//! Running in the docker world.

use grenadier_checks::ExitCode;
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_runner::RunOutput;
use grenadier_scenario::Scenario;

pub(crate) fn run(_scenario: &Scenario, _seed: Seed, _replay: &str, _log: EventLog) -> Result<RunOutput, ExitCode> {
    eprintln!("error: the docker world is not built in");
    Err(ExitCode::Environment)
}
