//! `grenadier suggest`.

use std::io::Read;
use std::path::Path;

use grenadier_checks::{ExitCode, Word};
use grenadier_clock::Seed;
use grenadier_events::{EventLog, World};
use grenadier_explore::{Suggestion, calls_of, steps_of, suggest};
use grenadier_outputs::{Suggestions, pretty};
use grenadier_runner::{run_command, run_virtual};

use crate::arguments::{Format, Suggest};
use crate::output::{complain, line, print, report_as};

pub(crate) fn run(arguments: &Suggest) -> ExitCode {
    let format = arguments.format;
    let loaded = match super::load::with_procedure(&arguments.chosen, format) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let log = match read(&arguments.log) {
        Ok(log) => log,
        Err(error) => {
            let hint = Some("name the engine's log, or - to read it from standard input");
            return report_as(format, ExitCode::Input, &error, hint);
        }
    };
    let seed = Seed(loaded.scenario.seed);
    let run = run_command(&arguments.chosen.scenario, arguments.chosen.procedure.as_deref(), World::Virtual, seed);
    let output = run_virtual(&loaded.scenario, seed, &run, EventLog::default());
    if output.verdict.verdict != Word::Passed {
        complain(&format!(
            "the undisturbed run does not pass, so its calls may not be all: {}\n",
            output.verdict.summary
        ));
    }
    let (calls, steps) = output.log.with(|events| (calls_of(events).0, steps_of(events, &output.roles)));
    let found = suggest(&calls, &steps, &log, arguments.most);
    match format {
        Format::Json => {
            print(&pretty(&Suggestions::of(&loaded.scenario.name, &run, &found)));
        }
        Format::Text if arguments.quiet.quiet => found.iter().for_each(|known| line(&known.fault.to_string())),
        Format::Text if found.is_empty() => {
            line(&format!(
                "no line names a call or a step of {} and what went wrong with it",
                arguments.chosen.scenario
            ));
            line(&format!("see what it calls: grenadier plan {}", arguments.chosen.scenario));
        }
        Format::Text => {
            for known in &found {
                let Suggestion { fault, line: number, text, words: [named, symptom], .. } = known;
                line(&fault.to_string());
                line(&format!("  line {number} says \"{symptom}\" of {named}: {text}"));
                line(&format!("  try  {run} --fault '{fault}'"));
            }
        }
    }
    ExitCode::Passed
}

/// A log may hold anything.
fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(path)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
