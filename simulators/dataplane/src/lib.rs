//! The HAProxy Data Plane API as a core without input or output.
//!
//! [`DataPlaneApi`] answers requests and acts through an [`Environment`]: files, the check of a configuration, reloads, one
//! timer. The same core runs in the virtual appliance and, with the real HAProxy behind it, in a container. What it imitates
//! is dataplaneapi v2.1.0 with client-native v2.1.0 (the versions in the appliance) and, by [`Generation`], what later
//! generations changed.

mod api;
mod config;
mod crypt;
mod environment;
mod generation;
mod settings;

pub use api::{DataPlaneApi, StartError, date_of};
pub use config::{Bind, Document, Section, SectionKind, Server, User};
pub use crypt::md5_crypt;
pub use environment::Environment;
pub use generation::{Generation, GenerationError};
pub use settings::Settings;
