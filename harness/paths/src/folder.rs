//! The folder that explains a matrix.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::html::html;
use crate::markdown::markdown;
use crate::matrix::Paths;

/// The folder cannot be written.
#[derive(Debug, Error)]
#[error("paths folder: {path} could not be written")]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// `report.html`, `paths.md`, the rehearsals below `rows/` and their scenarios below `scenarios/`; and at last `paths.json`: a
/// folder that has it is complete.
#[derive(Clone, Debug)]
pub struct PathsFolder {
    path: PathBuf,
}

impl PathsFolder {
    /// Makes the folder at `path` ready; what an earlier matrix left there goes.
    ///
    /// # Errors
    /// Where that cannot be done: better now than after everything was rehearsed.
    pub fn begin(path: impl Into<PathBuf>) -> Result<PathsFolder, FolderError> {
        let folder = PathsFolder { path: path.into() };
        for old in ["paths.json", "paths.md", "report.html"] {
            folder.gone(old, |path| fs::remove_file(path))?;
        }
        for old in ["rows", "scenarios"] {
            folder.gone(old, |path| fs::remove_dir_all(path))?;
        }
        let path = folder.path.clone();
        fs::create_dir_all(&path).map_err(|source| FolderError { path, source })?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the matrix.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn finish(&self, paths: &Paths) -> Result<(), FolderError> {
        self.put("report.html", &html(paths, Some(&self.path)))?;
        self.put("paths.md", &markdown(paths))?;
        self.put("paths.json", &paths.to_json())
    }

    fn gone(&self, name: &str, remove: fn(&Path) -> io::Result<()>) -> Result<(), FolderError> {
        let path = self.path.join(name);
        match remove(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(FolderError { path, source }),
            _ => Ok(()),
        }
    }

    fn put(&self, name: &str, text: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|source| FolderError { path, source })
    }
}
