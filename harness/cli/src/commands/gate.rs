//! `grenadier gate`.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use grenadier_checks::ExitCode;
use grenadier_explore::Watch;
use grenadier_gate::{
    DEFAULT_PROFILE, Gate, GateFolder, GatherError, Job, ProfileError, Progress, Row, Status, Worlds, default_profile,
    gather, load_profile, plan, read_baseline,
};
use grenadier_scenario::Profile;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::{Format, Gate as Arguments, Quiet};
use crate::output::{complain, line, print, report_as};

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    if arguments.print_profile {
        print(DEFAULT_PROFILE);
        return ExitCode::Passed;
    }
    match gated(arguments) {
        Ok(code) | Err(code) => code,
    }
}

/// The exit code; an error where nothing was run, after it was said why.
fn gated(arguments: &Arguments) -> Result<ExitCode, ExitCode> {
    let format = arguments.format;
    let (profile, jobs) = asked(arguments)?;
    let baseline = match &arguments.baseline {
        None => None,
        Some(folder) => {
            let hint = Some("name the folder that an earlier `grenadier gate --out` left");
            let before = read_baseline(folder).map_err(|error| report_as(format, ExitCode::Input, &error, hint))?;
            Some((before, folder.display().to_string()))
        }
    };
    let unwritable = |error| report_as(format, ExitCode::Environment, &error, Some("choose another folder with --out"));
    let folder = GateFolder::begin(&arguments.out).map_err(unwritable)?;
    let watching = Watching::new(jobs.len(), arguments.quiet);
    let worlds = Worlds { folder: folder.path().to_owned(), workers: arguments.workers };
    let began = Instant::now();
    let gated = grenadier_gate::run(jobs, &worlds, arguments.workers, &watching);
    watching.bar.finish_and_clear();
    let rows: Vec<Row> = gated.iter().map(|gated| gated.row.clone()).collect();
    let workers = arguments.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let against = baseline.as_ref().map(|(before, folder)| (before, folder.clone()));
    let gate = Gate::of(&profile, rows, against, workers as u64, began.elapsed().as_secs_f64());
    let written = folder.finish(&gate, &gated);
    match format {
        Format::Json => print(&gate.to_json()),
        Format::Text if arguments.quiet.quiet => line(&gate.summary),
        Format::Text => print(&grenadier_gate::text(&gate, &folder.path().display().to_string())),
    }
    super::github::tell(&grenadier_gate::annotations(&gate), &grenadier_gate::summary(&gate), format, arguments.quiet);
    written.map_err(|error| {
        report_as(Format::Text, ExitCode::Environment, &error, Some("choose another folder with --out"))
    })?;
    Ok(gate.exit_code())
}

/// The profile, and what it asks for.
fn asked(arguments: &Arguments) -> Result<(Profile, Vec<Job>), ExitCode> {
    let format = arguments.format;
    let profile = match &arguments.profile {
        None => default_profile(),
        Some(path) => load_profile(path).map_err(|error| match error {
            ProfileError::Read { .. } => {
                let hint = Some("`grenadier gate --print-profile > gate.toml` makes one to begin with");
                report_as(format, ExitCode::Input, &error, hint)
            }
            ProfileError::Invalid(problems) => super::load::complained(&[problems.into()], format),
        })?,
    };
    let scenarios = gather(&profile.sources).map_err(|error| ungathered(error, format))?;
    profile.fits(&scenarios).map_err(|problems| super::load::complained(&[problems.into()], format))?;
    let jobs = plan(&profile, scenarios);
    let jobs = jobs.map_err(|error| report_as(format, ExitCode::Input, &error, Some(&error.hint())))?;
    Ok((profile, jobs))
}

/// Tells everything that is wrong with the scenarios.
fn ungathered(error: GatherError, format: Format) -> ExitCode {
    match error {
        GatherError::Load(problems) => super::load::complained(&problems, format),
        error => report_as(format, ExitCode::Input, &error, error.hint()),
    }
}

/// What is being done, in a line on a terminal; elsewhere a line for each row that has ended.
pub(super) struct Watching {
    pub(super) bar: ProgressBar,
    quiet: Quiet,
    stop: &'static AtomicBool,
}

impl Watching {
    pub(super) fn new(jobs: usize, quiet: Quiet) -> Watching {
        let stop = super::signals::listen();
        let shown = !quiet.quiet && std::io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new(jobs as u64) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{pos} of {len}  {wide_bar}  {msg}  {elapsed}");
        bar.set_style(style.expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Watching { bar, quiet, stop }
    }
}

impl Watch for Watching {
    fn begins(&self, cases: u64) {
        self.bar.inc_length(cases);
    }

    fn ran(&self, _failed: bool) {
        self.bar.inc(1);
    }

    fn stop(&self) -> &AtomicBool {
        self.stop
    }
}

impl Progress for Watching {
    fn began(&self, job: &Job) {
        self.bar.set_message(job.name());
    }

    fn ended(&self, row: &Row) {
        self.bar.inc(1);
        if self.quiet.quiet {
            return;
        }
        let text = format!("{:11}  {}  {:.2} s", row.status.word(), row.name, row.seconds);
        // On a terminal the bar tells of what passes, and the table follows.
        match (self.bar.is_hidden(), row.status) {
            (true, _) => complain(&format!("{text}\n")),
            (false, Status::Passed) => {}
            (false, _) => self.bar.println(text),
        }
    }
}
