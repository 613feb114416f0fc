//! The folder that explains a run.

use std::path::Path;

use grenadier_report::{FolderError, RunFolder};
use grenadier_runner::{DECLARED, RunOutput};
use grenadier_scenario::Case;

/// Leaves everything of a run at `path`, with the case that replays it.
pub(super) fn leave(path: &Path, case: &Case, output: &RunOutput) -> Result<(), FolderError> {
    let case = case.to_yaml(&format!("{}/case.yaml", path.display()));
    let folder = RunFolder::new(path).with_behaviours(&DECLARED);
    output.log.with(|events| folder.write(events, &output.verdict, &output.captures, &case))
}
