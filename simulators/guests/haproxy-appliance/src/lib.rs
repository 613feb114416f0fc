//! The HAProxy load-balancer appliance for vSphere (vmware-haproxy) as a guest.
//!
//! [`Appliance`] boots like the real one: OVF properties to files at the first boot, then addresses, policy routes, AnyIP,
//! HAProxy and the Data Plane API. HAProxy itself stands behind [`HaproxyProcess`], so that the same guest runs in the virtual
//! world ([`ModelHaproxy`]) and, with the real program, in a container. [`ova`] builds the package a version is deployed from.

mod anyip;
mod appliance;
mod boot;
mod certificates;
#[cfg(feature = "codecs")]
pub mod codecs;
mod dataplaneapi;
mod facts;
pub mod fidelity;
mod haproxy;
mod journal;
mod metadata;
mod ovf;
mod paths;
mod programs;
mod route_tables;
mod services;
mod templates;

pub use appliance::Appliance;
pub use boot::BootTiming;
pub use certificates::{CertificateError, fingerprint_of_pem};
pub use facts::{Facts, FactsError, RulesOnStop};
pub use haproxy::{HaproxyProcess, ModelHaproxy, RESUME_TIMER, server_state};
pub use ovf::{Inputs, InputsError, Ova, ova};
