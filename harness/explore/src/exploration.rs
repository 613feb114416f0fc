//! An exploration, from the undisturbed run to what was found.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use grenadier_checks::ExitCode;
use grenadier_scenario::{Fault, Loaded, Origin, Scenario};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::coverage::{Cell, Excluded};
use crate::findings::{Findings, Found};
pub use crate::known::KnownLine;
use crate::known::mark;
use crate::pairs::{self, Firsts, Pairs};
use crate::perform::perform;
use crate::plan::Plan;
use crate::random;
use crate::settings::{Random, Settings, Shard, Watch};
use crate::shrink;
use crate::signature::Signature;
use crate::source::Selection;
use crate::subject::{Subject, SubjectError};
use crate::text::quoted;
use crate::{enumerate, points, workers};

/// The version of the shape of `explore.json`, written as `v`.
pub const VERSION: u32 = 1;

/// The field of `explore.json` that holds what two explorations of the same cases need not agree on.
pub const SPEED: &str = "speed";

/// What an exploration came to. This is `explore.json`; `docs/explore.md` describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exploration {
    /// The version of this shape, see [`VERSION`].
    pub v: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's file, where it does not come with the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of the scenario with all its defaults: shards of one exploration agree on it.
    pub scenario_sha256: String,
    /// The system under upgrade.
    pub system: String,
    /// The procedure that was asked for in place of the scenario's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// The seed of the undisturbed run and, where they say nothing else, of all cases.
    pub seed: u64,
    /// 1: single faults; 2: pairs as well.
    pub order: u8,
    /// Random schedules, where those were run instead.
    pub random: Option<Random>,
    /// Which part of the cases was run, where not all.
    pub shard: Option<Shard>,
    /// How many cases were run at most.
    pub budget: Option<u64>,
    /// Whether somebody stopped it.
    pub interrupted: bool,
    /// How many cases were run.
    pub cases: u64,
    /// How many there are.
    pub enumerated: u64,
    /// How many more pairs there would be, whose second fault strikes a state that another pair's strikes.
    pub pruned: u64,
    /// In how many cases something failed.
    pub failed: u64,
    /// How the engine ended, and in how many cases.
    pub ended: BTreeMap<String, u64>,
    /// What was tried where: by call template and fault, in that order.
    pub coverage: Vec<CoverageLine>,
    /// Kinds of faults that were not tried at some calls, and why.
    pub excluded: Vec<Excluded>,
    /// Calls that the engine makes outside its steps, where no fault can be addressed.
    pub outside_steps: Vec<String>,
    /// Each distinct failure once, in the order of their first cases.
    pub failures: Vec<ExplorationFailure>,
    /// The failures the scenario knows of.
    pub known_failures: Vec<KnownLine>,
    /// What this took; left out of comparisons.
    pub speed: Option<Speed>,
}

/// One cell of the coverage table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageLine {
    /// The call's template.
    pub call: String,
    /// The kind of fault.
    pub fault: String,
    /// What came of it.
    #[serde(flatten)]
    pub cell: Cell,
}

/// One distinct failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplorationFailure {
    /// What makes it that failure.
    pub signature: Signature,
    /// In how many cases it was found.
    pub cases: u64,
    /// The first of them: its part (0 single faults, 1 pairs, 2 random schedules) and its number there.
    pub first: (u8, u64),
    /// One line of evidence from there.
    pub message: String,
    /// The other checks that failed there.
    pub also: Vec<String>,
    /// The issue, where the scenario knows of it.
    pub known: Option<String>,
    /// The file of its case, within the folder.
    pub file: String,
    /// The smallest case that shows it, as `grenadier replay` takes it.
    pub case: String,
}

/// What an exploration took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Speed {
    /// How many threads ran cases.
    pub workers: u64,
    /// How long that took.
    pub seconds: f64,
    /// How many cases were run in a second.
    pub runs_per_second: f64,
}

/// An exploration cannot begin.
#[derive(Debug, Error)]
pub enum ExploreError {
    /// There is nothing to compare with.
    #[error(transparent)]
    Undisturbed(#[from] SubjectError),
}

impl Exploration {
    /// Whether every case there is was run.
    pub fn is_complete(&self) -> bool {
        self.shard.is_none() && !self.interrupted && self.cases == self.enumerated
    }

    /// The known failures that were not found, where all cases were run: somebody mended them, and forgot to say so.
    pub fn mended(&self) -> impl Iterator<Item = &KnownLine> {
        let complete = self.is_complete();
        self.known_failures.iter().filter(move |known| complete && known.cases == 0)
    }

