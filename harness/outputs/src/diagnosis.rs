//! Whether a machine is fit to rehearse on, as a document.

use grenadier_fleet_docker::doctor::Finding;
use schemars::JsonSchema;
use serde::Serialize;

/// The version of the shape of [`Diagnosis`], written as `v`.
pub(crate) const VERSION: u32 = 1;

/// Whether a machine is fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// The version of this shape.
    pub v: u32,
    /// Whether a run goes in the world that was asked about.
    pub fit: bool,
    /// The exit code: 0 where one does, 3 where none does.
    pub exit_code: u8,
    /// What was looked at, in order.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// What was found, with the exit code that follows from it.
    pub fn of(fit: bool, exit_code: u8, findings: Vec<Finding>) -> Diagnosis {
        Diagnosis { v: VERSION, fit, exit_code, findings }
    }
}
