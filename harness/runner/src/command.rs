//! How a run is called for on the command line.

use grenadier_clock::Seed;
use grenadier_events::World;

/// The command that makes a run again, alike: of the scenario with this name or path, with another procedure than its own
/// where one is named.
pub fn run_command(scenario: &str, procedure: Option<&str>, world: World, seed: Seed) -> String {
    let quoted = if scenario.contains(char::is_whitespace) { format!("'{scenario}'") } else { scenario.to_owned() };
    let procedure = procedure.map(|name| format!(" --procedure {name}")).unwrap_or_default();
    let world = match world {
        World::Virtual => "",
        World::Docker => " --world docker",
    };
    format!("grenadier run {quoted}{procedure}{world} --seed {seed}")
}
