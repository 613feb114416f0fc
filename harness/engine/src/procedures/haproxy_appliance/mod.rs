//! The swap of the HAProxy appliance on vSphere, procedure `hardened`.
//!
//! The steps are those of the project's upgrade document (vmware-haproxy `docs/upgrade.md`), with the traps people fell into
//! closed: the new machine is recognised by a key of the upgrade, the two appliances are never both on, the certificate the
//! operators pin is put in place again where the new version made its own, customisations are carried over, and whatever fails
//! before the old machine is removed brings the old machine back into service.

mod certificate;
mod customisation;
mod findings;
mod merge;
mod parameters;
mod procedure;
mod routes;
mod steps;
mod stock;
mod swap;
mod version;

pub use parameters::{Deadlines, Ova, Parameters, Vantage};
pub use procedure::hardened;
pub use swap::Swap;

#[cfg(test)]
mod tests;
