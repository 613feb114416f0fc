//! An exploration.

use std::path::Path;

use grenadier_checks::{ExitCode, Word};
use grenadier_explore::{Exploration, ExplorationFailure, replay_of, verdict_line};
use grenadier_report::{Annotation, Level, MarkdownTable};
use grenadier_scenario::{Loaded, line_of};

use super::heading;

/// How many failures the summary of a step shows; `explore.json` has them all.
const MOST_FAILURES: usize = 100;

/// What there is to say beside the file of the scenario that was explored: a line for each failure that it does not know of, and
/// for each that it knows of and that is gone. First what speaks against the upgrade. `folder` is where the cases are.
pub fn of_exploration(exploration: &Exploration, loaded: &Loaded, folder: Option<&Path>) -> Vec<Annotation> {
    let line = |key| line_of(&loaded.source, &[key]).or_else(|| line_of(&loaded.source, &["name"])).unwrap_or(1);
    let title = format!("{}/{}[explore]", exploration.system, exploration.scenario);
    let annotation =
        |level, line, message| Annotation { level, file: loaded.file.clone(), line, title: title.clone(), message };
    let unknown = exploration.failures.iter().filter(|failure| failure.known.is_none());
    let failed = unknown.map(|failure| {
        let says_nothing = matches!(failure.signature.check.as_str(), "panic" | "unfit");
        let level = if says_nothing { Level::Warning } else { Level::Error };
        let again = again(failure, exploration, folder);
        annotation(level, line("name"), format!("{}: {}\n{again}", failure.signature, failure.message))
    });
    let mended = exploration.mended().map(|known| {
        let message = format!(
            "known failure {} does not fail any more: take it out of known-failures, and close {}",
            known.signature, known.issue
        );
        annotation(Level::Error, line("known-failures"), message)
    });
    let mut found: Vec<Annotation> = failed.chain(mended).collect();
    found.sort_by_key(|annotation| annotation.level != Level::Error);
    found
}

/// The command that shows a failure again.
fn again(failure: &ExplorationFailure, exploration: &Exploration, folder: Option<&Path>) -> String {
    folder.map_or_else(|| exploration.command(), |folder| replay_of(failure, folder))
}

/// An exploration in Markdown, for the summary of a step. `folder` is where its cases are.
pub fn summary_of_exploration(exploration: &Exploration, folder: Option<&Path>) -> String {
    let verdict = match exploration.exit_code() {
        ExitCode::Passed => Word::Passed,
        ExitCode::Failed | ExitCode::Input => Word::Failed,
        ExitCode::Environment => Word::Unfit,
        ExitCode::Interrupted => Word::Interrupted,
    };
    let mut says = MarkdownTable::new(&["scenario", "verdict", "again"]);
    says.row(&[&exploration.scenario, &verdict_line(exploration), &exploration.command()]);
    let mut text = format!("### Grenadier exploration: {}\n\n{}", heading(verdict), says.text());
    if !exploration.failures.is_empty() {
        let mut failures = MarkdownTable::new(&["failure", "cases", "what it found", "known", "again"]);
        for failure in exploration.failures.iter().take(MOST_FAILURES) {
            let (signature, cases) = (failure.signature.to_string(), failure.cases.to_string());
            let known = failure.known.as_deref().unwrap_or_default();
            failures.row(&[signature.as_str(), &cases, &failure.message, known, &again(failure, exploration, folder)]);
        }
        text += &format!("\n{}", failures.text());
        if let Some(more) = exploration.failures.len().checked_sub(MOST_FAILURES).filter(|more| *more > 0) {
            text += &format!("\n… and {more} more in explore.json\n");
        }
    }
    let mut mended = MarkdownTable::new(&["known failure that is gone", "why it was left", "issue"]);
    let mut any = false;
    for known in exploration.mended() {
        any = true;
        mended.row(&[&known.signature, &known.reason, &known.issue]);
    }
    if any {
        text += &format!("\n{}", mended.text());
    }
    text + "\n"
}
