//! The verdict of a run: what the facts and the results of the checks add up to.

use std::collections::BTreeSet;

use grenadier_catalog::{Check as Name, Named, Outcome};
use grenadier_clock::Time;
use grenadier_events::{CheckStatus, Kind, PhaseStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::checks::downtime::TargetOutage;

use crate::checks::downtime;
use crate::{Advice, CheckResult, ExitCode, Facts, Required, RunEnd, Subject, Verb, all};

/// The version of the verdict's shape, written as `v`.
pub const VERDICT_VERSION: u32 = 1;

/// The phases before the upgrade. Where one of them fails, nothing was learnt about the upgrade.
const BEFORE_UPGRADE: [&str; 6] = ["base", "early-create", "create", "verify", "shutdown", "verify-noapi"];
/// The phases whose failure speaks against the upgrade. `upgrade`, `rollback` and `compare` are not among them: the checks
/// judge how the engine ended and what came of it.
const AFTER_UPGRADE: [&str; 2] = ["verify-upgraded", "destroy"];

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// Every check passed, or exactly those failed that the scenario says must.
    Passed,
    /// Something was shown not to hold.
    Failed,
    /// The environment is to blame, or something required could not be looked at.
    Unfit,
    /// Somebody interrupted the run.
    Interrupted,
}

impl Word {
    /// The word in events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Word::Passed => "passed",
            Word::Failed => "failed",
            Word::Unfit => "unfit",
            Word::Interrupted => "interrupted",
        }
    }

    /// The exit code of `grenadier`.
    pub const fn exit_code(self) -> ExitCode {
        match self {
            Word::Passed => ExitCode::Passed,
            Word::Failed => ExitCode::Failed,
            Word::Unfit => ExitCode::Environment,
            Word::Interrupted => ExitCode::Interrupted,
        }
    }
}

/// One check in a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckLine {
    /// What it found.
    #[serde(flatten)]
    pub result: CheckResult,
    /// Whether the verdict needs it to be made.
    pub required: bool,
    /// Whether the scenario says that it must fail.
    pub must_fail: bool,
}

impl CheckLine {
    /// Whether the check came out as the verdict needs it.
    pub fn is_good(&self) -> bool {
        match self.result.status {
            CheckStatus::Pass => !self.must_fail,
            CheckStatus::Fail => self.must_fail,
            CheckStatus::NotCovered => !self.must_fail && !self.required,
        }
    }
}

/// One call of the engine in a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineLine {
    /// What it was asked for.
    pub verb: Verb,
    /// When it began.
    pub began_ns: Time,
    /// When it ended; none where it had not.
    pub ended_ns: Option<Time>,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// The outcome it claims.
    pub outcome: Option<Outcome>,
    /// The rule by which it refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What it said last.
    pub message: String,
    /// What it said somebody should do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

/// One phase in a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseLine {
    /// Its name.
    pub phase: String,
    /// When it began; none where it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_ns: Option<Time>,
    /// When it ended; none where it had not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ns: Option<Time>,
    /// How it ended; none where it had not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PhaseStatus>,
    /// Why, where it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The verdict of a run, with all it is based on. This is `verdict.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The version of this shape, see [`VERDICT_VERSION`].
    pub v: u32,
    /// In one word.
    pub verdict: Word,
    /// The exit code of `grenadier` for it.
    pub exit_code: u8,
    /// In one line.
    pub summary: String,
    /// Everything that speaks for another verdict than `passed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What was run.
    pub run: Subject,
    /// When the run ended.
    pub ended_ns: Time,
    /// The phases, in order.
    pub phases: Vec<PhaseLine>,
    /// The calls of the engine, in order.
    pub engine: Vec<EngineLine>,
    /// The checks, in the catalogue's order.
    pub checks: Vec<CheckLine>,
    /// What the scenario allows a target to be unreachable, in the upgrade and again in the rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_at_most_ns: Option<u64>,
    /// What the probes saw.
    pub targets: Vec<TargetOutage>,
    /// The faults that acted, as `place: fault`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The faults that found no place to act.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_injectable: Vec<String>,
    /// Masks that matched nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused_masks: Vec<String>,
    /// Ids of the assumptions the outcome hangs on: rows of `docs/fidelity.md`.
    pub assumptions: Vec<String>,
}

