//! `grenadier compare`.

use std::path::PathBuf;

use grenadier_checks::ExitCode;
use grenadier_clock::Seed;
use grenadier_compare::{Comparison, Told, text, verdict};
use grenadier_events::{EventLog, World};
use grenadier_runner::{missing_in_docker, run_docker, run_virtual};
use grenadier_scenario::Case;
use thiserror::Error;

use super::leave::leave;
use crate::arguments::{Compare, Format};
use crate::output::{complain, line, print, report_as};

#[derive(Debug, Error)]
#[error("the docker world has no image {images}")]
struct NoImage {
    images: String,
}

pub(crate) fn run(arguments: &Compare) -> ExitCode {
    match compared(arguments) {
        Ok(code) | Err(code) => code,
    }
}

/// The exit code; an error where nothing was compared, after it was said why.
fn compared(arguments: &Compare) -> Result<ExitCode, ExitCode> {
    let format = arguments.format;
    let mut loaded = super::load::with_procedure(&arguments.chosen, format)?;
    super::load::faults(&mut loaded.scenario, &arguments.faults, format)?;
    let seed = Seed(arguments.seed.unwrap_or(loaded.scenario.seed));
    loaded.scenario.seed = seed.0;
    let mut timed = loaded.scenario.clone();
    super::load::timing(&mut timed, arguments.timing.as_deref(), format)?;
    let unfit = |error: &dyn std::error::Error, hint| report_as(format, ExitCode::Environment, error, hint);
    // Better now than after the first of two runs.
    let missing = missing_in_docker(&loaded.scenario).map_err(|error| unfit(&error, error.hint()))?;
    if !missing.is_empty() {
        let images = missing.join(", ");
        return Err(unfit(&NoImage { images }, Some("`grenadier images` makes what is missing")));
    }
    let folder = arguments.out.clone();
    let folder = folder.unwrap_or_else(|| {
        let other =
            loaded.scenario.engine.in_place_of.as_ref().map(|_| format!("-{}", loaded.scenario.engine.procedure));
        PathBuf::from("grenadier-runs").join(format!("{}{}-compare", loaded.scenario.name, other.unwrap_or_default()))
    });
    let replay = |world| {
        let timing = arguments.timing.as_deref().filter(|_| world == World::Virtual);
        arguments.chosen.run_again(world, seed, &arguments.faults, timing)
    };
    let simulated = run_virtual(&timed, seed, &replay(World::Virtual), EventLog::default());
    let talks = format == Format::Text && !arguments.quiet.quiet;
    if talks {
        complain(&format!("virtual  {}\n", simulated.verdict.summary));
    }
    let real = run_docker(&loaded.scenario, seed, &replay(World::Docker), EventLog::default(), folder.join("docker"));
    let real = real.map_err(|error| unfit(&error, error.hint()))?;
    if talks {
        complain(&format!("docker   {}\n", real.verdict.summary));
    }
    for (output, world, scenario) in [(&simulated, "virtual", &timed), (&real, "docker", &loaded.scenario)] {
        let case = Case { declared: loaded.scenario.clone(), ..Case::of(loaded.origin(), scenario.clone()) };
        let written = leave(&folder.join(world), &case, output);
        written.map_err(|error| unfit(&error, Some("choose another folder with --out")))?;
    }
    let (first, second) = (simulated.log.events(), real.log.events());
    let comparison = Comparison::of(
        Told { events: &first, verdict: &simulated.verdict },
        Told { events: &second, verdict: &real.verdict },
    );
    match format {
        Format::Json => print(&comparison.to_json()),
        Format::Text if arguments.quiet.quiet => line(&verdict(&comparison)),
        Format::Text => {
            print(&text(&comparison));
            line(&format!("{} has both runs", folder.display()));
        }
    }
    Ok(comparison.exit_code())
}
