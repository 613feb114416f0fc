//! The profile of a gate.

use std::fs;
use std::io;
use std::path::Path;

use grenadier_scenario::{Diagnostics, Profile, parse_profile};
use thiserror::Error;

/// What a gate does where no profile is named.
pub const DEFAULT_PROFILE: &str = include_str!("../../../ci/gate.toml");

/// A profile cannot be had. Each of these is an error in the input (exit code 2).
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("read profile {path}")]
    Read {
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

/// The profile in the file at `path`; what it names is meant from where it is.
///
/// # Errors
/// The file cannot be read, or has problems.
pub fn load_profile(path: &Path) -> Result<Profile, ProfileError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| ProfileError::Read { path: shown.clone(), source })?;
    Ok(parse_profile(&text, &shown)?.below(path.parent().unwrap_or(Path::new(""))))
}

/// What a gate does where no profile is named.
///
/// # Panics
/// Where the embedded profile has problems; a test sees that it has none.
pub fn default_profile() -> Profile {
    parse_profile(DEFAULT_PROFILE, "the built-in profile")
        .expect("the embedded profile is tested to be without problems")
}

#[cfg(test)]
mod tests {
    use grenadier_scenario::ScenarioSource;

    use super::*;

    #[test]
    fn the_example_in_the_docs_is_a_profile_with_every_key() {
        let docs = include_str!("../../../docs/gate.md");
        let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let profile = parse_profile(example, "docs/gate.md").unwrap();
        assert_eq!((profile.sources.len(), profile.runs.len(), profile.explorations.len()), (2, 3, 1));
        for key in
            ["`systems`", "`files`", "`upgrades`", "`labels`", "`world`", "`require`", "`retries`", "`allow-flaky`"]
        {
            assert!(docs.contains(key), "{key}");
        }
    }

    #[test]
    fn what_a_profile_names_is_meant_from_where_it_is() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("gate.toml");
        fs::write(&path, "scenarios = ['mine', 'embedded']\n[[explore]]\n").unwrap();
        let sources = load_profile(&path).unwrap().sources;
        assert_eq!(sources, [ScenarioSource::Path(place.path().join("mine")), ScenarioSource::Embedded]);
    }
}
