//! `grenadier explore`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use grenadier_checks::{ExitCode, Verdict};
use grenadier_clock::Seed;
use grenadier_events::World;
use grenadier_explore::{
    Assumptions, Exploration, ExploreFolder, Random, Settings, Speed, SubjectError, Watch, text, verdict_line,
};
use grenadier_runner::run_command;
use grenadier_scenario::Loaded;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::{Chosen, Explore, Format, Quiet};
use crate::output::{line, print, report_as};

pub(crate) fn run(arguments: &Explore) -> ExitCode {
    let loaded = match super::load::with_procedure(&arguments.chosen, arguments.format) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let origin = loaded.origin();
    let mut scenario = loaded.scenario.clone();
    let random = arguments.random.map(|schedules| Random { schedules, seed: arguments.seed.unwrap_or(scenario.seed) });
    if let (Some(seed), None) = (arguments.seed, random) {
        scenario.seed = seed;
    }
    let settings = Settings {
        workers: arguments.workers,
        budget: arguments.budget,
        pairs: arguments.order == 2,
        shard: arguments.shard,
        random,
    };
    let watching = Progress::new(arguments.quiet);
    if arguments.assumptions {
        let found = grenadier_explore::assumptions(&origin, &scenario, &settings, &watching);
        watching.bar.finish_and_clear();
        return leave_assumptions(&found, arguments);
    }
    let (name, began) = (scenario.name.clone(), Instant::now());
    let explored = grenadier_explore::explore(origin, scenario, &settings, &watching);
    let seconds = began.elapsed().as_secs_f64();
    watching.bar.finish_and_clear();
    let mut exploration = match explored {
        Ok(exploration) => exploration.of_loaded(&loaded),
        Err(error) => {
            let grenadier_explore::ExploreError::Undisturbed(undisturbed) = &error;
            let hint = format!("look at it alone: grenadier run {}", arguments.chosen.scenario);
            let verdict = alone(undisturbed, arguments, &loaded);
            let annotation = grenadier_gate::of_run(&verdict, &loaded);
            let summary = grenadier_gate::summary_of_run(&verdict);
            super::github::tell(annotation.as_slice(), &summary, arguments.format, arguments.quiet);
            return report_as(arguments.format, undisturbed.verdict.exit_code(), &error, Some(&hint));
        }
    };
    let workers = arguments.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, |n| n.get() as u64);
    let runs = watching.ran.load(Ordering::Relaxed) as f64;
    exploration.speed = Some(Speed { workers, seconds, runs_per_second: runs / seconds.max(1e-9) });
    let folder = (!arguments.no_folder).then(|| {
        let shard = arguments.shard.map(|shard| format!("-{}-of-{}", shard.k, shard.n)).unwrap_or_default();
        let usual = || PathBuf::from("grenadier-runs").join(format!("{name}-explore{shard}"));
        arguments.out.clone().unwrap_or_else(usual)
    });
    let code = leave(&exploration, folder.as_deref(), arguments.format, arguments.quiet);
    let annotations = grenadier_gate::of_exploration(&exploration, &loaded, folder.as_deref());
    let summary = grenadier_gate::summary_of_exploration(&exploration, folder.as_deref());
    super::github::tell(&annotations, &summary, arguments.format, arguments.quiet);
    code
}

/// The verdict of the undisturbed run, with the command that makes a run like it.
fn alone(undisturbed: &SubjectError, arguments: &Explore, loaded: &Loaded) -> Verdict {
    let mut verdict = (*undisturbed.verdict).clone();
    let seed = Seed(arguments.seed.filter(|_| arguments.random.is_none()).unwrap_or(loaded.scenario.seed));
    let Chosen { scenario, procedure } = &arguments.chosen;
    verdict.run.replay = run_command(scenario, procedure.as_deref(), World::Virtual, seed);
    verdict
}

/// Leaves the folder, prints, and gives the exit code.
pub(super) fn leave(exploration: &Exploration, folder: Option<&Path>, format: Format, quiet: Quiet) -> ExitCode {
    if let Some(folder) = folder
        && let Err(error) = ExploreFolder::new(folder).write(exploration)
    {
        return report_as(format, ExitCode::Environment, &error, Some("choose another folder with --out"));
    }
    match format {
        Format::Json => print(&exploration.to_json()),
        Format::Text if quiet.quiet => line(&verdict_line(exploration)),
        Format::Text => {
            let folder = folder.map(|folder| folder.display().to_string());
            print(&text(exploration, folder.as_deref()));
        }
    }
    exploration.exit_code()
}

/// Leaves the folder, prints, and gives the exit code: that a verdict hangs on an assumption is no failure.
fn leave_assumptions(found: &Assumptions, arguments: &Explore) -> ExitCode {
    let usual = || PathBuf::from("grenadier-runs").join(format!("{}-assumptions", found.scenario));
    let folder = (!arguments.no_folder).then(|| arguments.out.clone().unwrap_or_else(usual));
    if let Some(folder) = &folder
        && let Err(error) = ExploreFolder::new(folder).write_assumptions(found)
    {
        return report_as(arguments.format, ExitCode::Environment, &error, Some("choose another folder with --out"));
    }
    match arguments.format {
        Format::Json => print(&found.to_json()),
        Format::Text if arguments.quiet.quiet => line(&found.line()),
        Format::Text => {
            let folder = folder.map(|folder| folder.display().to_string());
            print(&found.text(folder.as_deref()));
        }
    }
    if found.interrupted { ExitCode::Interrupted } else { ExitCode::Passed }
}

/// How far it is, on a terminal; and the wish to stop.
struct Progress {
    bar: ProgressBar,
    ran: AtomicU64,
    stop: &'static AtomicBool,
}

impl Progress {
    fn new(quiet: Quiet) -> Progress {
        let stop = super::signals::listen();
        let shown = !quiet.quiet && std::io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{pos} of {len} cases  {wide_bar}  {per_sec}  {eta} left");
        bar.set_style(style.expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar, ran: AtomicU64::new(0), stop }
    }
}

impl Watch for Progress {
    fn begins(&self, cases: u64) {
        self.bar.inc_length(cases);
    }

    fn ran(&self, _failed: bool) {
        self.ran.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(1);
    }

    fn stop(&self) -> &AtomicBool {
        self.stop
    }
}
