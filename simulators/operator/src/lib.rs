//! What lives outside the appliance and uses it: cluster operators, which program their routes through the Data Plane API and
//! keep doing so, and the probe client. Both are vantage points with `curl` in their shell.
//!
//! The real load balancer operator is closed source. This one follows the public evidence: its open ancestor in Cluster API
//! Provider vSphere v0.6 and the calls that vmware-haproxy's documents show.

mod api;
mod client;
mod config;
mod curl;
pub mod fidelity;
mod observed;
mod operator;
mod plan;
mod reconcile;

pub use client::{Client, ClientConfig};
pub use config::{LoadBalancer, OperatorConfig};
pub use operator::Operator;
