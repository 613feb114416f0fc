//! `junit.xml` of a gate.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_explore::junit_cases;
use grenadier_report::{JunitCase, JunitError, JunitReport, JunitStatus};

use crate::baseline::Difference;
use crate::gate::{Gate, Gated};
use crate::judge::end_otherwise;
use crate::perform::Attempt;
use crate::row::{Row, Status};

/// A suite for each row, as a run or an exploration of its own would have it, and one for the comparison with the baseline.
///
/// # Errors
/// Where the XML cannot be written; the texts in it are no reason for that.
pub fn junit(gate: &Gate, gated: &[Gated]) -> Result<String, JunitError> {
    let mut report = JunitReport::default();
    for Gated { job, row, last } in gated {
        let took = Duration::try_from_secs_f64(row.seconds).unwrap_or_default();
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
                report.add_run(verdict, took, &more);
            }
            Some(Attempt::Explored(found)) => report.add_suite(&row.name, Some(took), &junit_cases(found)),
            Some(Attempt::Undisturbed(_) | Attempt::NotCovered(_) | Attempt::Broken(_)) | None => {
                report.add_suite(
                    &row.name,
                    Some(took),
                    &[of_row(row, "verdict", status(row.status), row.summary.clone())],
                );
            }
        }
    }
    if gate.baseline.is_some() {
        report.add_suite("grenadier/gate[baseline]", None, &differences(&gate.differences));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use grenadier_checks::Word;

    use super::*;
    use crate::baseline::DifferenceKind;
    use crate::testing::{Script, against, ended, gate};

    const RULES: &str = "[[run]]\nworld = 'virtual'\n[[run]]\nworld = 'docker'\n";

    /// How many failures and errors there are.
    fn counted(xml: &str) -> (usize, usize) {
        let document = roxmltree::Document::parse(xml).unwrap();
        let count = |name| document.descendants().filter(|node| node.has_tag_name(name)).count();
        (count("failure"), count("error"))
    }

    #[test]
    fn names_are_unique_and_the_environment_is_an_error() {
        let script = Script::new(&[
            ("haproxy-appliance/one[docker]", &[Attempt::Broken("]]> the disk is full".to_owned())]),
            ("haproxy-appliance/two[docker]", &[Attempt::NotCovered("no engine".to_owned())]),
        ]);
        let (gate, gated) = gate(RULES, &script);
        let xml = junit(&gate, &gated).unwrap();
        assert_eq!(counted(&xml), (0, 1), "{xml}");
        let document = roxmltree::Document::parse(&xml).unwrap();
        let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let names: BTreeSet<_> = cases.iter().map(|case| case.attribute("name").unwrap()).collect();
        assert_eq!(names.len(), cases.len());
        assert!(names.contains("haproxy-appliance/one[docker]/verdict"), "{names:?}");
        assert!(names.contains("haproxy-appliance/two[virtual]/outage"), "{names:?}");
        assert_eq!(document.descendants().filter(|node| node.has_tag_name("skipped")).count(), skipped(&gate) + 1);
        assert!(xml.contains("replay: grenadier run mine/one.yaml --world docker --seed 1"), "{xml}");
    }

    fn skipped(gate: &Gate) -> usize {
        let idle = |row: &Row| row.checks.values().filter(|word| **word == crate::CheckWord::DoesNotApply).count();
        gate.rows.iter().map(idle).sum()
    }

    #[test]
    fn an_upgrade_that_failed_is_a_failure() {
        let script = Script::new(&[("haproxy-appliance/one[virtual]", &[ended(Word::Failed, "failed: outage")])]);
        let (gate, gated) = gate(RULES, &script);
        let xml = junit(&gate, &gated).unwrap();
        assert_eq!(counted(&xml), (1, 0), "{xml}");
        assert!(xml.contains("<failure message=\"failed: outage\">failed: outage"), "{xml}");
    }

    #[test]
    fn a_flaky_run_is_named_and_fails_as_the_table_does() {
        let attempts = [ended(Word::Failed, "failed: outage"), ended(Word::Passed, "passed")];
        for (allow, failures) in [(false, 1), (true, 0)] {
            let rules = format!("[[run]]\nworld = 'docker'\nretries = 1\nallow-flaky = {allow}\n");
            let (gate, gated) = gate(&rules, &Script::new(&[("haproxy-appliance/one[docker]", &attempts)]));
            let xml = junit(&gate, &gated).unwrap();
            assert_eq!(counted(&xml), (failures, 0), "{xml}");
            assert!(xml.contains("/attempts\"") && xml.contains("flaky: passed in attempt 2"), "{xml}");
        }
    }

    #[test]
    fn what_is_worse_than_the_baseline_has_cases_of_its_own() {
        let (before, gated) = gate(RULES, &Script::default());
        assert!(!junit(&before, &gated).unwrap().contains("[baseline]"));
        let mut rows = before.rows.clone();
        rows.iter_mut().for_each(|row| row.outages_ns.clear());
        let (now, gated) = against(RULES, &Script::default(), Some(&rows));
        let xml = junit(&now, &gated).unwrap();
        assert!(now.differences.iter().all(|it| it.kind == DifferenceKind::Outage));
        assert_eq!(counted(&xml), (now.rows.len() + 1, 0), "one for each row, one for all of it");
        assert!(xml.contains("grenadier/gate[baseline]/outage: haproxy-appliance/one[virtual]"), "{xml}");
    }
}
