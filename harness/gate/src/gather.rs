//! The scenarios that a profile names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use grenadier_scenario::{LoadError, Loaded, ScenarioSource, embedded, load};
use thiserror::Error;

/// The scenarios of a profile cannot be had. Each of these is an error in the input (exit code 2).
#[derive(Debug, Error)]
pub enum GatherError {
    /// A file or folder cannot be read.
    #[error("read scenarios in {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A folder has none.
    #[error("there is no scenario file in {path}")]
    None {
        /// Which folder.
        path: PathBuf,
    },
    /// Some are no scenarios.
    #[error("{} of the scenarios cannot be loaded", .0.len())]
    Load(Vec<LoadError>),
    /// Reports could not tell two scenarios apart.
    #[error("two scenarios are called `{name}`: {first} and {second}")]
    SameName {
        /// Their name.
        name: String,
        /// The file of one of them.
        first: String,
        /// The file of the other.
        second: String,
    },
}

impl GatherError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            GatherError::Read { .. } | GatherError::None { .. } => Some(
                "`scenarios` of a profile names \"embedded\", scenario files, or folders of them, as seen from the profile",
            ),
            GatherError::SameName { .. } => Some("give one of them another `name`, or name only one of them"),
            GatherError::Load(_) => None,
        }
    }
}

/// Every scenario of `sources`, each once, in their order.
///
/// # Errors
/// A source has none, or what it has is no scenario; all of those that are not are told.
pub fn gather(sources: &[ScenarioSource]) -> Result<Vec<Loaded>, GatherError> {
    let mut names: Vec<String> = Vec::new();
    for source in sources {
        match source {
            ScenarioSource::Embedded => names.extend(embedded().iter().map(|scenario| scenario.name.to_owned())),
            ScenarioSource::Path(path) => names.extend(files(&plain(path))?),
        }
    }
    let (mut scenarios, mut problems) = (Vec::new(), Vec::new());
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for name in names {
        let loaded = match load(&name) {
            Ok(loaded) => loaded,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        match files.get(&loaded.scenario.name) {
            // Named twice, by a folder and by itself, say.
            Some(first) if *first == loaded.file => continue,
            Some(first) => {
                let (name, first) = (loaded.scenario.name, first.clone());
                return Err(GatherError::SameName { name, first, second: loaded.file });
            }
            None => {}
        }
        files.insert(loaded.scenario.name.clone(), loaded.file.clone());
        scenarios.push(loaded);
    }
    if problems.is_empty() { Ok(scenarios) } else { Err(GatherError::Load(problems)) }
}

/// The scenario files at `path`: itself, or all below it, in the order of their paths.
fn files(path: &Path) -> Result<Vec<String>, GatherError> {
    let unreadable = |source| GatherError::Read { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        // A slash makes it a path, whatever it is called.
        let prefix = if path.parent().is_some_and(|parent| parent.as_os_str().is_empty()) { "./" } else { "" };
        return Ok(vec![format!("{prefix}{}", path.display())]);
    }
    let mut found = Vec::new();
    below(path, &mut found).map_err(unreadable)?;
    if found.is_empty() {
        return Err(GatherError::None { path: path.to_owned() });
    }
    found.sort();
    Ok(found.into_iter().map(|path| path.display().to_string()).collect())
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A link to a folder is not followed: it may lead in circles.
        if entry.file_type()?.is_dir() {
            below(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
            found.push(path);
        }
    }
    Ok(())
}

/// The path without `.` and, where a named folder stands before it, `..`: as people write it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            _ => plain.push(part),
        }
    }
    if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SMALL;

    fn from(path: &Path) -> Result<Vec<Loaded>, GatherError> {
        gather(&[ScenarioSource::Path(path.to_owned())])
    }

    #[test]
    fn a_folder_gives_every_scenario_below_it_in_order() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("a")).unwrap();
        fs::write(place.path().join("b.yaml"), SMALL).unwrap();
        fs::write(place.path().join("a/c.yml"), SMALL.replace("name: small", "name: other")).unwrap();
        fs::write(place.path().join("notes.txt"), "no scenario").unwrap();
        let names: Vec<String> = from(place.path()).unwrap().into_iter().map(|it| it.scenario.name).collect();
        assert_eq!(names, ["other", "small"]);
        let twice = [place.path().to_owned(), place.path().join("b.yaml")].map(ScenarioSource::Path);
        assert_eq!(gather(&twice).unwrap().len(), 2, "one that is named twice is there once");
    }

    #[test]
    fn every_file_that_is_no_scenario_is_told() {
        let place = tempfile::tempdir().unwrap();
        assert!(matches!(from(place.path()), Err(GatherError::None { .. })));
        for name in ["a.yaml", "b.yaml"] {
            fs::write(place.path().join(name), SMALL.replace("to:", "too:")).unwrap();
        }
        let Err(GatherError::Load(problems)) = from(place.path()) else { panic!("two are broken") };
        assert_eq!(problems.len(), 2);
        assert!(matches!(from(&place.path().join("none")), Err(GatherError::Read { .. })));
    }

    #[test]
    fn two_of_one_name_cannot_be_told_apart() {
        let place = tempfile::tempdir().unwrap();
        for name in ["a.yaml", "b.yaml"] {
            fs::write(place.path().join(name), SMALL).unwrap();
        }
        let error = from(place.path()).unwrap_err().to_string();
        assert!(error.contains("`small`") && error.contains("a.yaml and") && error.ends_with("b.yaml"), "{error}");
    }

    #[test]
    fn paths_are_as_people_write_them() {
        for (given, want) in [("ci/../mine", "mine"), ("./mine/.", "mine"), ("../mine", "../mine"), ("a/..", ".")] {
            assert_eq!(plain(Path::new(given)), Path::new(want));
        }
    }
}
