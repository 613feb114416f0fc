//! Scenarios by name or by path.

use std::fs;
use std::io;
use std::path::Path;

use thiserror::Error;

use crate::{Diagnostics, Origin, Scenario, TimingProfile, decode, embedded, parse, suggest};

/// A scenario with the file it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// The text it was read from.
    pub source: String,
    /// The file, as it is to be shown to people: the path that was given, or the path in the repository.
    pub file: String,
}

impl Loaded {
    /// Where it comes from, so that a case of it finds it again: a file may be gone by then.
    pub fn origin(&self) -> Origin {
        let embedded = embedded().iter().find(|it| it.path == self.file && it.source == self.source);
        embedded.map_or_else(|| Origin::Document(self.source.clone()), |it| Origin::Name(it.name.to_owned()))
    }
}

/// A scenario cannot be loaded. All of these are errors in the input (exit code 2).
#[derive(Debug, Error)]
pub enum LoadError {
    /// No embedded scenario has this name.
    #[error("no scenario is called `{name}`")]
    UnknownName {
        /// The name that was given.
        name: String,
        /// The name that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// The file cannot be read.
    #[error("read scenario {path}")]
    Read {
        /// The path that was given.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file of a case cannot be read.
    #[error("read case {path}")]
    ReadCase {
        /// The path that was given.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file of a calibration cannot be read.
    #[error("read calibration {path}")]
    ReadCalibration {
        /// The path that was given.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The document has problems.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}

impl LoadError {
    /// What to do about it, in one or more lines; the problems of a document carry their own hints.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownName { suggestion, .. } => {
                let mut help = suggestion.map_or_else(String::new, |name| format!("did you mean `{name}`?\n"));
                help.push_str("scenarios:");
                for scenario in embedded() {
                    help.push_str("\n  ");
                    help.push_str(scenario.name);
                }
                help.push_str("\na path to a file works as well, such as ./mine.yaml");
                Some(help)
            }
            Self::Read { .. } => {
                Some("give the path of a scenario file, or the name of an embedded scenario".to_owned())
            }
            Self::ReadCase { .. } => {
                Some("give the path of a case.yaml, as a run or an exploration leaves it in its folder".to_owned())
            }
            Self::ReadCalibration { .. } => Some("give the path of what `grenadier calibrate` wrote".to_owned()),
            Self::Invalid(_) => None,
        }
    }
}

/// Loads an embedded scenario by its name, or a file by its path.
///
/// What ends in `.yaml` or `.yml` or has a slash in it is a path; everything else is a name.
///
/// # Errors
///
/// When no scenario has that name, the file cannot be read, or the document has problems.
pub fn load(name_or_path: &str) -> Result<Loaded, LoadError> {
    let extension = Path::new(name_or_path).extension();
    let is_path = name_or_path.contains(['/', '\\']) || extension.is_some_and(|it| it == "yaml" || it == "yml");
    if is_path {
        let source = fs::read_to_string(name_or_path)
            .map_err(|source| LoadError::Read { path: name_or_path.to_owned(), source })?;
        let scenario = parse(&source, name_or_path)?;
        return Ok(Loaded { scenario, source, file: name_or_path.to_owned() });
    }
    let found =
        embedded().iter().find(|scenario| scenario.name == name_or_path).ok_or_else(|| LoadError::UnknownName {
            name: name_or_path.to_owned(),
            suggestion: suggest::nearest(name_or_path, embedded().iter().map(|scenario| scenario.name)),
        })?;
    let scenario = parse(found.source, found.path)?;
    Ok(Loaded { scenario, source: found.source.to_owned(), file: found.path.to_owned() })
}

/// The timing profile in a file that `grenadier calibrate` wrote.
///
/// # Errors
///
/// When the file cannot be read, or the document has problems.
pub fn load_calibration(path: &str) -> Result<TimingProfile, LoadError> {
    let source =
        fs::read_to_string(path).map_err(|source| LoadError::ReadCalibration { path: path.to_owned(), source })?;
    Ok(decode::calibration(&source, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_the_path_of_its_file_load_the_same_scenario() {
        let by_name = load("haproxy-appliance-swap").unwrap();
        let by_path = load("../../scenarios/haproxy-appliance/haproxy-appliance-swap.yaml").unwrap();
        assert_eq!(by_name.scenario, by_path.scenario);
        assert_eq!(by_name.file, "scenarios/haproxy-appliance/haproxy-appliance-swap.yaml");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_the_list() {
        let error = load("haproxy-aplliance-swap").unwrap_err();
        assert_eq!(error.to_string(), "no scenario is called `haproxy-aplliance-swap`");
        let help = error.help().unwrap();
        assert!(help.starts_with("did you mean `haproxy-appliance-swap`?\nscenarios:\n"), "{help}");
        assert!(embedded().iter().all(|scenario| help.contains(scenario.name)));
        assert!(load("something-else").unwrap_err().help().unwrap().starts_with("scenarios:\n"));
    }

    #[test]
    fn a_file_that_is_not_there_says_so() {
        let error = load("./no-such-file.yaml").unwrap_err();
        assert!(matches!(&error, LoadError::Read { path, .. } if path == "./no-such-file.yaml"), "{error:?}");
    }
}