impl Verdict {
    /// Makes every check that there is something for and adds the results up.
    pub fn judge(facts: &Facts<'_>) -> Verdict {
        let compared = crate::checks::of_disturbed_runs().into_iter().filter(|_| facts.reference.is_some());
        Verdict::of(facts, all().into_iter().chain(compared).map(|check| check.make(facts)).collect())
    }

    /// Adds the results of checks up.
    ///
    /// In this order: interrupted; unfit where the canary failed or a phase before the upgrade did; failed where a check did
    /// not come out as it must; unfit where a required check was not made or a fault found no place to act; passed.
    pub fn of(facts: &Facts<'_>, results: Vec<CheckResult>) -> Verdict {
        let expect = &facts.expect;
        let checks: Vec<CheckLine> = results
            .into_iter()
            .map(|result| CheckLine {
                required: match &expect.required {
                    Required::All => result.applies,
                    Required::These(names) => names.contains(&result.check),
                },
                must_fail: expect.caught_by.contains(&result.check),
                result,
            })
            .collect();
        let phases = phases(facts);
        let (faults, not_injectable) = faults(facts);
        let weighed = Weighed::new(facts, &checks, &phases, &not_injectable);
        let (verdict, reasons) = weighed.verdict();
        let summary = summary(verdict, &reasons, &checks, &expect.caught_by);
        let ladder = checks.iter().find_map(|line| line.result.ladder.as_ref());
        Verdict {
            v: VERDICT_VERSION,
            verdict,
            exit_code: verdict.exit_code().code(),
            summary,
            reasons,
            run: facts.subject.clone(),
            ended_ns: facts.ended_ns,
            phases,
            engine: engine(facts),
            outage_at_most_ns: expect.outage_at_most.map(|most| u64::try_from(most.as_nanos()).unwrap_or(u64::MAX)),
            targets: downtime::of(facts),
            faults,
            not_injectable,
            unused_masks: ladder.map(|ladder| ladder.unused_masks.clone()).unwrap_or_default(),
            assumptions: facts.assumptions.clone(),
            checks,
        }
    }

    /// The same where `checks` are required as well: one that was not made makes a verdict that passed unfit.
    #[must_use]
    pub fn with_required(mut self, checks: &[Name]) -> Verdict {
        let mut missing = Vec::new();
        for line in self.checks.iter_mut().filter(|line| checks.contains(&line.result.check)) {
            if line.result.status == CheckStatus::NotCovered && line.is_good() {
                missing.push(format!("{} is not covered: {}", line.result.check.name(), line.result.message));
            }
            line.required = true;
        }
        if !missing.is_empty() {
            self.reasons.extend(missing);
            if self.verdict == Word::Passed {
                self.verdict = Word::Unfit;
                self.exit_code = self.verdict.exit_code().code();
                self.summary = summary(self.verdict, &self.reasons, &self.checks, &BTreeSet::new());
            }
        }
        self
    }

    /// The exit code of `grenadier` for this verdict.
    pub fn exit_code(&self) -> ExitCode {
        self.verdict.exit_code()
    }

    /// The event that ends the log.
    pub fn to_event(&self) -> Kind {
        Kind::RunFinished { verdict: self.verdict.name().to_owned() }
    }
}

/// What speaks for which verdict.
struct Weighed {
    interrupted: bool,
    unfit: Vec<String>,
    failed: Vec<String>,
    not_covered: Vec<String>,
}

