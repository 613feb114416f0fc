//! A client for vSphere's SOAP API: what an upgrade of one VM needs.
//!
//! Written from the vSphere Web Services documentation and from recorded exchanges of govc and pyVmomi. It retries what a bad
//! network or a busy server does to a call: a call that never arrived is made again, one whose answer was lost only where
//! repeating it does no harm, and otherwise after a look whether its effect is there; an expired session is renewed.

mod access;
mod client;
#[cfg(feature = "codecs")]
pub(crate) mod codecs;
mod descriptor;
mod element;
mod envelope;
mod error;
mod import;
mod inventory;
mod lease;
mod machine;
mod power;
mod properties;
mod tasks;
mod wait;

#[cfg(test)]
mod tests;

pub use access::VSphereAccess;
pub use client::VSphere;
pub use descriptor::{DescriptorError, OvfDescriptor, OvfProperty};
pub use element::{Element, ManagedObject};
pub use envelope::EnvelopeError;
pub use error::{Fault, VSphereError};
pub use import::Deployment;
pub use machine::{AppProperty, MachineFacts, NetworkCard, Reconfigure};
pub use power::PowerState;
pub use properties::Properties;