    /// The exit code of `grenadier`. A panic is a bug of the program's own and says nothing about the upgrade.
    pub fn exit_code(&self) -> ExitCode {
        let mut unknown = self.failures.iter().filter(|failure| failure.known.is_none()).peekable();
        if self.interrupted {
            ExitCode::Interrupted
        } else if self.mended().next().is_some() {
            ExitCode::Failed
        } else if unknown.peek().is_none() {
            ExitCode::Passed
        } else if unknown.all(|failure| matches!(failure.signature.check.as_str(), "panic" | "unfit")) {
            ExitCode::Environment
        } else {
            ExitCode::Failed
        }
    }

    /// The same of a scenario that was loaded, which may be a file.
    #[must_use]
    pub fn of_loaded(mut self, loaded: &Loaded) -> Exploration {
        self.file = match loaded.origin() {
            Origin::Name(_) => None,
            Origin::Path(_) | Origin::Document(_) => Some(loaded.file.clone()),
        };
        self
    }

    /// The command that explores the scenario so, without what only says how much of it: budget, shard, folder.
    pub fn command(&self) -> String {
        let mut command = format!("grenadier explore {}", quoted(self.file.as_deref().unwrap_or(&self.scenario)));
        if let Some(procedure) = &self.procedure {
            command += &format!(" --procedure {procedure}");
        }
        match (self.random, self.order) {
            (Some(Random { schedules, seed }), _) => command + &format!(" --random {schedules} --seed {seed}"),
            (None, 1) => command + &format!(" --seed {}", self.seed),
            (None, order) => command + &format!(" --order {order} --seed {}", self.seed),
        }
    }

    /// `explore.json`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("an exploration has string keys and finite numbers");
        text.push('\n');
        text
    }
}

/// Explores `scenario`.
///
/// # Errors
/// The undisturbed run does not pass, so there is nothing to compare others with.
pub fn explore(
    origin: Origin,
    scenario: Scenario,
    settings: &Settings,
    watch: &dyn Watch,
) -> Result<Exploration, ExploreError> {
    let subject = Subject::record(origin, scenario)?;
    Ok(explored(&subject, settings, watch))
}

/// Explores what was recorded.
pub(crate) fn explored(subject: &Subject, settings: &Settings, watch: &dyn Watch) -> Exploration {
    let (points, outside) = subject.recorded.with(points::of);
    let steps = subject.recorded.with(|events| points::steps(events, &subject.roles));
    let taken: &[Fault] = &subject.scenario.faults;
    let mut gathered = Gathered::default();
    if let Some(Random { schedules, seed }) = settings.random {
        let plans = enumerate::singles(&points, &steps, taken);
        let faults: Vec<Fault> = plans.into_iter().flat_map(|plan| plan.faults).collect();
        let selection = Selection::new(schedules, settings.budget, settings.shard);
        gathered.run(subject, settings, watch, 2, selection, |number| random::plan(&faults, seed, number));
    } else {
        let singles = enumerate::singles(&points, &steps, taken);
        if settings.pairs {
            pairs(subject, settings, watch, singles, &mut gathered);
        } else {
            let selection = Selection::new(singles.len() as u64, settings.budget, settings.shard);
            gathered.run(subject, settings, watch, 0, selection, |number| singles[number as usize].clone());
        }
    }
    let Gathered { findings, enumerated, pruned } = gathered;
    let interrupted = watch.stop().load(Ordering::Relaxed);
    let mut failures = failures(subject, &findings, !interrupted);
    let known_failures = mark(&mut failures, &subject.scenario.known_failures);
    Exploration {
        v: VERSION,
        scenario: subject.scenario.name.clone(),
        file: None,
        scenario_sha256: scenario_sha256(&subject.scenario),
        system: subject.scenario.system.clone(),
        procedure: subject.scenario.engine.in_place_of.as_ref().map(|_| subject.scenario.engine.procedure.clone()),
        seed: subject.scenario.seed,
        order: if settings.pairs { 2 } else { 1 },
        random: settings.random,
        shard: settings.shard,
        budget: settings.budget,
        interrupted,
        cases: findings.cases,
        enumerated,
        pruned,
        failed: findings.failed,
        ended: findings.ended,
        coverage: findings
            .coverage
            .into_iter()
            .map(|((call, fault), cell)| CoverageLine { call, fault, cell })
            .collect(),
        excluded: enumerate::excluded(&points, &steps),
        outside_steps: outside.into_iter().collect(),
        failures,
        known_failures,
        speed: None,
    }
}

