//! `grenadier replay`.

use std::io::IsTerminal;
use std::path::PathBuf;

use grenadier_checks::ExitCode;
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_explore::{Replayed, docker_case, replay};
use grenadier_report::{Ending, Live, Style, ending, json, verdict_line};
use grenadier_runner::{DECLARED, run_docker};
use grenadier_scenario::Case;
use thiserror::Error;

use super::leave::leave;
use crate::arguments::{Format, Replay, World};
use crate::output::{line, print, report_as};

/// The run cannot go as far as it is asked to.
#[derive(Debug, Error)]
enum UntilError {
    #[error("{procedure} has no step `{step}`")]
    NoSuchStep { procedure: &'static str, step: String },
    #[error("the run never came to the end of step `{step}`")]
    Never { step: String },
    #[error("only the virtual world stops at a step")]
    Docker,
}

/// A case turns over what nobody simulates.
#[derive(Debug, Error)]
#[error("no simulator has a behaviour `{0}` that could be turned over")]
struct NoBehaviour(String);

fn known_behaviour(id: &str) -> bool {
    let mut behaviours = DECLARED.iter().flat_map(|declared| declared.behaviours);
    behaviours.any(|behaviour| behaviour.id == id && behaviour.otherwise.is_some())
}

pub(crate) fn run(arguments: &Replay) -> ExitCode {
    let format = arguments.format;
    let case = match super::load::case(&arguments.case, format) {
        Ok(case) => case,
        Err(code) => return code,
    };
    if let Some(unknown) = case.overturned.iter().find(|id| !known_behaviour(id)) {
        let hint = Some("`grenadier fidelity` lists the behaviours");
        return report_as(format, ExitCode::Input, &NoBehaviour(unknown.clone()), hint);
    }
    if let Err((error, hint)) = can_stop(arguments, &case) {
        return report_as(format, ExitCode::Input, &error, hint.as_deref());
    }
    let terminal = std::io::stdout().is_terminal();
    let style = Style::detect(terminal, std::env::var_os("NO_COLOR").as_deref(), std::env::var_os("TERM").as_deref());
    let log = EventLog::default();
    if format == Format::Text && !arguments.quiet.quiet {
        log.observe(Live::new(Box::new(std::io::stdout()), style, terminal).observer());
    }
    let folder = (!arguments.no_folder).then(|| folder(arguments, &case));
    let replayed = match replayed(arguments, &case, log, folder.clone()) {
        Ok(replayed) => replayed,
        Err(code) => return code,
    };
    if let Some(path) = &folder {
        let written = leave(path, &case, &replayed.output);
        if let Err(error) = written {
            return report_as(format, ExitCode::Environment, &error, Some("choose another folder with --out"));
        }
    }
    let folder = folder.map(|folder| folder.display().to_string());
    let verdict = &replayed.output.verdict;
    match format {
        Format::Json => print(&json(verdict)),
        Format::Text if arguments.quiet.quiet => print(&verdict_line(verdict, style)),
        Format::Text => {
            if let Some(shows) = &replayed.shows {
                line(&format!("shows  {shows}"));
            }
            print(&ending(verdict, &Ending { folder, next: None }, style));
        }
    }
    match &arguments.until {
        None => verdict.exit_code(),
        Some(_) if replayed.reached => ExitCode::Passed,
        Some(step) => {
            let hint = Some("see where it ends without --until");
            report_as(Format::Text, ExitCode::Environment, &UntilError::Never { step: step.clone() }, hint)
        }
    }
}

/// The run, or the exit code after it was said why there is none.
fn replayed(arguments: &Replay, case: &Case, log: EventLog, folder: Option<PathBuf>) -> Result<Replayed, ExitCode> {
    let format = arguments.format;
    let command = command(arguments);
    match arguments.world {
        World::Virtual => replay(case, &command, log, arguments.until.as_deref())
            .map_err(|error| report_as(format, error.verdict.exit_code(), &error, None)),
        World::Docker => {
            let unfit = |error| report_as(format, ExitCode::Input, &error, Some("replay it in the virtual world"));
            let scenario = docker_case(case).map_err(unfit)?;
            let folder = folder.unwrap_or_else(|| self::folder(arguments, case));
            run_docker(&scenario, Seed(scenario.seed), &command, log, folder)
                .map(|output| Replayed { output, shows: None, reached: true })
                .map_err(|error| report_as(format, ExitCode::Environment, &error, error.hint()))
        }
    }
}

fn can_stop(arguments: &Replay, case: &Case) -> Result<(), (UntilError, Option<String>)> {
    let Some(step) = &arguments.until else { return Ok(()) };
    if arguments.world == World::Docker {
        return Err((UntilError::Docker, Some("leave out --until, or --world docker".to_owned())));
    }
    let procedure = case.scenario.procedure();
    if procedure.step(step).is_some() {
        return Ok(());
    }
    let steps: Vec<&str> = procedure.steps.iter().map(|step| step.name).collect();
    let error = UntilError::NoSuchStep { procedure: procedure.name, step: step.clone() };
    Err((error, Some(format!("its steps are {}", steps.join(", ")))))
}

/// The command that does this again.
fn command(arguments: &Replay) -> String {
    let name = &arguments.case;
    let quoted = if name.contains(char::is_whitespace) { format!("'{name}'") } else { name.clone() };
    let world = if arguments.world == World::Docker { " --world docker" } else { "" };
    let until = arguments.until.as_ref().map(|step| format!(" --until {step}")).unwrap_or_default();
    format!("grenadier replay {quoted}{world}{until}")
}

fn folder(arguments: &Replay, case: &Case) -> PathBuf {
    let name = || format!("{}-replay-{}", case.scenario.name, case.scenario.seed);
    arguments.out.clone().unwrap_or_else(|| PathBuf::from("grenadier-runs").join(name()))
}
