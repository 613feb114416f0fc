//! The package a version is deployed from, and what its properties are at the first boot.

mod descriptor;
mod environment;
mod inputs;

pub use descriptor::{Ova, ova};
pub(crate) use environment::properties;
pub use inputs::{Inputs, InputsError};
