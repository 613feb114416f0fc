//! `grenadier prune`.

use std::cmp::Reverse;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use grenadier_checks::ExitCode;
use thiserror::Error;

use crate::arguments::Prune;
use crate::output::{complain, line, report};

/// What is written last into every folder that we leave.
const OURS: [&str; 5] = ["verdict.json", "explore.json", "assumptions.json", "gate.json", "paths.json"];

#[derive(Debug, Error)]
#[error("read {}", path.display())]
struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

pub(crate) fn run(arguments: &Prune) -> ExitCode {
    let mut runs = match found(&arguments.folder) {
        Ok(runs) => runs,
        Err(source) => {
            let error = Unreadable { path: arguments.folder.clone(), source };
            return report(ExitCode::Input, &error, Some("name the folder that holds the folders of runs"));
        }
    };
    // The newest first; of one moment, by name.
    runs.sort_by_key(|(written, path)| (Reverse(*written), path.clone()));
    let old = runs.split_off(arguments.keep.min(runs.len()));
    let (mut code, quiet) = (ExitCode::Passed, arguments.quiet.quiet);
    for (_, path) in &old {
        match std::fs::remove_dir_all(path) {
            Ok(()) if quiet => line(&path.display().to_string()),
            Ok(()) => line(&format!("removed {}", path.display())),
            Err(error) => {
                complain(&format!("error: remove {}: {error}\n", path.display()));
                code = ExitCode::Environment;
            }
        }
    }
    if old.is_empty() && !quiet {
        line(&format!("nothing to remove: {} runs are there", runs.len()));
    }
    code
}

/// The folders of runs directly in `folder`, with when they were written. What is linked to from here lies elsewhere.
fn found(folder: &Path) -> io::Result<Vec<(SystemTime, PathBuf)>> {
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let written = OURS.iter().find_map(|name| entry.path().join(name).metadata().ok()?.modified().ok());
        runs.extend(written.map(|written| (written, entry.path())));
    }
    Ok(runs)
}
