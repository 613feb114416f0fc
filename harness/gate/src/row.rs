//! What came of a job, in a row.

use std::collections::BTreeMap;

use grenadier_catalog::{Check, Named};
use grenadier_checks::{CheckLine, Verdict, Word};
use grenadier_events::CheckStatus;
use grenadier_explore::Exploration;
use grenadier_scenario::{RunRule, line_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::job::{Job, Work};
use crate::judge::{claimed, judged};
use crate::perform::Attempt;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it must.
    Passed,
    /// The upgrade failed.
    Failed,
    /// The environment did, so that nothing is known of the upgrade.
    Unfit,
    /// Its world is not there.
    NotCovered,
    /// Somebody interrupted it.
    Interrupted,
    /// Somebody interrupted the gate before it began.
    NotRun,
}

impl Status {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Passed => "PASS",
            Status::Failed => "FAIL",
            Status::Unfit => "UNFIT",
            Status::NotCovered => "NOT COVERED",
            Status::Interrupted => "INTERRUPTED",
            Status::NotRun => "NOT RUN",
        }
    }

    /// Whether something is known of the upgrade.
    pub const fn is_known(self) -> bool {
        matches!(self, Status::Passed | Status::Failed)
    }
}

/// What a check of a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckWord {
    /// It was made, and came out as the scenario says.
    Good,
    /// It was made, and did not.
    Bad,
    /// It could not be made.
    NotCovered,
    /// There was nothing for it to look at.
    DoesNotApply,
}

/// What came of a job. These are the rows of `gate.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// `system/scenario[world]`, with the procedure where it is not the scenario's own; `[explore]` for an exploration.
    pub name: String,
    /// The scenario.
    pub scenario: String,
    /// `virtual`, `docker`, or `explore`.
    pub place: String,
    /// The procedure.
    pub procedure: String,
    /// The scenario's file.
    pub file: String,
    /// The line there that says what was not met; else that of its name.
    pub line: usize,
    /// How it ended.
    pub status: Status,
    /// Whether it passed after an attempt that did not.
    pub flaky: bool,
    /// How many attempts were made.
    pub attempts: u32,
    /// In one line.
    pub summary: String,
    /// How it was to end.
    pub expected: String,
    /// How it ended, as the engine says; none where it did not.
    pub ended: Option<String>,
    /// How many cases were run.
    pub cases: u64,
    /// How long each target was unreachable at most in each part of the run, such as `shop in the upgrade`, in nanoseconds.
    pub outages_ns: BTreeMap<String, u64>,
    /// How much longer that may be than in a baseline, in nanoseconds.
    pub outage_tolerance_ns: u64,
    /// What the checks of a run came to.
    pub checks: BTreeMap<String, CheckWord>,
    /// How many cases of an exploration struck where, by `call fault`.
    pub coverage: BTreeMap<String, u64>,
    /// The command that does it again.
    pub replay: String,
    /// Where it is kept, below the gate's folder.
    pub folder: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Row {
    /// The row of a job that was not begun.
    pub(crate) fn not_run(job: &Job) -> Row {
        let rule = match &job.work {
            Work::Run(rule) => Some(rule),
            Work::Explore(_) => None,
        };
        Row {
            name: job.name(),
            scenario: job.scenario.name.clone(),
            place: job.place().to_owned(),
            procedure: job.scenario.engine.procedure.clone(),
            file: job.loaded.file.clone(),
            line: line_of(&job.loaded.source, &["name"]).unwrap_or(1),
            status: Status::NotRun,
            flaky: false,
            attempts: 0,
            summary: "not run: the gate was interrupted".to_owned(),
            expected: job.expected(),
            ended: None,
            cases: 0,
            outages_ns: BTreeMap::new(),
            outage_tolerance_ns: rule.map_or(0, |rule| nanoseconds(rule.outage_tolerance)),
            checks: BTreeMap::new(),
            coverage: BTreeMap::new(),
            replay: job.replay(),
            folder: None,
            seconds: 0.0,
        }
    }

    /// The row of a job whose attempts were these, in order; the last one is kept.
    pub(crate) fn of(job: &Job, attempts: &[Attempt], seconds: f64) -> Row {
        let mut row = Row { seconds, attempts: attempts.len() as u32, ..Row::not_run(job) };
        let Some(last) = attempts.last() else { return row };
        (row.status, row.summary) = judged(job, last);
        if matches!(last, Attempt::Ran(_) | Attempt::Explored(_)) {
            row.folder = Some(job.folder(row.attempts));
        }
        match last {
            Attempt::Ran(verdict) => row.take_run(job, verdict),
            Attempt::Explored(found) => row.take_exploration(found),
            Attempt::Undisturbed(verdict) => row.ended = claimed(verdict).map(str::to_owned),
            Attempt::NotCovered(_) | Attempt::Broken(_) => {}
        }
        if let Work::Run(rule) = &job.work {
            row.hold_against(rule, job, &attempts[..attempts.len() - 1]);
        }
        row
    }

    fn take_run(&mut self, job: &Job, verdict: &Verdict) {
        self.cases = u64::from(verdict.verdict != Word::Interrupted);
        let caught = verdict.verdict == Word::Passed && !job.scenario.expect.caught_by.is_empty();
        self.ended = claimed(verdict).map(|name| if caught { format!("{name}, caught") } else { name.to_owned() });
        for target in verdict.targets.iter().filter(|target| !target.is_canary) {
            for total in &target.totals {
                let part = format!("{} in the {}", target.target, total.part.name());
                self.outages_ns.insert(part, total.length.upper_ns);
            }
        }
        for line in &verdict.checks {
            self.checks.insert(line.result.check.name().to_owned(), check_word(line));
        }
        self.replay = verdict.run.replay.clone();
        self.line = line_for(verdict, &job.loaded.source);
    }

    fn take_exploration(&mut self, found: &Exploration) {
        self.cases = found.cases;
        let unknown = found.failures.iter().filter(|failure| failure.known.is_none()).count();
        self.ended = Some(if unknown == 0 { "nothing new".to_owned() } else { format!("{unknown} new") });
        for line in found.coverage.iter().filter(|line| line.cell.cases > 0) {
            self.coverage.insert(format!("{} {}", line.call, line.fault), line.cell.cases);
        }
    }

    /// What the rule says of worlds that are not there, and of attempts that did not pass.
    fn hold_against(&mut self, rule: &RunRule, job: &Job, before: &[Attempt]) {
        if self.status == Status::NotCovered && rule.must_run {
            self.status = Status::Unfit;
            self.summary = format!("{}, and must be", self.summary);
        }
        let worst = before.iter().map(|attempt| judged(job, attempt)).reduce(|one, other| {
            // That the upgrade failed once is known, whatever else happened.
            if one.0 == Status::Failed || other.0 != Status::Failed { one } else { other }
        });
        let Some((status, summary)) = worst else { return };
        match self.status {
            Status::Passed => {
                self.flaky = true;
                self.summary = format!(
                    "flaky: passed in attempt {} of {}; before that {summary}",
                    self.attempts,
                    rule.retries + 1
                );
                if !rule.allow_flaky {
                    self.status = status;
                }
            }
            Status::Unfit | Status::NotCovered if status == Status::Failed => {
                self.status = Status::Failed;
                self.summary = format!("{summary}; then {}", self.summary);
            }
            _ => {}
        }
    }

    /// How long the target that was unreachable longest was so, in nanoseconds.
    pub fn worst_outage_ns(&self) -> Option<u64> {
        self.outages_ns.values().copied().max()
    }
}

