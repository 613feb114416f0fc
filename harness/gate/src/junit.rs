//! `junit.xml` of a gate.

use std::collections::BTreeMap;

use grenadier_explore::junit_cases;
use grenadier_report::{JunitCase, JunitError, JunitReport, JunitStatus};

use crate::baseline::Difference;
use crate::gate::{Gate, Gated};
use crate::perform::Attempt;
use crate::row::{Row, Status, end_otherwise};

/// A suite for each row, as a run or an exploration of its own would have it, and one for the comparison with the baseline.
///
/// # Errors
/// Where the XML cannot be written; the texts in it are no reason for that.
pub fn junit(gate: &Gate, gated: &[Gated]) -> Result<String, JunitError> {
    let mut report = JunitReport::default();
    for Gated { job, row, last } in gated {
        let mut more = Vec::new();
        match last {
            Some(Attempt::Ran(verdict)) => {
                if let Some(otherwise) = end_otherwise(job, verdict) {
                    more.push(of_row(row, "end", JunitStatus::Failed, otherwise));
                }
                if row.attempts > 1 {
                    let message = row.summary.clone();
                    more.push(of_row(row, "attempts", status(row.status), message));
                }
                report.add_run(verdict, &more);
            }
            Some(Attempt::Explored(found)) => report.add_suite(&row.name, &junit_cases(found)),
            Some(Attempt::Undisturbed(_) | Attempt::NotCovered(_) | Attempt::Broken(_)) | None => {
                report.add_suite(&row.name, &[of_row(row, "verdict", status(row.status), row.summary.clone())]);
            }
        }
    }
    if gate.baseline.is_some() {
        report.add_suite("grenadier/gate[baseline]", &differences(&gate.differences));
    }
    report.to_xml()
}

fn of_row(row: &Row, name: &str, status: JunitStatus, message: String) -> JunitCase {
    let details = format!("expected: {}\nreplay: {}", row.expected, row.replay);
    JunitCase { name: name.to_owned(), status, message, details }
}

const fn status(status: Status) -> JunitStatus {
    match status {
        Status::Passed => JunitStatus::Passed,
        Status::Failed => JunitStatus::Failed,
        Status::Unfit | Status::Interrupted => JunitStatus::Error,
        Status::NotCovered | Status::NotRun => JunitStatus::Skipped,
    }
}

/// One case for each kind of difference and row, so that names stay the same while figures change.
fn differences(differences: &[Difference]) -> Vec<JunitCase> {
    let mut cases: BTreeMap<String, Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        cases.entry(format!("{}: {}", difference.kind.word(), difference.row)).or_default().push(difference);
    }
    let case = |(name, found): (String, Vec<&Difference>)| {
        let line = |it: &&Difference| format!("{}: {} before, {} now", it.about(), it.before, it.now);
        let lines: Vec<String> = found.iter().map(line).collect();
        JunitCase { name, status: status(found[0].status()), message: lines[0].clone(), details: lines[1..].join("\n") }
    };
    let mut all = vec![JunitCase {
        name: "verdict".to_owned(),
        status: if differences.is_empty() { JunitStatus::Passed } else { worst(differences) },
        message: format!("{} differences from the baseline", differences.len()),
        details: String::new(),
    }];
    all.extend(cases.into_iter().map(case));
    all
}

fn worst(differences: &[Difference]) -> JunitStatus {
    let failed = differences.iter().any(|difference| difference.status() == Status::Failed);
    if failed { JunitStatus::Failed } else { JunitStatus::Error }
}
