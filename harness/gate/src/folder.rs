//! The folder that explains a gate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use grenadier_report::JunitError;
use thiserror::Error;

use crate::gate::{Gate, Gated};
use crate::junit::junit;

/// The folder of a gate cannot be written.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A file or directory cannot be written.
    #[error("gate folder: {path} could not be written")]
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
}

/// `rows/<scenario>-<world>/`, each as a run or an exploration leaves it; `junit.xml`; and at last `gate.json`: a folder that
/// has it is complete.
#[derive(Clone, Debug)]
pub struct GateFolder {
    path: PathBuf,
}

impl GateFolder {
    /// Makes the folder at `path` ready; what an earlier gate left there goes.
    ///
    /// # Errors
    /// Where that cannot be done: better now than after everything was run.
    pub fn begin(path: impl Into<PathBuf>) -> Result<GateFolder, FolderError> {
        let path = path.into();
        let failed = |path: &Path, source| FolderError::Write { path: path.to_owned(), source };
        for old in ["gate.json", "junit.xml"].map(|name| path.join(name)) {
            gone(fs::remove_file(&old)).map_err(|source| failed(&old, source))?;
        }
        let rows = path.join("rows");
        gone(fs::remove_dir_all(&rows)).map_err(|source| failed(&rows, source))?;
        fs::create_dir_all(&rows).map_err(|source| failed(&rows, source))?;
        Ok(GateFolder { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what the jobs came to.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn finish(&self, gate: &Gate, gated: &[Gated]) -> Result<(), FolderError> {
        self.put("junit.xml", &junit(gate, gated)?)?;
        self.put("gate.json", &gate.to_json())
    }

    fn put(&self, name: &str, text: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|source| FolderError::Write { path, source })
    }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