/// The line of a scenario that says what was not met; else that of its name.
pub(crate) fn line_for(verdict: &Verdict, source: &str) -> usize {
    let bad = verdict.checks.iter().find(|line| !line.is_good());
    let path: &[&str] = match bad.map(|line| line.result.check) {
        Some(Check::Outage) => &["expect", "outage"],
        Some(Check::Outcome) => &["expect", "outcome"],
        Some(Check::Restored) => &["expect", "restored"],
        Some(Check::Leftovers) => &["expect", "residuals"],
        _ => &["name"],
    };
    line_of(source, path).or_else(|| line_of(source, &["name"])).unwrap_or(1)
}

fn check_word(line: &CheckLine) -> CheckWord {
    match line.result.status {
        CheckStatus::NotCovered if !line.result.applies => CheckWord::DoesNotApply,
        CheckStatus::NotCovered => CheckWord::NotCovered,
        CheckStatus::Pass | CheckStatus::Fail if line.is_good() => CheckWord::Good,
        CheckStatus::Pass | CheckStatus::Fail => CheckWord::Bad,
    }
}

fn nanoseconds(length: std::time::Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{jobs, passed};

    fn job() -> Job {
        jobs("[[run]]\nworld = 'virtual'\n").remove(0)
    }

    #[test]
    fn a_row_tells_of_outages_checks_and_the_line_that_was_not_met() {
        let row = Row::of(&job(), &[Attempt::Ran(Box::new(passed()))], 0.5);
        assert_eq!(row.outages_ns.keys().collect::<Vec<_>>(), ["shop in the upgrade"], "the canary is no target");
        assert_eq!(row.worst_outage_ns(), row.outages_ns.get("shop in the upgrade").copied());
        assert_eq!(
            (row.line, row.checks["outage"], row.checks["restored"]),
            (1, CheckWord::Good, CheckWord::DoesNotApply)
        );
        assert_eq!((row.expected.as_str(), row.ended.as_deref(), row.cases), ("upgraded", Some("upgraded"), 1));
        let mut slow = passed();
        let outage = slow.checks.iter_mut().find(|line| line.result.check == Check::Outage).unwrap();
        outage.result.status = CheckStatus::Fail;
        (slow.verdict, slow.summary) = (Word::Failed, "failed".to_owned());
        assert_eq!(Row::of(&job(), &[Attempt::Ran(Box::new(slow))], 0.5).line, 11, "where the outage is limited");
    }
}
