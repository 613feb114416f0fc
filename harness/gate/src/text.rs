//! A gate as people read it.

use std::fmt::Write as _;
use std::time::Duration;

use grenadier_checks::Word;
use grenadier_clock::format_duration;
use grenadier_report::columns;

use crate::gate::Gate;
use crate::row::{Row, Status};

/// How many differences are shown; `gate.json` has them all.
const MOST_DIFFERENCES: usize = 30;

/// The table, what did not pass, what became worse, and in the last lines the verdict and what to do next.
pub fn text(gate: &Gate, folder: &str) -> String {
    let mut text = String::new();
    text += &columns(&rows(gate), &RIGHT);
    let bad = |row: &&Row| row.status != Status::Passed || row.flaky;
    for row in gate.rows.iter().filter(bad) {
        line(&mut text, "");
        line(&mut text, &format!("{}  {}", word(row), row.name));
        line(&mut text, &format!("    {}", row.summary));
        if row.status != Status::NotRun {
            line(&mut text, &format!("    {}:{}", row.file, row.line));
            line(&mut text, &format!("    {}", row.replay));
        }
        if let Some(kept) = &row.folder {
            line(&mut text, &format!("    {folder}/{kept}"));
        }
    }
    differences(&mut text, gate);
    line(&mut text, "");
    let (seconds, workers) = (gate.seconds, gate.workers);
    let by = if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
    line(&mut text, &format!("{}  ({seconds:.1} s, {by})", gate.summary));
    line(&mut text, &next(gate, folder));
    text
}

/// What to do next.
fn next(gate: &Gate, folder: &str) -> String {
    let first = gate.rows.iter().find(|row| matches!(row.status, Status::Failed | Status::Unfit));
    match (gate.verdict, first) {
        (Word::Interrupted, _) => format!("{folder} has what was run; the same command runs all of it again"),
        (Word::Failed | Word::Unfit, Some(row)) => format!("{folder} explains it; begin with: {}", row.replay),
        (Word::Failed | Word::Unfit, None) => {
            format!("{folder} explains it; where what became worse is right, keep that folder as the baseline")
        }
        (Word::Passed, _) => format!("{folder} explains it; keep it, and compare with it: --baseline {folder}"),
    }
}

fn word(row: &Row) -> &'static str {
    if row.flaky && row.status == Status::Passed { "FLAKY" } else { row.status.word() }
}

fn rows(gate: &Gate) -> Vec<Vec<String>> {
    let head = ["", "scenario", "world", "procedure", "expected", "ended", "cases", "outage", "time"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(gate.rows.iter().map(cells));
    rows
}

/// The cells of a row: status, scenario, world, procedure, expected, ended, cases, outage, time.
pub(crate) fn cells(row: &Row) -> Vec<String> {
    let ran = row.attempts > 0 && row.status != Status::NotCovered;
    let outage = row.worst_outage_ns().map_or_else(|| "–".to_owned(), |ns| format_duration(Duration::from_nanos(ns)));
    let place = if row.place == "explore" { "virtual, explored" } else { &row.place };
    vec![
        word(row).to_owned(),
        row.scenario.clone(),
        place.to_owned(),
        row.procedure.clone(),
        row.expected.clone(),
        row.ended.clone().unwrap_or_else(|| "–".to_owned()),
        row.cases.to_string(),
        outage,
        if ran { format!("{:.2} s", row.seconds) } else { "–".to_owned() },
    ]
}

/// The columns that hold numbers.
const RIGHT: [usize; 3] = [6, 7, 8];

fn differences(text: &mut String, gate: &Gate) {
    if gate.differences.is_empty() {
        return;
    }
    line(text, "");
    if gate.baseline.as_ref().is_some_and(|against| !against.same_profile) {
        line(text, "The baseline is by another profile, which may well have asked for other rows.");
    }
    let head = ["", "worse than the baseline", "before", "now"].map(str::to_owned).to_vec();
    let row = |it: &crate::Difference| vec![it.kind.word().to_owned(), it.about(), it.before.clone(), it.now.clone()];
    let mut rows = vec![head];
    rows.extend(gate.differences.iter().take(MOST_DIFFERENCES).map(row));
    *text += &columns(&rows, &RIGHT);
    if let Some(more) = gate.differences.len().checked_sub(MOST_DIFFERENCES).filter(|more| *more > 0) {
        line(text, &format!("and {more} more in gate.json"));
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attempt;
    use crate::testing::{Script, against, gate};

    const RULES: &str = "[[run]]\nworld = 'virtual'\n";

    #[test]
    fn what_did_not_pass_is_told_below_the_table_and_the_verdict_last() {
        let script =
            Script::new(&[("haproxy-appliance/one[virtual]", &[Attempt::Broken("the disk is full".to_owned())])]);
        let (gate, _) = gate(RULES, &script);
        let shown = text(&gate, "out");
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].trim_start().starts_with("scenario  world"), "{shown}");
        assert!(lines[1].starts_with("UNFIT  one ") && lines[2].starts_with("PASS   two "), "{shown}");
        assert_eq!(
            lines[4..8],
            [
                "UNFIT  haproxy-appliance/one[virtual]",
                "    not fit to tell: the disk is full",
                "    mine/one.yaml:1",
                "    grenadier run mine/one.yaml --seed 1"
            ]
        );
        assert_eq!(lines[lines.len() - 1], "out explains it; begin with: grenadier run mine/one.yaml --seed 1");
        assert_eq!(lines[lines.len() - 2], "unfit: 1 not fit to tell, 1 passed; 1 case  (1.0 s, 2 workers)");
    }

    #[test]
    fn what_became_worse_is_a_table_and_another_profile_is_told() {
        let (mut before, _) = gate(RULES, &Script::default());
        before.rows.iter_mut().for_each(|row| row.outages_ns.clear());
        let (same, _) = against(RULES, &Script::default(), Some(&before.rows));
        let shown = text(&same, "out");
        assert!(shown.contains("\noutage  haproxy-appliance/one[virtual]: shop in the upgrade  0s "), "{shown}");
        assert!(!shown.contains("another profile"), "{shown}");
        let mut other = same;
        other.baseline.as_mut().unwrap().same_profile = false;
        assert!(text(&other, "out").contains("The baseline is by another profile"));
    }
}
