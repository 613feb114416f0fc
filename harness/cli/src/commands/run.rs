//! `grenadier run`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Instant;

use grenadier_checks::ExitCode;
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_report::{Ending, Live, Style, ending, json, verdict_line};
use grenadier_runner::{RunOutput, run_docker, run_virtual};
use grenadier_scenario::{Case, Loaded, Scenario};
use thiserror::Error;

use super::leave::leave;
use crate::arguments::{Format, Run, World};
use crate::output::{line, print, report_as};

#[derive(Debug, Error)]
#[error("a timing profile is for the virtual world; in the docker world things take as long as they take")]
struct RealTime;

pub(crate) fn run(arguments: &Run) -> ExitCode {
    let mut loaded = match super::load::with_procedure(&arguments.chosen, arguments.format) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    if let Err(code) = super::load::faults(&mut loaded.scenario, &arguments.faults, arguments.format) {
        return code;
    }
    if arguments.timing.is_some() && arguments.world == World::Docker {
        let hint = Some("leave --timing away, or leave --world docker away");
        return report_as(arguments.format, ExitCode::Input, &RealTime, hint);
    }
    let mut declared = loaded.scenario.clone();
    if let Err(code) = super::load::timing(&mut loaded.scenario, arguments.timing.as_deref(), arguments.format) {
        return code;
    }
    let seed = Seed(arguments.seed.unwrap_or(loaded.scenario.seed));
    declared.seed = seed.0;
    if let Some(times) = arguments.repeat {
        return repeat(&loaded, seed, times);
    }
    let terminal = std::io::stdout().is_terminal();
    let style = Style::detect(terminal, std::env::var_os("NO_COLOR").as_deref(), std::env::var_os("TERM").as_deref());
    let log = EventLog::default();
    if arguments.format == Format::Text && !arguments.quiet.quiet {
        log.observe(Live::new(Box::new(std::io::stdout()), style, terminal).observer());
    }
    let replay = replay(arguments, seed);
    let output = match arguments.world {
        World::Virtual => run_virtual(&loaded.scenario, seed, &replay, log),
        World::Docker => match run_docker(&loaded.scenario, seed, &replay, log, folder(arguments, seed, &loaded)) {
            Ok(output) => output,
            Err(error) => return report_as(arguments.format, ExitCode::Environment, &error, error.hint()),
        },
    };
    let folder = match write(arguments, seed, &loaded, declared, &output) {
        Ok(folder) => folder,
        Err(error) => {
            let hint = Some("choose another folder with --out");
            return report_as(arguments.format, ExitCode::Environment, &error, hint);
        }
    };
    match arguments.format {
        Format::Json => print(&json(&output.verdict)),
        Format::Text if arguments.quiet.quiet => print(&verdict_line(&output.verdict, style)),
        Format::Text => print(&ending(&output.verdict, &Ending { folder, next: None }, style)),
    }
    let annotation = grenadier_gate::of_run(&output.verdict, &loaded);
    let summary = grenadier_gate::summary_of_run(&output.verdict);
    super::github::tell(annotation.as_slice(), &summary, arguments.format, arguments.quiet);
    output.verdict.exit_code()
}

/// The command that runs this again, alike.
fn replay(arguments: &Run, seed: Seed) -> String {
    let world = match arguments.world {
        World::Virtual => grenadier_events::World::Virtual,
        World::Docker => grenadier_events::World::Docker,
    };
    arguments.chosen.run_again(world, seed, &arguments.faults, arguments.timing.as_deref())
}

/// The folder that explains the run.
fn folder(arguments: &Run, seed: Seed, loaded: &Loaded) -> PathBuf {
    arguments.out.clone().unwrap_or_else(|| {
        let world = match arguments.world {
            World::Virtual => "virtual",
            World::Docker => "docker",
        };
        let engine = &loaded.scenario.engine;
        let other = engine.in_place_of.as_ref().map(|_| format!("-{}", engine.procedure)).unwrap_or_default();
        PathBuf::from("grenadier-runs").join(format!("{}{other}-{world}-{seed}", loaded.scenario.name))
    })
}

/// Leaves the folder that explains the run, and says where.
fn write(
    arguments: &Run,
    seed: Seed,
    loaded: &Loaded,
    declared: Scenario,
    output: &RunOutput,
) -> Result<Option<String>, grenadier_report::FolderError> {
    if arguments.no_folder {
        return Ok(None);
    }
    let path = folder(arguments, seed, loaded);
    let mut case = Case { declared, ..Case::of(loaded.origin(), loaded.scenario.clone()) };
    case.scenario.seed = seed.0;
    leave(&path, &case, output)?;
    Ok(Some(path.display().to_string()))
}

/// Runs it `times` times and says how long a run took once everything was warm.
fn repeat(loaded: &Loaded, seed: Seed, times: u32) -> ExitCode {
    let mut lengths = Vec::new();
    let mut last = None;
    for _ in 0..times.max(1) {
        let began = Instant::now();
        let output = run_virtual(&loaded.scenario, seed, "", EventLog::default());
        lengths.push(began.elapsed());
        last = Some(output);
    }
    lengths.sort();
    let output = last.expect("it ran at least once");
    line(&format!(
        "{} runs of {} events: median {:.3} ms, fastest {:.3} ms, slowest {:.3} ms",
        lengths.len(),
        output.log.len(),
        lengths[lengths.len() / 2].as_secs_f64() * 1e3,
        lengths[0].as_secs_f64() * 1e3,
        lengths[lengths.len() - 1].as_secs_f64() * 1e3,
    ));
    output.verdict.exit_code()
}
