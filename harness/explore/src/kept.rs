//! The runs that show the failures of an exploration, each in a folder of its own.

use std::fs;
use std::path::Path;

use grenadier_events::EventLog;
use grenadier_report::RunFolder;
use grenadier_runner::DECLARED;
use grenadier_scenario::parse_case;

use crate::exploration::{Exploration, ExplorationFailure};
use crate::folder::FolderError;
use crate::replay;
use crate::text::replay_of;

/// How many failures have a run of their own in the folder: one takes half a megabyte.
const MOST: usize = 50;

/// Where the run of a failure is, within the folder of its exploration.
pub(crate) fn place(failure: &ExplorationFailure) -> String {
    let name = failure.file.trim_start_matches("cases/").trim_end_matches(".yaml");
    format!("runs/{name}")
}

/// Runs the case of each failure again and keeps what explains it.
pub(crate) fn keep(exploration: &Exploration, folder: &Path) -> Result<(), FolderError> {
    // Where the program itself broke, it would break again.
    let failures = exploration.failures.iter().filter(|failure| failure.signature.check != "panic");
    for failure in failures.take(MOST) {
        let command = replay_of(failure, folder);
        let Ok(case) = parse_case(&failure.case, &failure.file) else { continue };
        let Ok(replayed) = replay(&case, &command, EventLog::default(), None) else { continue };
        let run = RunFolder::new(folder.join(place(failure))).with_behaviours(&DECLARED);
        let output = &replayed.output;
        output.log.with(|events| run.write(events, &output.verdict, &output.captures, &failure.case))?;
    }
    Ok(())
}

/// Whether there is a run of it.
pub(crate) fn is_kept(failure: &ExplorationFailure, folder: &Path) -> bool {
    fs::exists(folder.join(place(failure)).join("report.html")).unwrap_or(false)
}
