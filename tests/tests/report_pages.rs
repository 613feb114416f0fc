//! Reports before a judge nobody here wrote: Chromium.
//!
//! The judge's tests are in `harness/report/tests/chromium`. They run with the Python that `GRENADIER_PYTHON` names, or
//! `python3`, and the browser that `GRENADIER_CHROMIUM` names, or `chromium`; where Python has no Playwright or no pytest, or
//! there is no such browser, the test says so and passes.
#![allow(clippy::disallowed_methods, reason = "this test starts processes and prints how long things took")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use grenadier_catalog::World;
use grenadier_checks::{Facts, Masks, Verdict};
use grenadier_clock::{Seed, Time};
use grenadier_events::{Actor, Bounds, Event, EventLog, Kind};
use grenadier_explore::{ExploreFolder, Settings, Watch, explore};
use grenadier_gate::{Job, Progress, Row, Worlds};
use grenadier_paths::{PathsFolder, Question, Rehearsing, Template, paths};
use grenadier_report::{RunFolder, html, trace};
use grenadier_runner::{DECLARED, RunOutput, run_virtual};
use grenadier_scenario::{Origin, Scenario, add_faults, load};
use grenadier_tests::scenario;

/// How many events a page is to be ready with within a second.
const MANY: usize = 50_000;

const HOSTILE: &str =
    "</script><script>window.owned = 1</script><img src=x onerror=\"window.owned = 2\"> ' & <!-- \r\n ]]>";

#[test]
fn chromium_accepts_the_reports() {
    let (python, chromium) = (named("GRENADIER_PYTHON", "python3"), named("GRENADIER_CHROMIUM", "chromium"));
    let there = |program: &OsString, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    if !there(&python, &["-c", "import playwright, pytest"]) {
        println!("not covered: no Playwright ({} has none)", Path::new(&python).display());
        return;
    }
    if !there(&chromium, &["--version"]) {
        println!("not covered: no Chromium ({})", Path::new(&chromium).display());
        return;
    }
    let pages = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report-pages");
    write(&pages);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut judge = Command::new(&python);
    judge.args(["-m", "pytest", "-q", "-rP", "-p", "no:cacheprovider", "harness/report/tests/chromium"]);
    judge.current_dir(&root).env("GRENADIER_PAGES", &pages).env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(program) = std::env::var_os("GRENADIER_CHROMIUM") {
        judge.env("GRENADIER_CHROMIUM", program);
    }
    let output = judge.output().expect("it was there a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains(" passed"), "nothing was judged: {said}");
    for line in said.lines().filter(|line| line.starts_with("ready with")) {
        println!("{line}");
    }
    println!("{last}");
}

fn named(variable: &str, usual: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| usual.into())
}

/// Writes every page the judge looks at, and says how long the longest and the usual one took.
fn write(pages: &Path) {
    if pages.exists() {
        fs::remove_dir_all(pages).unwrap();
    }
    let failed = failing();
    let run = RunFolder::new(pages.join("run")).with_behaviours(&DECLARED);
    failed.log.with(|events| run.write(events, &failed.verdict, &failed.captures, "")).unwrap();
    let put = |name: &str, page: String| fs::write(pages.join(name), page).unwrap();
    put("empty.html", html::report(&[], &bare(&failed.verdict, &[]), &[]));
    put("hostile.html", hostile(&failed));

    let events = failed.log.events();
    let many = many(&events);
    for (events, length) in [(&events, timed(&events, &failed.verdict)), (&many, timed(&many, &failed.verdict))] {
        println!("report.html and trace.json of {} events: {:.1} ms", events.len(), length.as_secs_f64() * 1e3);
    }
    put("many.html", html::report(&many, &failed.verdict, &DECLARED));

    let settings = Settings { budget: Some(40), ..Settings::default() };
    let swap = "haproxy-appliance-swap";
    let explored = explore(Origin::Name(swap.to_owned()), documented(swap), &settings, &Idle(AtomicBool::new(false)));
    ExploreFolder::new(pages.join("exploration")).write(&explored.unwrap()).unwrap();

    // A matrix with leaps that were rehearsed, refused and failed, and what an exploration's page has not: links to runs.
    let template = Template::new(&load(swap).unwrap(), Some("documented")).unwrap();
    let question = Question::new(template.scenario.catalogue_system(), vec![template]).unwrap();
    let folder = PathsFolder::begin(pages.join("paths")).unwrap();
    let (worlds, idle) = (Worlds { folder: folder.path().to_owned(), workers: None }, Idle(AtomicBool::new(false)));
    let rehearsing = Rehearsing::new(&question, World::Virtual, folder.path(), &worlds, None, &idle);
    folder.finish(&paths(&question, &mut rehearsing.unwrap())).unwrap();
}

