//! `grenadier calibrate`.

use grenadier_calibrate::{Calibration, Measured, in_log, text, verdict};
use grenadier_checks::{ExitCode, Verdict, Word};
use grenadier_clock::Seed;
use grenadier_compare::{Comparison, Told};
use grenadier_events::EventLog;
use grenadier_runner::{missing_in_docker, run_docker, run_virtual, set_in_docker, time_operations};
use grenadier_scenario::TimingProfile;
use thiserror::Error;

use crate::arguments::{Calibrate, Format};
use crate::output::{complain, line, print, report_as};

/// What is rehearsed to measure runs.
const SWAP: &str = "haproxy-appliance-swap";

/// How often everything is done to a machine of its own.
const ROUNDS: usize = 5;

#[derive(Debug, Error)]
enum CalibrateError {
    #[error("the docker world has no image {images}")]
    NoImage { images: String },
    #[error("a run that was to be measured did not pass: {summary}")]
    NotPassed { summary: String },
    #[error("make a folder for the runs")]
    Folder(#[source] std::io::Error),
    #[error("write {path}")]
    Write {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

pub(crate) fn run(arguments: &Calibrate) -> ExitCode {
    match calibrated(arguments) {
        Ok(()) => ExitCode::Passed,
        Err(code) => code,
    }
}

/// Measures; the exit code after it was said why nothing was.
fn calibrated(arguments: &Calibrate) -> Result<(), ExitCode> {
    let format = arguments.format;
    let unfit = |error: &dyn std::error::Error, hint| report_as(format, ExitCode::Environment, error, hint);
    let mut scenario = super::load::scenario(SWAP, format)?.scenario;
    let missing = missing_in_docker(&scenario).map_err(|error| unfit(&error, error.hint()))?;
    if !missing.is_empty() {
        let error = CalibrateError::NoImage { images: missing.join(", ") };
        return Err(unfit(&error, Some("`grenadier images` makes what is missing")));
    }
    let talks = format == Format::Text && !arguments.quiet.quiet;
    let (machine, lengths) = time_operations(ROUNDS).map_err(|error| unfit(&error, error.hint()))?;
    let mut measured = Measured::default();
    lengths.into_iter().for_each(|(field, length)| measured.add(field, length));
    if talks {
        complain(&format!("operations  {ROUNDS} rounds on a machine of its own\n"));
    }
    let seed = Seed(scenario.seed);
    let place = tempfile::tempdir().map_err(|error| unfit(&CalibrateError::Folder(error), None))?;
    let mut last = None;
    for run in 1..=arguments.runs {
        let folder = place.path().join(run.to_string());
        let real = run_docker(&scenario, seed, "grenadier calibrate", EventLog::default(), folder);
        let real = real.map_err(|error| unfit(&error, error.hint()))?;
        if talks {
            complain(&format!("run {run} of {}  {}\n", arguments.runs, real.verdict.summary));
        }
        passed(&real.verdict, format)?;
        measured.extend(real.log.with(in_log));
        last = Some(real);
    }
    let real = last.expect("there is at least one run");
    let runs = usize::try_from(arguments.runs).expect("there are few");
    let date = today();
    let mut calibration = Calibration::of(date, machine, runs, &measured, &set_in_docker());
    scenario.timing.profile = TimingProfile::Own(calibration.lengths());
    let simulated = run_virtual(&scenario, seed, "grenadier calibrate", EventLog::default());
    let (first, second) = (simulated.log.events(), real.log.events());
    calibration.outages = Comparison::of(
        Told { events: &first, verdict: &simulated.verdict },
        Told { events: &second, verdict: &real.verdict },
    )
    .outages;
    let json = calibration.to_json();
    let path = arguments.out.display().to_string();
    std::fs::write(&arguments.out, &json).map_err(|source| {
        let error = CalibrateError::Write { path: path.clone(), source };
        unfit(&error, Some("choose another file with --out"))
    })?;
    match format {
        Format::Json => print(&json),
        Format::Text if arguments.quiet.quiet => line(&verdict(&calibration)),
        Format::Text => {
            print(&text(&calibration));
            line("");
            line(&verdict(&calibration));
            line(&format!("next: grenadier run {SWAP} --timing {path}"));
        }
    }
    Ok(())
}

fn passed(verdict: &Verdict, format: Format) -> Result<(), ExitCode> {
    if verdict.verdict == Word::Passed {
        return Ok(());
    }
    let error = CalibrateError::NotPassed { summary: verdict.summary.clone() };
    let code = if verdict.verdict == Word::Interrupted { ExitCode::Interrupted } else { ExitCode::Environment };
    Err(report_as(
        format,
        code,
        &error,
        Some("`grenadier doctor` says whether this machine is fit for the docker world"),
    ))
}

/// The day in UTC.
#[allow(clippy::disallowed_methods, reason = "a calibration says on which day it was made, and nothing hangs on it")]
fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}
