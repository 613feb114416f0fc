//! What the rows add up to.

use grenadier_checks::{ExitCode, Word};
use grenadier_scenario::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::baseline::{Difference, compare};
use crate::job::Job;
use crate::perform::Attempt;
use crate::row::{Row, Status};

/// The version of the shape of `gate.json`, written as `v`.
pub const VERSION: u32 = 1;

/// What a gate is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Against {
    /// The folder of the earlier gate.
    pub folder: String,
    /// Whether it had the same profile: another one may well ask for other rows.
    pub same_profile: bool,
}

/// A job with what came of it.
#[derive(Clone, Debug)]
pub struct Gated {
    /// The job.
    pub job: Job,
    /// What came of it.
    pub row: Row,
    /// Its last attempt; none where it was not begun.
    pub last: Option<Attempt>,
}

/// What a gate came to. This is `gate.json`; `docs/gate.md` describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// The version of this shape, see [`VERSION`].
    pub v: u32,
    /// In one word.
    pub verdict: Word,
    /// The exit code of `grenadier` for it.
    pub exit_code: u8,
    /// In one line.
    pub summary: String,
    /// The profile, by its file.
    pub profile: String,
    /// SHA-256 of the profile's text.
    pub profile_sha256: String,
    /// How many cases were run: one for each run, and those of explorations.
    pub cases: u64,
    /// What came of each job, in order.
    pub rows: Vec<Row>,
    /// The baseline, where there is one.
    pub baseline: Option<Against>,
    /// What became worse since the baseline.
    pub differences: Vec<Difference>,
    /// How many threads worked.
    pub workers: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Gate {
    /// Adds the rows up, and compares them with those of the `baseline` in a folder.
    pub fn of(
        profile: &Profile,
        rows: Vec<Row>,
        baseline: Option<(&Gate, String)>,
        workers: u64,
        seconds: f64,
    ) -> Gate {
        let profile_sha256 = sha256(profile.source());
        let differences = baseline.as_ref().map(|(before, _)| compare(&before.rows, &rows)).unwrap_or_default();
        let verdict = verdict(&rows, &differences);
        let cases = rows.iter().map(|row| row.cases).sum();
        Gate {
            v: VERSION,
            verdict,
            exit_code: verdict.exit_code().code(),
            summary: summary(verdict, &rows, &differences, cases),
            profile: profile.file().to_owned(),
            cases,
            rows,
            baseline: baseline
                .map(|(before, folder)| Against { folder, same_profile: before.profile_sha256 == profile_sha256 }),
            differences,
            profile_sha256,
            workers,
            seconds,
        }
    }

    /// The exit code of `grenadier`.
    pub fn exit_code(&self) -> ExitCode {
        self.verdict.exit_code()
    }

    /// `gate.json`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a gate has string keys and finite numbers");
        text.push('\n');
        text
    }
}

/// In this order: interrupted; failed where an upgrade did, whatever else happened; unfit where the environment did; passed.
fn verdict(rows: &[Row], differences: &[Difference]) -> Word {
    let any = |status: &[Status]| rows.iter().any(|row| status.contains(&row.status));
    let worse = |status| differences.iter().any(|difference| difference.status() == status);
    if any(&[Status::Interrupted, Status::NotRun]) {
        Word::Interrupted
    } else if any(&[Status::Failed]) || worse(Status::Failed) {
        Word::Failed
    } else if any(&[Status::Unfit]) || worse(Status::Unfit) {
        Word::Unfit
    } else {
        Word::Passed
    }
}

/// `failed: 2 failed, 1 not fit, 33 passed, 1 not covered; 3 differences from the baseline; 3850 cases`
fn summary(verdict: Word, rows: &[Row], differences: &[Difference], cases: u64) -> String {
    let counted = [
        (Status::Failed, "failed"),
        (Status::Unfit, "not fit to tell"),
        (Status::Interrupted, "interrupted"),
        (Status::NotRun, "not run"),
        (Status::Passed, "passed"),
        (Status::NotCovered, "not covered"),
    ];
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    let parts: Vec<String> = counted
        .into_iter()
        .map(|(status, word)| (count(status), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let mut text = format!("{}: {}", verdict.name(), parts.join(", "));
    let flaky = rows.iter().filter(|row| row.flaky).count();
    if flaky > 0 {
        text += &format!(", {flaky} of them flaky");
    }
    match differences.len() {
        0 => {}
        1 => text += "; 1 difference from the baseline",
        many => text += &format!("; {many} differences from the baseline"),
    }
    text + &format!("; {cases} case{}", if cases == 1 { "" } else { "s" })
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
