//! The parameters of an upgrade as a file.

mod file;
mod load;
mod scalars;

pub use file::{
    ApplianceForm, DeadlinesForm, ImageForm, ParametersFile, SecretForm, TargetForm, VantageForm, VcenterForm,
};
pub use load::ParametersError;
pub use scalars::{Fingerprint, Length, Url};
