//! One scenario in both worlds: where they agree, and where they do not.
//!
//! The worlds agree about a run when every check that both could make came out alike, the engine claims the same, and it made the
//! same changing calls in the same order. How long a target was unreachable is told beside each other and judged by nobody: the
//! worlds have different clocks.

mod text;

use std::time::Duration;

use grenadier_catalog::{Named, Outcome};
use grenadier_checks::{ExitCode, Verb, Verdict, Word, changes_something};
use grenadier_events::{Actor, CheckStatus, Event, Kind};
use grenadier_probe::{Length, Part};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use text::{text, verdict};

/// The version of the document's shape, written as `v`.
pub const VERSION: u32 = 1;

/// A run of one world.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What happened.
    pub events: &'a [Event],
    /// What it came to.
    pub verdict: &'a Verdict,
}

/// Something in both worlds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Both<T> {
    /// In the virtual world.
    pub r#virtual: T,
    /// In the docker world.
    pub docker: T,
}

/// What a check found in both worlds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckRow {
    /// The check.
    pub check: String,
    /// How it came out.
    pub status: Both<CheckStatus>,
    /// Its evidence in one line.
    pub message: Both<String>,
    /// Whether it came out alike, or one world could not make it.
    pub agrees: bool,
}

/// How long a target was unreachable in both worlds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutageRow {
    /// The target.
    pub target: String,
    /// In which part of the run.
    pub part: Part,
    /// How long; none where that part was not there.
    pub length: Both<Option<Length>>,
}

/// A call that can change something, in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallRow {
    /// Its place in the order, from 1.
    pub place: usize,
    /// The call; none where that world had no more.
    pub call: Both<Option<String>>,
}

/// One scenario in both worlds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The version of this shape, see [`VERSION`].
    pub v: u32,
    /// The scenario.
    pub scenario: String,
    /// Whether the worlds agree.
    pub agrees: bool,
    /// The exit code of `grenadier`: 0 where they agree, 1 where they do not, 3 where one of them was not fit to tell.
    pub exit_code: u8,
    /// The verdicts.
    pub verdict: Both<Word>,
    /// What the engine claims of the upgrade.
    pub outcome: Both<Option<String>>,
    /// The checks, in the catalogue's order.
    pub checks: Vec<CheckRow>,
    /// How many changing calls the engine made.
    pub calls: Both<usize>,
    /// The first changing call in which the orders differ; none where they are the same.
    pub first_difference: Option<CallRow>,
    /// How long targets were unreachable.
    pub outages: Vec<OutageRow>,
    /// How long the upgrade took.
    pub upgrade_ns: Both<Option<u64>>,
}

