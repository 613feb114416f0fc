//! `grenadier paths`.

use std::path::PathBuf;

use grenadier_catalog::System;
use grenadier_checks::ExitCode;
use grenadier_gate::Worlds;
use grenadier_paths::{
    Evidence, FolderError, Paths, PathsFolder, Question, Rehearsing, State, Template, html, markdown, paths, text,
};
use grenadier_scenario::{Loaded, embedded, load, suggestion};
use thiserror::Error;

use super::gate::Watching;
use crate::arguments::{Format, PageFormat, Paths as Arguments, World};
use crate::output::{line, print, report, report_as};

/// The label of the scenarios that a system's upgrades are rehearsed with.
const BASE: &str = "base";

#[derive(Debug, Error)]
#[error("there is no system `{name}`")]
struct UnknownSystem {
    name: String,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match answered(arguments) {
        Ok(code) | Err(code) => code,
    }
}

/// The exit code; an error where nothing is shown, after it was said why.
fn answered(arguments: &Arguments) -> Result<ExitCode, ExitCode> {
    let format = arguments.format.of_errors();
    let question = question(arguments, format)?;
    let (found, folder) = if arguments.run {
        let folder = arguments.out.clone().unwrap_or_else(|| default_folder(arguments));
        rehearsed(arguments, &question, folder, format)?
    } else {
        let evidence = Evidence::read(&question, &arguments.results);
        let hint = Some("name the folder that holds the folders of runs with --results");
        let mut evidence = evidence.map_err(|error| report_as(format, ExitCode::Input, &error, hint))?;
        (paths(&question, &mut evidence), arguments.out.as_ref().map(|out| begin(out.clone(), format)).transpose()?)
    };
    let left = found.leaps.iter().any(|leap| leap.state == State::NotRehearsed);
    let written = folder.as_ref().map_or(Ok(()), |folder| folder.finish(&found));
    match arguments.format {
        PageFormat::Text => {
            if arguments.quiet.quiet {
                line(&found.summary);
                return finished(&found, written);
            }
            print(&text(&found));
            match &folder {
                Some(folder) => line(&format!("{} explains it", folder.path().display())),
                None if left => line(&format!("rehearse them: grenadier paths {} --run", found.system)),
                None => {}
            }
        }
        PageFormat::Json => print(&found.to_json()),
        PageFormat::Markdown => print(&markdown(&found)),
        PageFormat::Html => print(&html(&found, None)),
    }
    finished(&found, written)
}

/// The exit code of a matrix, unless its folder could not be written.
fn finished(found: &Paths, written: Result<(), FolderError>) -> Result<ExitCode, ExitCode> {
    written.map_err(|error| report(ExitCode::Environment, &error, Some("choose another folder with --out")))?;
    Ok(found.exit_code())
}

/// What is asked, or the exit code after it was said why it cannot be.
fn question(arguments: &Arguments, format: Format) -> Result<Question, ExitCode> {
    let Some(system) = System::find(&arguments.system) else {
        let names = System::all().iter().map(|system| system.name);
        let hint = suggestion("system", &arguments.system, names);
        let error = UnknownSystem { name: arguments.system.clone() };
        return Err(report_as(format, ExitCode::Input, &error, Some(&hint)));
    };
    let scenarios = scenarios(arguments, system, format)?;
    let templates = scenarios.iter().map(|loaded| Template::new(loaded, arguments.procedure.as_deref()));
    let templates: Result<Vec<Template>, _> = templates.collect();
    let templates = templates.map_err(|error| report_as(format, ExitCode::Input, &error, Some(&error.hint())))?;
    let question = Question::new(system, templates);
    let question = question
        .and_then(|question| question.between(arguments.from.as_deref(), arguments.to.as_deref(), &arguments.by));
    question.map_err(|error| report_as(format, ExitCode::Input, &error, Some(&error.hint())))
}

/// The scenarios that were named; else those of the system that are labelled `base`.
fn scenarios(arguments: &Arguments, system: &System, format: Format) -> Result<Vec<Loaded>, ExitCode> {
    if !arguments.scenario.is_empty() {
        return arguments.scenario.iter().map(|name| super::load::scenario(name, format)).collect();
    }
    let all = embedded().iter().filter_map(|scenario| load(scenario.name).ok());
    let is_base = |loaded: &Loaded| {
        loaded.scenario.system == system.name && loaded.scenario.labels.iter().any(|label| label == BASE)
    };
    Ok(all.filter(is_base).collect())
}

/// Rehearses what is asked.
fn rehearsed(
    arguments: &Arguments,
    question: &Question,
    folder: PathBuf,
    format: Format,
) -> Result<(Paths, Option<PathsFolder>), ExitCode> {
    let unwritable = Some("choose another folder with --out");
    let folder = begin(folder, format)?;
    let world = match arguments.world {
        World::Virtual => grenadier_catalog::World::Virtual,
        World::Docker => grenadier_catalog::World::Docker,
    };
    let watching = Watching::new(0, arguments.quiet);
    let worlds = Worlds { folder: folder.path().to_owned(), workers: arguments.workers };
    let rehearsing = Rehearsing::new(question, world, folder.path(), &worlds, arguments.workers, &watching);
    let mut rehearsing = rehearsing.map_err(|error| report_as(format, ExitCode::Input, &error, Some(&error.hint())))?;
    let found = paths(question, &mut rehearsing);
    watching.bar.finish_and_clear();
    let written = rehearsing.written();
    written.map_err(|error| report_as(format, ExitCode::Environment, &error, unwritable))?;
    Ok((found, Some(folder)))
}

fn begin(folder: PathBuf, format: Format) -> Result<PathsFolder, ExitCode> {
    let hint = Some("choose another folder with --out");
    PathsFolder::begin(folder).map_err(|error| report_as(format, ExitCode::Environment, &error, hint))
}

fn default_folder(arguments: &Arguments) -> PathBuf {
    let procedure = arguments.procedure.as_ref().map(|name| format!("-{name}")).unwrap_or_default();
    let world = if arguments.world == World::Docker { "-docker" } else { "" };
    PathBuf::from("grenadier-runs").join(format!("paths-{}{procedure}{world}", arguments.system))
}
