//! The HAProxy Data Plane API as a core without input or output.
//!
//! [`DataPlaneApi`] answers requests and acts through an [`Environment`]: files, the check of a configuration, reloads, one
//! timer. The same core runs in the virtual appliance and, with the real HAProxy behind it, in a container. What it imitates
//! is dataplaneapi v2.1.0 with client-native v2.1.0 (the versions in the appliance) and, by [`Generation`], what later
//! generations changed.

mod api;
#[cfg(feature = "codecs")]
pub mod codecs;
mod config;
mod crypt;
mod environment;
pub mod fidelity;
mod generation;
#[cfg(any(feature = "codecs", feature = "mutants"))]
pub mod memory;
mod remembered;
mod settings;

pub use api::{DataPlaneApi, StartError, date_of};
pub use config::{Bind, Document, Section, SectionKind, Server, User};
pub use crypt::md5_crypt;
pub use environment::Environment;
pub use generation::{Generation, GenerationError};
pub use remembered::Remembered;
pub use settings::Settings;
