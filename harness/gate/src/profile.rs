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