impl Weighed {
    fn new(facts: &Facts<'_>, checks: &[CheckLine], phases: &[PhaseLine], not_injectable: &[String]) -> Weighed {
        let mut weighed = Weighed {
            interrupted: facts.end == RunEnd::Interrupted,
            unfit: Vec::new(),
            failed: Vec::new(),
            not_covered: Vec::new(),
        };
        if let RunEnd::Lost(reason) = &facts.end {
            weighed.unfit.push(reason.clone());
        }
        for phase in phases.iter().filter(|phase| phase.status == Some(PhaseStatus::Failed)) {
            let name = phase.phase.as_str();
            let reason = format!("phase {name} failed: {}", phase.message.as_deref().unwrap_or("no reason given"));
            if BEFORE_UPGRADE.contains(&name) {
                weighed.unfit.push(reason);
            } else if AFTER_UPGRADE.contains(&name) && facts.expect.caught_by.is_empty() {
                // Where checks must fail, a phase may well fail with them.
                weighed.failed.push(reason);
            }
        }
        for line in checks.iter().filter(|line| !line.is_good()) {
            let (name, message) = (line.result.check.name(), &line.result.message);
            match line.result.status {
                CheckStatus::Fail if line.result.check == Name::Canary => {
                    weighed.unfit.push(format!("{name}: {message}"))
                }
                CheckStatus::Fail => weighed.failed.push(format!("{name}: {message}")),
                CheckStatus::Pass => weighed.failed.push(format!("{name} must fail here, but passed: {message}")),
                CheckStatus::NotCovered => weighed.not_covered.push(format!("{name} is not covered: {message}")),
            }
        }
        let idle = not_injectable.iter().map(|fault| format!("fault found no place to act: {fault}"));
        weighed.not_covered.extend(idle);
        weighed
    }

    fn verdict(self) -> (Word, Vec<String>) {
        let word = if self.interrupted {
            Word::Interrupted
        } else if !self.unfit.is_empty() {
            Word::Unfit
        } else if !self.failed.is_empty() {
            Word::Failed
        } else if !self.not_covered.is_empty() {
            Word::Unfit
        } else {
            Word::Passed
        };
        (word, [self.unfit, self.failed, self.not_covered].concat())
    }
}