fn documented(name: &str) -> Scenario {
    scenario(name).with_procedure("documented").unwrap()
}

/// An upgrade whose new machine does not power on, by the procedure that leaves it lying around.
fn failing() -> RunOutput {
    let mut scenario = documented("haproxy-appliance-upgrade");
    add_faults(&mut scenario, &["power-on-new/vsphere.PowerOnVM_Task#1=task-fails".to_owned()]).unwrap();
    let replay = "grenadier run haproxy-appliance-upgrade --procedure documented --seed 1 \
                  --fault 'power-on-new/vsphere.PowerOnVM_Task#1=task-fails'";
    run_virtual(&scenario, Seed(1), replay, EventLog::default())
}

fn bare(like: &Verdict, events: &[Event]) -> Verdict {
    Verdict::judge(&Facts::new(like.run.clone(), events, &Masks::default()))
}

/// The run of somebody whose machines say whatever breaks a page.
fn hostile(failed: &RunOutput) -> String {
    let log = EventLog::default();
    let line = || HOSTILE.to_owned();
    log.emit(Time::from_ns(1), Actor::World, Kind::PhaseStarted { phase: line() });
    log.emit(Time::from_ns(2), Actor::World, Kind::MachineCreated { machine: line() });
    log.emit(Time::from_ns(3), Actor::World, Kind::GuestLog { machine: line(), service: line(), line: line() });
    let mut verdict = failed.verdict.clone();
    (verdict.summary, verdict.run.scenario, verdict.run.replay) = (line(), line(), line());
    verdict.reasons = vec![line(), line()];
    for check in &mut verdict.checks {
        (check.result.message, check.result.evidence) = (line(), vec![line(), line()]);
    }
    log.with(|events| html::report(events, &verdict, &DECLARED))
}

/// The same run again and again, one after the other, as one log.
fn many(events: &[Event]) -> Vec<Event> {
    let length = events.last().expect("something happened").t_ns.since(Time::ZERO);
    let mut all = Vec::with_capacity(MANY);
    while all.len() < MANY {
        let round = u32::try_from(all.len() / events.len()).unwrap();
        let later = |at: Time| at + length * round;
        let bounds = |at: Bounds| Bounds { earliest_ns: later(at.earliest_ns), latest_ns: later(at.latest_ns) };
        for event in events.iter().take(MANY - all.len()) {
            let mut event = Event { seq: all.len() as u64, t_ns: later(event.t_ns), ..event.clone() };
            match &mut event.kind {
                Kind::Call { began_ns, .. } => *began_ns = later(*began_ns),
                Kind::Availability { at, .. } => *at = bounds(*at),
                _ => {}
            }
            all.push(event);
        }
    }
    all
}

/// The median of what it takes to write both files.
fn timed(events: &[Event], verdict: &Verdict) -> Duration {
    let mut lengths: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let written = html::report(events, verdict, &DECLARED).len() + trace(events, verdict).len();
        lengths.push(began.elapsed());
        assert!(written > 0);
    }
    lengths.sort();
    lengths[lengths.len() / 2]
}

struct Idle(AtomicBool);

impl Progress for Idle {
    fn began(&self, _: &Job) {}

    fn ended(&self, _: &Row) {}
}

impl Watch for Idle {
    fn stop(&self) -> &AtomicBool {
        &self.0
    }
}