impl Comparison {
    /// Compares two runs of one scenario.
    pub fn of(simulated: Told<'_>, real: Told<'_>) -> Comparison {
        let both = |of: &dyn Fn(Told<'_>) -> Vec<String>| Both { r#virtual: of(simulated), docker: of(real) };
        let calls = both(&|told| changing(told.events));
        let first_difference = first_difference(&calls);
        let said = |verdict: &Verdict| claimed(verdict).map(|outcome| outcome.name().to_owned());
        let outcome = Both { r#virtual: said(simulated.verdict), docker: said(real.verdict) };
        let verdict = Both { r#virtual: simulated.verdict.verdict, docker: real.verdict.verdict };
        let checks = checks(simulated.verdict, real.verdict);
        let agrees = checks.iter().all(|row| row.agrees)
            && first_difference.is_none()
            && outcome.r#virtual == outcome.docker
            && verdict.r#virtual == verdict.docker;
        let told = |word: Word| matches!(word, Word::Passed | Word::Failed);
        let code = match (verdict.r#virtual, verdict.docker) {
            (Word::Interrupted, _) | (_, Word::Interrupted) => ExitCode::Interrupted,
            (simulated, real) if !told(simulated) || !told(real) => ExitCode::Environment,
            _ if agrees => ExitCode::Passed,
            _ => ExitCode::Failed,
        };
        Comparison {
            v: VERSION,
            scenario: simulated.verdict.run.scenario.clone(),
            agrees,
            exit_code: code.code(),
            verdict,
            outcome,
            checks,
            calls: Both { r#virtual: calls.r#virtual.len(), docker: calls.docker.len() },
            first_difference,
            outages: outages(simulated.verdict, real.verdict),
            upgrade_ns: Both { r#virtual: length(simulated.verdict), docker: length(real.verdict) },
        }
    }

    /// The exit code of `grenadier`.
    pub fn exit_code(&self) -> ExitCode {
        let codes = [ExitCode::Passed, ExitCode::Failed, ExitCode::Environment, ExitCode::Interrupted];
        codes.into_iter().find(|code| code.code() == self.exit_code).unwrap_or(ExitCode::Failed)
    }

    /// The document.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("it has string keys and whole numbers") + "\n"
    }
}

/// The engine's calls that can change something, in the order in which it made them.
///
/// A call that is repeated until something has come about is one: how often that takes is a matter of clocks.
fn changing(events: &[Event]) -> Vec<String> {
    let mut calls: Vec<(u64, u64, String)> = Vec::new();
    for event in events.iter().filter(|event| event.actor == Actor::Engine) {
        if let Kind::Call { address, began_ns, .. } = &event.kind
            && changes_something(address)
        {
            let call = address.rsplit_once('#').map_or(address.as_str(), |(call, _)| call);
            calls.push((began_ns.as_ns(), event.seq, call.to_owned()));
        }
    }
    calls.sort();
    let mut calls: Vec<String> = calls.into_iter().map(|(_, _, call)| call).collect();
    calls.dedup();
    calls
}

fn first_difference(calls: &Both<Vec<String>>) -> Option<CallRow> {
    let longest = calls.r#virtual.len().max(calls.docker.len());
    let at = (0..longest).find(|at| calls.r#virtual.get(*at) != calls.docker.get(*at))?;
    let call = Both { r#virtual: calls.r#virtual.get(at).cloned(), docker: calls.docker.get(at).cloned() };
    Some(CallRow { place: at + 1, call })
}

fn claimed(verdict: &Verdict) -> Option<Outcome> {
    verdict.engine.iter().find(|call| call.verb == Verb::Upgrade)?.outcome
}

fn length(verdict: &Verdict) -> Option<u64> {
    let call = verdict.engine.iter().find(|call| call.verb == Verb::Upgrade)?;
    Some(u64::try_from(call.ended_ns?.since(call.began_ns).as_nanos()).unwrap_or(u64::MAX))
}

fn checks(simulated: &Verdict, real: &Verdict) -> Vec<CheckRow> {
    let mut rows = Vec::new();
    for line in &simulated.checks {
        let name = line.result.check;
        let Some(other) = real.checks.iter().find(|other| other.result.check == name) else { continue };
        let status = Both { r#virtual: line.result.status, docker: other.result.status };
        let known = |status: CheckStatus| status != CheckStatus::NotCovered;
        rows.push(CheckRow {
            check: name.name().to_owned(),
            agrees: status.r#virtual == status.docker || !known(status.r#virtual) || !known(status.docker),
            status,
            message: Both { r#virtual: line.result.message.clone(), docker: other.result.message.clone() },
        });
    }
    rows
}

fn outages(simulated: &Verdict, real: &Verdict) -> Vec<OutageRow> {
    let of = |verdict: &Verdict, target: &str, part: Part| {
        let target = verdict.targets.iter().find(|seen| seen.target == target)?;
        target.totals.iter().find(|total| total.part == part).map(|total| total.length)
    };
    let rows = simulated.targets.iter().flat_map(|target| {
        [Part::Upgrade, Part::Rollback].map(|part| OutageRow {
            target: target.target.clone(),
            part,
            length: Both { r#virtual: of(simulated, &target.target, part), docker: of(real, &target.target, part) },
        })
    });
    rows.filter(|row| row.length.r#virtual.is_some() || row.length.docker.is_some()).collect()
}

/// A length in words; between two bounds where nobody knows exactly.
pub fn shown(length: Option<Length>) -> String {
    let told = |ns: u64| grenadier_clock::format_duration(Duration::from_millis(ns.div_ceil(1_000_000)));
    match length {
        None => "–".to_owned(),
        Some(length) if length.is_zero() => "none".to_owned(),
        Some(length) if length.is_exact() => told(length.upper_ns),
        Some(length) => format!("{} to {}", told(length.lower_ns), told(length.upper_ns)),
    }
}

#[cfg(test)]
mod tests {
    use grenadier_clock::Seed;
    use grenadier_events::EventLog;
    use grenadier_runner::{RunOutput, run_virtual};
    use grenadier_scenario::{Scenario, add_faults, load};

    use super::*;

    fn run(scenario: &Scenario) -> RunOutput {
        run_virtual(scenario, Seed(1), "", EventLog::default())
    }

    fn swap(faults: &[&str]) -> Scenario {
        let mut scenario = load("haproxy-appliance-swap").unwrap().scenario;
        add_faults(&mut scenario, &faults.iter().map(|fault| (*fault).to_owned()).collect::<Vec<_>>()).unwrap();
        scenario
    }

    fn compared(one: &RunOutput, other: &RunOutput) -> Comparison {
        let (first, second) = (one.log.events(), other.log.events());
        Comparison::of(
            Told { events: &first, verdict: &one.verdict },
            Told { events: &second, verdict: &other.verdict },
        )
    }

    #[test]
    fn a_run_agrees_with_itself() {
        let output = run(&swap(&[]));
        let same = compared(&output, &output);
        assert!(same.agrees && same.first_difference.is_none(), "{same:#?}");
        assert_eq!((same.exit_code(), same.outcome.docker.as_deref()), (ExitCode::Passed, Some("upgraded")));
        assert!(same.calls.docker > 5, "{}", same.calls.docker);
    }

    #[test]
    fn one_call_more_is_told_with_its_place() {
        // A task that fails is asked for again, or everything is taken back: either way other calls are made.
        let (sound, disturbed) = (run(&swap(&[])), run(&swap(&["power-on-new/vsphere.PowerOnVM_Task#1=task-fails"])));
        let found = compared(&sound, &disturbed);
        let difference = found.first_difference.clone().unwrap();
        assert!(!found.agrees && difference.call.r#virtual != difference.call.docker, "{difference:?}");
        assert_eq!(found.exit_code(), ExitCode::Failed);
    }

    #[test]
    fn a_check_that_one_world_cannot_make_is_no_difference_and_one_that_fails_there_is() {
        let (sound, mut other) = (run(&swap(&[])), run(&swap(&[])));
        let status = |other: &mut RunOutput, status| {
            let line = other.verdict.checks.iter_mut().find(|line| line.result.check.name() == "restored").unwrap();
            line.result.status = status;
        };
        status(&mut other, CheckStatus::NotCovered);
        assert!(compared(&sound, &other).agrees);
        status(&mut other, CheckStatus::Fail);
        let found = compared(&sound, &other);
        let row = found.checks.iter().find(|row| row.check == "restored").unwrap();
        assert!(!found.agrees && !row.agrees);
    }

    #[test]
    fn a_world_that_was_not_fit_tells_nothing() {
        let (sound, mut other) = (run(&swap(&[])), run(&swap(&[])));
        other.verdict.verdict = Word::Unfit;
        assert_eq!(compared(&sound, &other).exit_code(), ExitCode::Environment);
    }
}
