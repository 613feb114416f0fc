//! A vCenter that can be simulated: the SOAP API, datastore files and uploads, above any fleet.
//!
//! [`VSphere`] is a synchronous state machine ([`grenadier_fleet::Cloud`]); whoever hosts it decides what time is and how
//! requests arrive. [`VSphereProtocol`] names its calls for the wire. There is one file for each managed object.
//!
//! What it owns itself (sessions, tasks, leases, datastore files) no snapshot brings back; what it knows of a machine is kept
//! on the machine, so that a snapshot does. Behaviour of a real vCenter that is not written down anywhere is marked *assumed*
//! where it is decided.

mod authorization_manager;
mod call;
mod cluster;
#[cfg(feature = "codecs")]
pub mod codecs;
mod config;
pub mod coverage;
mod datacenter;
mod datastore;
mod datastore_browser;
mod fault;
pub mod fidelity;
mod file_manager;
mod folder;
mod guest_operations;
mod history;
mod host_system;
mod http_nfc_lease;
mod inventory;
mod moment;
mod moref;
#[cfg(feature = "mutants")]
pub mod mutants;
mod network;
mod nfc;
mod ovf;
mod ovf_manager;
mod privilege;
mod property;
mod property_collector;
mod protocol;
mod resource_pool;
mod search_index;
mod service_instance;
mod session_manager;
mod soap;
mod task;
pub mod testing;
mod value;
mod view_manager;
mod virtual_machine;
mod virtual_machine_snapshot;
mod vsphere;

#[cfg(test)]
mod tests;

pub use config::{Role, User, VSphereConfig};
pub use protocol::VSphereProtocol;
pub use virtual_machine::create::NewMachine;
pub use vsphere::VSphere;