fn summary(verdict: Word, reasons: &[String], checks: &[CheckLine], caught_by: &BTreeSet<Name>) -> String {
    let first = || match reasons {
        [] => "no reason given".to_owned(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    };
    match verdict {
        Word::Passed if !caught_by.is_empty() => {
            let names: Vec<&str> = caught_by.iter().map(|name| name.name()).collect();
            format!("passed: caught by {}, as the scenario expects", names.join(", "))
        }
        Word::Passed => {
            let passed = checks.iter().filter(|line| line.result.status == CheckStatus::Pass).count();
            let rest = checks.iter().filter(|line| !line.result.applies).count();
            let open = checks.len() - passed - rest;
            let mut text = match checks.len() {
                all if all == passed => format!("passed: all {all} checks"),
                all => format!("passed: {passed} of {all} checks"),
            };
            if rest > 0 {
                text += &format!(", {rest} {}", if rest == 1 { "does not apply" } else { "do not apply" });
            }
            if open > 0 {
                text += &format!(", {open} not covered and not required");
            }
            text
        }
        Word::Failed => format!("failed: {}", first()),
        Word::Unfit => format!("not fit to tell: {}", first()),
        Word::Interrupted => "interrupted: nothing is known about the upgrade".to_owned(),
    }
}

fn phases(facts: &Facts<'_>) -> Vec<PhaseLine> {
    let mut lines: Vec<PhaseLine> = Vec::new();
    for event in facts.events {
        match &event.kind {
            Kind::PhaseStarted { phase } => lines.push(PhaseLine {
                phase: phase.clone(),
                began_ns: Some(event.t_ns),
                ended_ns: None,
                status: None,
                message: None,
            }),
            Kind::PhaseFinished { phase, status, message } => {
                let open = lines.iter_mut().rfind(|line| line.phase == *phase && line.status.is_none());
                if let Some(line) = open {
                    (line.ended_ns, line.status, line.message) = (Some(event.t_ns), Some(*status), message.clone());
                } else {
                    let (phase, message) = (phase.clone(), message.clone());
                    let status = Some(*status);
                    lines.push(PhaseLine { phase, began_ns: None, ended_ns: None, status, message });
                }
            }
            _ => {}
        }
    }
    lines
}

fn faults(facts: &Facts<'_>) -> (Vec<String>, Vec<String>) {
    let (mut acted, mut idle) = (Vec::new(), Vec::new());
    for event in facts.events {
        match &event.kind {
            Kind::FaultInjected { at, fault } => acted.push(format!("{at}: {fault}")),
            Kind::FaultNotInjectable { at, fault, reason } => idle.push(format!("{at}: {fault}: {reason}")),
            _ => {}
        }
    }
    (acted, idle)
}

fn engine(facts: &Facts<'_>) -> Vec<EngineLine> {
    let line = |fact: &crate::EngineFact| {
        let end = fact.end.as_ref();
        EngineLine {
            verb: fact.verb,
            began_ns: fact.began_ns,
            ended_ns: end.map(|end| end.at_ns),
            exit_code: end.map(|end| end.exit_code),
            outcome: fact.claims(),
            rule: end.and_then(|end| end.rule.clone()),
            message: end.map(|end| end.message.clone()).unwrap_or_default(),
            advice: end.and_then(|end| end.advice.clone()),
        }
    };
    facts.engine.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{Run, bare, refused, swap};
    use crate::{ItemKind, Shown};

    fn judged(run: &Run) -> Verdict {
        Verdict::judge(&run.facts())
    }

    #[test]
    fn a_good_swap_passes() {
        let verdict = judged(&swap());
        assert_eq!((verdict.verdict, verdict.exit_code), (Word::Passed, 0), "{:#?}", verdict.reasons);
        assert_eq!(verdict.summary, "passed: all 10 checks");
        assert_eq!(verdict.targets[0].outages[0].cause(), "power-off-old");
        assert_eq!(verdict.engine.len(), 2);
        assert!(verdict.phases.iter().all(|phase| phase.status == Some(PhaseStatus::Passed)));
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
    }

    #[test]
    fn a_refusal_passes_though_nothing_was_upgraded() {
        let verdict = judged(&refused());
        assert_eq!(verdict.verdict, Word::Passed, "{:#?}", verdict.reasons);
    }

    #[test]
    fn a_failing_check_fails_the_run() {
        let mut run = swap();
        run.expect.outage_at_most = Some(Duration::from_secs(40));
        let verdict = judged(&run);
        assert_eq!((verdict.verdict, verdict.exit_code), (Word::Failed, 1));
        assert!(verdict.summary.starts_with("failed: outage: shop was unreachable for 41s"), "{}", verdict.summary);
    }

    #[test]
    fn caught_by_means_exactly_these() {
        let mut run = swap();
        run.expect.caught_by = [Name::UniqueAddressOwner].into();
        assert_eq!(judged(&run).verdict, Word::Failed);
        run.owners(150, "198.18.2.16/28", &["haproxy", "haproxy-v0.2.0"]);
        run.owners(151, "198.18.2.16/28", &["haproxy-v0.2.0"]);
        let verdict = judged(&run);
        assert_eq!(verdict.summary, "passed: caught by unique-address-owner, as the scenario expects");
        assert_eq!(verdict.exit_code, 0);
        // One more failing check is one too many.
        run.inventory.end.as_mut().unwrap().add(ItemKind::Snapshot, "haproxy/x");
        assert_eq!(judged(&run).verdict, Word::Failed);
        // And so is one of two that did not fail.
        let mut run = swap();
        run.owners(150, "198.18.2.16/28", &["haproxy", "haproxy-v0.2.0"]);
        run.expect.caught_by = [Name::UniqueAddressOwner, Name::Outage].into();
        let verdict = judged(&run);
        assert!(verdict.summary.starts_with("failed: outage must fail here, but passed"), "{}", verdict.summary);
    }

    #[test]
    fn a_failing_canary_blames_the_environment() {
        let mut run = swap();
        run.shows.end = Some(Shown::Both);
        run.down_at_the_end("canary");
        let verdict = judged(&run);
        assert_eq!((verdict.verdict, verdict.exit_code), (Word::Unfit, 3));
        assert!(verdict.summary.starts_with("not fit to tell: canary: canary was down"), "{}", verdict.summary);
        assert_eq!(verdict.reasons.len(), 2, "the rest is told too");
    }

    #[test]
    fn a_required_check_that_was_not_made_is_not_passed() {
        let mut run = swap();
        run.routes.base = None;
        let verdict = judged(&run);
        assert_eq!((verdict.verdict, verdict.exit_code), (Word::Unfit, 3), "{:#?}", verdict.reasons);
        run.meaning.base = None;
        run.expect.required = Required::These([Name::Outage, Name::Outcome].into());
        let verdict = judged(&run);
        assert_eq!(verdict.summary, "passed: 8 of 10 checks, 2 not covered and not required");
        run.expect.required = Required::These([Name::RoutesEqual].into());
        assert_eq!(judged(&run).verdict, Word::Unfit);
    }

    #[test]
    fn a_check_that_does_not_apply_is_no_gap_unless_it_was_asked_for() {
        let mut run = swap();
        run.engine.truncate(1);
        run.shows.end = run.shows.upgraded.clone();
        run.product.add(ItemKind::Machine, "haproxy-v0.2.0");
        assert_eq!(judged(&run).summary, "passed: 9 of 10 checks, 1 does not apply");
        run.expect.required = Required::These([Name::Restored].into());
        assert_eq!(judged(&run).verdict, Word::Unfit);
    }

    #[test]
    fn what_somebody_else_requires_is_required_too() {
        let mut run = swap();
        run.routes.base = None;
        run.expect.required = Required::These([Name::Outage].into());
        let verdict = judged(&run).with_required(&[Name::RoutesEqual, Name::Outcome]);
        assert_eq!((verdict.verdict, verdict.exit_code), (Word::Unfit, 3), "{:#?}", verdict.reasons);
        assert!(verdict.summary.starts_with("not fit to tell: routes-equal is not covered: "), "{}", verdict.summary);
        let line = verdict.checks.iter().find(|line| line.result.check == Name::RoutesEqual).unwrap();
        assert!(line.required && !line.is_good());
        assert_eq!(judged(&run).with_required(&[Name::Outcome]).verdict, Word::Passed);
    }

    #[test]
    fn a_fault_without_a_place_is_not_passed() {
        let mut run = swap();
        run.idle_fault(500, "power-on-new/vsphere.PowerOnVM_Task#7", "task-fails");
        let verdict = judged(&run);
        assert_eq!(verdict.verdict, Word::Unfit);
        assert!(verdict.summary.contains("found no place to act: power-on-new/"), "{}", verdict.summary);
    }

    #[test]
    fn a_broken_environment_never_looks_like_a_broken_upgrade() {
        let mut run = bare();
        run.fail_phase(10, "base", "the image is missing");
        let verdict = judged(&run);
        assert_eq!((verdict.verdict, verdict.exit_code), (Word::Unfit, 3));
        assert!(verdict.summary.starts_with("not fit to tell: phase base failed: the image is missing"));
        let mut run = swap();
        run.fail_phase(295, "verify-upgraded", "shop does not answer");
        assert_eq!(judged(&run).verdict, Word::Failed);
    }

    #[test]
    fn an_interrupted_run_says_nothing() {
        let mut run = swap();
        run.end = RunEnd::Interrupted;
        let verdict = judged(&run);
        assert_eq!((verdict.verdict, verdict.exit_code), (Word::Interrupted, 4));
    }
}
