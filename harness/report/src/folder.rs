//! The folder that explains a run.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use grenadier_checks::{Capture, Verdict};
use grenadier_events::Event;
use grenadier_fidelity::Declared;
use thiserror::Error;

use crate::{JunitError, html, json, junit, trace};

/// Why a run folder could not be written.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A file or directory could not be written.
    #[error("run folder: {path} could not be written")]
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

/// Writes everything that explains a run into one directory:
///
/// | file | |
/// | --- | --- |
/// | `events.jsonl` | everything that happened, one event a line |
/// | `states/<sha256>.json` | the captured states, named by their hash as `captured` events tell it; equal states are one file |
/// | `report.html` | the run on one page, for people; it needs no network and none of the other files |
/// | `trace.json` | the run in the trace event format, which Perfetto opens |
/// | `junit.xml` | for pipelines |
/// | `case.yaml` | replays the run: `grenadier replay case.yaml` |
/// | `verdict.json` | the verdict; written last, so a folder that has it is complete |
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    declared: &'static [Declared],
}

impl RunFolder {
    /// The folder at `path`. It is made when it is written to; files of an earlier run there are overwritten.
    pub fn new(path: impl Into<PathBuf>) -> RunFolder {
        RunFolder { path: path.into(), declared: &[] }
    }

    /// The same, where the report says what the assumptions of the verdict are: behaviours that the simulators declare.
    #[must_use]
    pub fn with_behaviours(self, declared: &'static [Declared]) -> RunFolder {
        RunFolder { declared, ..self }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes everything.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn write<'a>(
        &self,
        events: &[Event],
        verdict: &Verdict,
        captures: impl IntoIterator<Item = &'a Capture>,
        case: &str,
    ) -> Result<(), FolderError> {
        self.make(&self.path.join("states"))?;
        // A verdict of an earlier run must not stand for this one, should we be stopped half way.
        let old = self.path.join("verdict.json");
        match fs::remove_file(&old) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FolderError::Write { path: old, source }),
        }
        let mut log = String::new();
        for event in events {
            log += &serde_json::to_string(event).expect("an event has string keys and finite numbers");
            log.push('\n');
        }
        self.put("events.jsonl", &log)?;
        let states: BTreeMap<String, &Capture> =
            captures.into_iter().map(|capture| (capture.root.hash(), capture)).collect();
        for (hash, capture) in states {
            self.put(&format!("states/{hash}.json"), &capture.root.canonical_json())?;
        }
        self.put("report.html", &html::report(events, verdict, self.declared))?;
        self.put("trace.json", &trace(events, verdict))?;
        self.put("junit.xml", &junit(verdict)?)?;
        self.put("case.yaml", case)?;
        self.put("verdict.json", &json(verdict))
    }

    fn make(&self, path: &Path) -> Result<(), FolderError> {
        fs::create_dir_all(path).map_err(|source| FolderError::Write { path: path.to_owned(), source })
    }

    fn put(&self, name: &str, text: &str) -> Result<(), FolderError> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|source| FolderError::Write { path, source })
    }
}

#[cfg(test)]
mod tests {
    use grenadier_checks::Node;
    use grenadier_clock::Time;

    use super::*;
    use crate::testing;

    fn capture(name: &str, power: &str) -> Capture {
        let mut capture = Capture::new(name, Time::ZERO);
        capture.root.insert("machines/haproxy/power", Node::runtime(power));
        capture
    }

    #[test]
    fn the_folder_holds_what_explains_the_run() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(place.path().join("runs/one"));
        let captures = [capture("base", "on"), capture("upgraded", "off"), capture("rolled-back", "on")];
        folder.write(&testing::events(), &testing::passed(), &captures, "seed: 1\n").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("case.yaml")).unwrap(), "seed: 1\n");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let lines: Vec<Event> = read("events.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, testing::events());
        assert_eq!(read("verdict.json"), json(&testing::passed()));
        assert_eq!(read("junit.xml"), junit(&testing::passed()).unwrap());
        assert_eq!(read("report.html"), html::report(&testing::events(), &testing::passed(), &[]));
        assert_eq!(read("trace.json"), trace(&testing::events(), &testing::passed()));
        let states: Vec<_> = fs::read_dir(folder.path().join("states")).unwrap().collect();
        assert_eq!(states.len(), 2, "equal states are one file");
        let name = format!("states/{}.json", captures[0].root.hash());
        assert_eq!(serde_json::from_str::<Node>(&read(&name)).unwrap(), captures[2].root);
    }

    #[test]
    fn a_folder_that_cannot_be_written_names_the_path() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        let folder = RunFolder::new(place.path().join("file/run"));
        let error = folder.write(&[], &testing::passed(), &[], "").unwrap_err().to_string();
        assert!(error.contains("file/run/states"), "{error}");
    }
}
