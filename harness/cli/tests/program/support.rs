//! Starting the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use grenadier_scenario::embedded;
use tempfile::TempDir;

/// The scenario that most tests run.
pub(crate) const SWAP: &str = "haproxy-appliance-swap";

/// A smaller one: its exploration finds something in a few cases of procedure `documented`.
pub(crate) const UPGRADE: &str = "haproxy-appliance-upgrade";

/// A directory of a test's own, in which the program is started.
pub(crate) struct Place(TempDir);

/// What came of a start.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with these arguments. No Docker engine answers it, and no colour is asked for or forbidden.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grenadier"));
        command.args(arguments).current_dir(self.path());
        command
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("GITHUB_ACTIONS")
            .env("DOCKER_HOST", "unix:///nonexistent.sock");
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Ended {
        end(&self.command(arguments).output().expect("the program can be started"))
    }

    /// An embedded scenario with parts of its text replaced, as a file in this place.
    pub(crate) fn variant(&self, name: &str, edits: &[(&str, &str)]) -> PathBuf {
        let found = embedded().iter().find(|scenario| scenario.name == name).expect("the scenario is there");
        let text = edits.iter().fold(found.source.to_owned(), |text, (old, new)| {
            assert_eq!(text.matches(old).count(), 1, "`{old}` must be in {name} once");
            text.replace(old, new)
        });
        let path = self.path().join("variant.yaml");
        std::fs::write(&path, text).expect("the place can be written to");
        path
    }
}

pub(crate) fn end(output: &Output) -> Ended {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
    Ended {
        code: output.status.code().expect("the program was not killed"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// Every file below `path`, in the order of their paths.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    for entry in entries {
        let path = entry.expect("a directory can be read").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// As the program wants its arguments.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}
