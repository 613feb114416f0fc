//! The swap of the HAProxy appliance on vSphere, procedures `hardened` and `documented`.
//!
//! The steps of both are those of the project's upgrade document (vmware-haproxy `docs/upgrade.md`), in `hardened`
//! with the traps closed that people fell into: the new machine is recognised by a key of the upgrade, the two appliances are never
//! both on, the certificate the operators pin is put in place again where the new version made its own, customisations are carried
//! over, and whatever fails before the old machine is removed brings the old machine back into service. `documented` has them open.

mod addresses;
mod certificate;
#[cfg(feature = "codecs")]
pub(crate) mod codecs;
mod customisation;
mod documented;
mod findings;
mod merge;
#[cfg(feature = "mutants")]
pub mod mutants;
mod parameters;
mod procedure;
mod routes;
mod steps;
mod stock;
mod swap;
mod version;
mod whereabouts;

pub use documented::documented;
pub use parameters::{Deadlines, Ova, Parameters, Vantage};
pub use procedure::{hardened, named};
pub use swap::Swap;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
