//! A gate.

use std::collections::BTreeMap;

use grenadier_report::{Annotation, Level, MarkdownTable};

use super::heading;
use crate::gate::Gate;
use crate::row::{Row, Status};
use crate::text::cells;

/// What there is to say beside scenario files: first the upgrades that failed, then what says nothing about them.
pub fn annotations(gate: &Gate) -> Vec<Annotation> {
    let mut found: Vec<Annotation> = Vec::new();
    for row in &gate.rows {
        let Some(level) = level(row.status) else { continue };
        let message = format!("{}\n{}", row.summary, row.replay);
        found.push(annotation(level, row, message));
    }
    let places: BTreeMap<&str, &Row> = gate.rows.iter().map(|row| (row.name.as_str(), row)).collect();
    for difference in &gate.differences {
        let (Some(row), Some(level)) = (places.get(difference.row.as_str()), level(difference.status())) else {
            continue;
        };
        let worse = format!(
            "{}: {}, {} before, {} now",
            difference.kind.word(),
            difference.about(),
            difference.before,
            difference.now
        );
        found.push(annotation(level, row, worse));
    }
    found.sort_by_key(|annotation| annotation.level != Level::Error);
    found
}

fn annotation(level: Level, row: &Row, message: String) -> Annotation {
    Annotation { level, file: row.file.clone(), line: row.line, title: row.name.clone(), message }
}

const fn level(status: Status) -> Option<Level> {
    match status {
        Status::Failed => Some(Level::Error),
        Status::Unfit => Some(Level::Warning),
        Status::Passed | Status::NotCovered | Status::Interrupted | Status::NotRun => None,
    }
}

/// The gate in Markdown, for the summary of a step.
pub fn summary(gate: &Gate) -> String {
    let mut text = format!("### Grenadier gate: {}\n\n", heading(gate.verdict));
    let mut says = MarkdownTable::new(&["verdict"]);
    says.row(&[&gate.summary]);
    text += says.text();
    let mut bad = MarkdownTable::new(&["", "row", "why", "again"]);
    let mut any = false;
    for row in gate.rows.iter().filter(|row| row.status != Status::Passed || row.flaky) {
        any = true;
        bad.row(&[row.status.word(), &row.name, &row.summary, &row.replay]);
    }
    if any {
        text += &format!("\n{}", bad.text());
    }
    if !gate.differences.is_empty() {
        let mut worse = MarkdownTable::new(&["worse than the baseline", "", "before", "now"]);
        for it in &gate.differences {
            worse.row(&[it.kind.word(), &it.about(), &it.before, &it.now]);
        }
        text += &format!("\n{}", worse.text());
    }
    let mut all =
        MarkdownTable::new(&["", "scenario", "world", "procedure", "expected", "ended", "cases", "outage", "time"]);
    for row in &gate.rows {
        all.row(&cells(row));
    }
    text + &format!("\n{}", all.text())
}

#[cfg(test)]
mod tests {
    use grenadier_checks::Word;

    use super::*;
    use crate::Attempt;
    use crate::testing::{Script, ended, gate};

    const RULES: &str = "[[run]]\nworld = 'virtual'\n[[run]]\nworld = 'docker'\n";

    #[test]
    fn failed_upgrades_come_first_and_what_passed_or_is_not_covered_has_none() {
        let script = Script::new(&[
            ("haproxy-appliance/one[virtual]", &[Attempt::Broken("the disk is full".to_owned())]),
            ("haproxy-appliance/two[virtual]", &[ended(Word::Failed, "failed: outage")]),
            ("haproxy-appliance/one[docker]", &[Attempt::NotCovered("no engine".to_owned())]),
        ]);
        let (gate, _) = gate(RULES, &script);
        let found = annotations(&gate);
        let told: Vec<_> = found.iter().map(|it| (it.level, it.file.as_str(), it.line, it.title.as_str())).collect();
        assert_eq!(
            told,
            [
                (Level::Error, "mine/two.yaml", 1, "haproxy-appliance/two[virtual]"),
                (Level::Warning, "mine/one.yaml", 1, "haproxy-appliance/one[virtual]"),
            ]
        );
        let markdown = summary(&gate);
        assert!(markdown.starts_with("### Grenadier gate: the upgrade failed\n"), "{markdown}");
        assert!(
            markdown.contains("| UNFIT | haproxy-appliance/one\\[virtual\\] | not fit to tell: the disk is full |")
        );
        assert_eq!(markdown.matches("| NOT COVERED |").count(), 2, "{markdown}");
    }
}
