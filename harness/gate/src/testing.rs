//! Scenarios and performers for tests.

/// A scenario that passes in the virtual world.
pub(crate) const SMALL: &str = "\
name: small
system: haproxy-appliance
from: v0.1.10
to: v0.2.0
topology: {vsphere: 7.0.1, networks: frontend}
create:
  - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
rollback: never
expect:
  outcome: upgraded
  outage: {at-most: 90s}
  residuals: [old-appliance-powered-off]
";

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use grenadier_checks::{Verdict, Word};
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_explore::Watch;
use grenadier_runner::run_virtual;
use grenadier_scenario::{Loaded, Profile, parse, parse_profile};

use crate::{Attempt, Gate, Gated, Job, Performer, Progress, Row, plan, run};

/// The small scenario under another name.
pub(crate) fn small(name: &str) -> Loaded {
    let source = SMALL.replace("name: small", &format!("name: {name}"));
    let file = format!("mine/{name}.yaml");
    Loaded { scenario: parse(&source, &file).unwrap(), source, file }
}

/// A profile of rules, each a few lines.
pub(crate) fn profile(text: &str) -> Profile {
    parse_profile(text, "gate.toml").unwrap()
}

/// What `text` asks of two small scenarios, `one` and `two`.
pub(crate) fn jobs(text: &str) -> Vec<Job> {
    plan(&profile(text), vec![small("one"), small("two")]).unwrap()
}

/// A run of the small scenario that passed.
pub(crate) fn passed() -> Verdict {
    static PASSED: LazyLock<Verdict> = LazyLock::new(|| {
        let log = EventLog::default();
        let verdict = run_virtual(&small("one").scenario, Seed(1), "grenadier run ./one.yaml --seed 1", log).verdict;
        assert_eq!(verdict.verdict, Word::Passed, "{}", verdict.summary);
        verdict
    });
    PASSED.clone()
}

/// A run that came to another verdict.
pub(crate) fn ended(word: Word, summary: &str) -> Attempt {
    let summary = summary.to_owned();
    Attempt::Ran(Box::new(Verdict { verdict: word, exit_code: word.exit_code().code(), summary, ..passed() }))
}

/// Gives what was laid down for each row and attempt; a row without any passes.
#[derive(Default)]
pub(crate) struct Script {
    pub attempts: BTreeMap<String, Vec<Attempt>>,
    /// The row in which somebody asks to stop.
    pub stops_in: Option<&'static str>,
}

impl Script {
    pub(crate) fn new(rows: &[(&str, &[Attempt])]) -> Script {
        let attempts = rows.iter().map(|(name, attempts)| ((*name).to_owned(), attempts.to_vec())).collect();
        Script { attempts, stops_in: None }
    }
}

impl Performer for Script {
    fn perform(&self, job: &Job, attempt: u32, watch: &dyn Watch) -> Attempt {
        let name = job.name();
        if self.stops_in == Some(name.as_str()) {
            watch.stop().store(true, Ordering::Relaxed);
        }
        match self.attempts.get(&name) {
            Some(attempts) => attempts[attempt as usize - 1].clone(),
            None => {
                let mut verdict = passed();
                verdict.run.scenario = job.scenario.name.clone();
                Attempt::Ran(Box::new(verdict))
            }
        }
    }
}

/// Counts what it is told.
#[derive(Default)]
pub(crate) struct Counting {
    pub stop: AtomicBool,
    pub began: AtomicU32,
    pub ended: Mutex<Vec<String>>,
}

impl Watch for Counting {
    fn stop(&self) -> &AtomicBool {
        &self.stop
    }
}

impl Progress for Counting {
    fn began(&self, _: &Job) {
        self.began.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, row: &Row) {
        self.ended.lock().unwrap().push(row.name.clone());
    }
}

/// A gate over what `rules` ask of two small scenarios.
pub(crate) fn gate(rules: &str, script: &Script) -> (Gate, Vec<Gated>) {
    against(rules, script, None)
}

/// The same, compared with a baseline that has these rows.
pub(crate) fn against(rules: &str, script: &Script, baseline: Option<&[Row]>) -> (Gate, Vec<Gated>) {
    let gated = run(jobs(rules), script, None, &Counting::default());
    let rows = gated.iter().map(|gated| gated.row.clone()).collect();
    let profile = profile(rules);
    let before = baseline.map(|rows| Gate::of(&profile, rows.to_vec(), None, 2, 1.0));
    (Gate::of(&profile, rows, before.as_ref().map(|before| (before, "before".to_owned())), 2, 1.0), gated)
}
