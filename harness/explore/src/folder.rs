//! The folder that explains an exploration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use grenadier_report::JunitError;
use thiserror::Error;

use crate::{Assumptions, Exploration, html, junit, kept};

/// The folder of an exploration cannot be written.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A file or directory cannot be written.
    #[error("exploration folder: {path} could not be written")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The JUnit report could not be made.
    #[error(transparent)]
    Junit(#[from] JunitError),
    /// The folder of a failure's run cannot be written.
    #[error(transparent)]
    Run(#[from] grenadier_report::FolderError),
}

/// Writes everything that explains an exploration into one directory:
///
/// | file | |
/// | --- | --- |
/// | `cases/<signature>.yaml` | replays a failure: `grenadier replay cases/<signature>.yaml` |
/// | `runs/<signature>/` | the run that shows it, as [`RunFolder`](grenadier_report::RunFolder) writes it; of failures alone |
/// | `report.html` | the exploration on one page, for people |
/// | `junit.xml` | for pipelines |
/// | `explore.json` | the exploration; written last, so a folder that has it is complete |
#[derive(Clone, Debug)]
pub struct ExploreFolder {
    path: PathBuf,
}

impl ExploreFolder {
    /// The folder at `path`. It is made when it is written to; what an earlier exploration left there is replaced.
    pub fn new(path: impl Into<PathBuf>) -> ExploreFolder {
        ExploreFolder { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes everything.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn write(&self, exploration: &Exploration) -> Result<(), FolderError> {
        // Cases of an earlier exploration would pass for failures of this one.
        for old in ["explore.json", "junit.xml", "report.html"] {
            self.removed(&self.path.join(old), fs::remove_file(self.path.join(old)))?;
        }
        let cases = self.path.join("cases");
        for old in [&cases, &self.path.join("runs")] {
            self.removed(old, fs::remove_dir_all(old))?;
        }
        let made = if exploration.failures.is_empty() { &self.path } else { &cases };
        fs::create_dir_all(made).map_err(|source| FolderError::Write { path: made.clone(), source })?;
        for failure in &exploration.failures {
            self.put(&failure.file, &failure.case)?;
        }
        kept::keep(exploration, &self.path)?;
        self.put("report.html", &html(exploration, &self.path))?;
        self.put("junit.xml", &junit(exploration)?)?;
        self.put("explore.json", &exploration.to_json())
    }

    /// Writes what came of turning assumptions over: `cases/<id>.yaml`, and at last `assumptions.json`.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn write_assumptions(&self, found: &Assumptions) -> Result<(), FolderError> {
        let cases = self.path.join("cases");
        self.removed(&cases, fs::remove_dir_all(&cases))?;
        fs::create_dir_all(&cases).map_err(|source| FolderError::Write { path: cases, source })?;
        for turned in found.assumptions.iter().filter_map(|it| it.turned.as_ref()) {
            if let (Some(file), Some(case)) = (&turned.file, &turned.case) {
                self.put(file, case)?;
            }
        }
        self.put("assumptions.json", &found.to_json())
    }

    fn removed(&self, path: &Path, result: io::Result<()>) -> Result<(), FolderError> {
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::Write { path: path.to_owned(), source: error })
            }
            _ => Ok(()),
        }
    }

    fn put(&self, name: &str, text: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|source| FolderError::Write { path, source })
    }
}