/// What has been gathered so far.
#[derive(Default)]
struct Gathered {
    findings: Findings,
    enumerated: u64,
    pruned: u64,
}

impl Gathered {
    fn run(
        &mut self,
        subject: &Subject,
        settings: &Settings,
        watch: &dyn Watch,
        part: u8,
        selection: Selection,
        plan: impl Fn(u64) -> Plan + Sync,
    ) {
        self.enumerated += selection.total;
        watch.begins(selection.len());
        let found = workers::run(selection.len(), settings.workers, watch, |job, findings: &mut Findings| {
            let number = selection.nth(job);
            let plan = plan(number);
            let performed = perform(subject, &plan, |_| ());
            watch.ran(performed.failure.is_some());
            findings.add((part, number), plan, performed);
        });
        found.into_iter().for_each(|found| self.findings.merge(found));
    }
}

/// Single faults, then pairs. Where the second fault can strike is seen in the run with the first, so every shard runs all
/// single faults; it counts its own.
fn pairs(subject: &Subject, settings: &Settings, watch: &dyn Watch, singles: Vec<Plan>, gathered: &mut Gathered) {
    let selection = Selection::new(singles.len() as u64, settings.budget, settings.shard);
    gathered.enumerated += selection.total;
    // Counted are those a run without pairs would have counted.
    let counted: std::collections::BTreeSet<u64> = (0..selection.len()).map(|place| selection.nth(place)).collect();
    watch.begins(singles.len() as u64);
    let found = workers::run(singles.len() as u64, settings.workers, watch, |number, all: &mut (Findings, Firsts)| {
        let plan = singles[number as usize].clone();
        let (performed, seen) = pairs::first(subject, &plan);
        watch.ran(performed.failure.is_some());
        all.1.add(number, &performed, seen);
        if counted.contains(&number) {
            all.0.add((0, number), plan, performed);
        }
    });
    let mut firsts = Firsts::of_undisturbed(subject);
    for (findings, more) in found {
        gathered.findings.merge(findings);
        firsts.merge(more);
    }
    let pairs = Pairs::new(singles, firsts, &subject.scenario.faults);
    gathered.pruned = pairs.pruned;
    let left = settings.budget.map(|budget| budget.saturating_sub(selection.within));
    let selection = Selection::new(pairs.len(), left, settings.shard);
    gathered.enumerated += selection.total;
    watch.begins(selection.len());
    let found = workers::run(selection.len(), settings.workers, watch, |job, findings: &mut Findings| {
        let number = selection.nth(job);
        let plan = pairs.plan(number);
        let mut performed = perform(subject, &plan, |_| ());
        watch.ran(performed.failure.is_some());
        pairs.attribute(&plan, &mut performed);
        findings.add((1, number), plan, performed);
    });
    found.into_iter().for_each(|found| gathered.findings.merge(found));
}

/// Each distinct failure with its smallest case, in the order of their first cases. Making cases smaller takes runs, so where
/// somebody wants to stop they stay as they are.
fn failures(subject: &Subject, findings: &Findings, smaller: bool) -> Vec<ExplorationFailure> {
    let mut shrunk = Findings::default();
    for (signature, found) in &findings.failures {
        let Found { cases, first, plan, .. } = found;
        let small = if smaller { shrink::plan(subject, plan, signature).0 } else { plan.clone() };
        // What a smaller case shows is told by it: a pair of faults may come down to one of them.
        let told = (small != *plan).then(|| perform(subject, &small, |_| ()).failure).flatten();
        let (signature, message, also) = match told {
            Some(told) => (told.signature, told.message, told.also),
            None => (signature.clone(), found.message.clone(), found.also.clone()),
        };
        shrunk.found(signature, Found { cases: *cases, first: *first, plan: small, message, also });
    }
    let line = |(signature, found): (Signature, Found)| {
        let file = format!("cases/{}", signature.file_name());
        let case = found.plan.case(&subject.origin, &subject.scenario, Some(signature.to_string()));
        ExplorationFailure {
            cases: found.cases,
            first: found.first,
            message: found.message,
            also: found.also,
            known: None,
            case: case.to_yaml(&file),
            file,
            signature,
        }
    };
    let mut failures: Vec<ExplorationFailure> = shrunk.failures.into_iter().map(line).collect();
    failures.sort_by(|one, other| (one.first, &one.signature).cmp(&(other.first, &other.signature)));
    failures
}

fn scenario_sha256(scenario: &Scenario) -> String {
    let json = serde_json::to_vec(scenario).expect("a scenario has string keys");
    Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
}
