//! One run.

use grenadier_catalog::Named;
use grenadier_checks::{Verdict, Word};
use grenadier_events::CheckStatus;
use grenadier_report::{Annotation, Level, MarkdownTable, suite_of};
use grenadier_scenario::Loaded;

use super::heading;
use crate::row::line_for;

/// What there is to say beside the file of one run's scenario.
pub fn of_run(verdict: &Verdict, loaded: &Loaded) -> Option<Annotation> {
    let level = match verdict.verdict {
        Word::Failed => Level::Error,
        Word::Unfit => Level::Warning,
        Word::Passed | Word::Interrupted => return None,
    };
    let run = &verdict.run;
    Some(Annotation {
        level,
        file: loaded.file.clone(),
        line: line_for(verdict, &loaded.source),
        title: suite_of(run),
        message: format!("{}\n{}", verdict.summary, run.replay),
    })
}

/// One run in Markdown, for the summary of a step.
pub fn summary_of_run(verdict: &Verdict) -> String {
    let mut table = MarkdownTable::new(&["check", "", "what it found"]);
    for line in &verdict.checks {
        let word = match (line.result.status, line.is_good()) {
            (CheckStatus::NotCovered, true) => "not covered",
            (CheckStatus::NotCovered, false) => "NOT COVERED",
            (CheckStatus::Pass | CheckStatus::Fail, true) => "pass",
            (CheckStatus::Pass | CheckStatus::Fail, false) => "FAIL",
        };
        table.row(&[line.result.check.name(), word, &line.result.message]);
    }
    let mut says = MarkdownTable::new(&["scenario", "verdict", "again"]);
    says.row(&[&verdict.run.scenario, &verdict.summary, &verdict.run.replay]);
    format!("### Grenadier run: {}\n\n{}\n{}\n", heading(verdict.verdict), says.text(), table.text())
}
