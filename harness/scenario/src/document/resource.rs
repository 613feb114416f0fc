//! What is created, and who uses it.

use std::time::Duration;

use grenadier_catalog::{Cluster, ProbeKind, duration_serde};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{SymbolicAddress, schema};

/// Something created on the base version that must survive the upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// A service of type load balancer in one of the clusters.
    LoadBalancer(LoadBalancer),
}

/// A service of type load balancer: one address and port, some backends, programmed by one cluster's operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoadBalancer {
    /// Its name, in kebab case.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// Its address, within the service ranges.
    pub vip: SymbolicAddress,
    /// Its TCP port.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// How many backends it has.
    #[schemars(range(min = 1, max = 32))]
    pub backends: u32,
    /// The cluster it belongs to.
    #[serde(default = "default_cluster")]
    #[schemars(schema_with = "schema::name::<Cluster>")]
    pub cluster: Cluster,
    /// Whether a person wrote it into `haproxy.cfg`, as a customisation; no operator knows of it then.
    #[serde(default)]
    pub by_hand: bool,
}

/// The most backends a load balancer may have: enough for any rehearsal, few enough for a container each.
pub(crate) const MAX_BACKENDS: u32 = 32;

pub(crate) fn default_cluster() -> Cluster {
    Cluster::Supervisor
}

/// Somebody who uses what was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Asks a target again and again whether it is there.
    Probe(Probe),
}

/// A client that asks a target again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    /// Name of the load balancer.
    #[schemars(schema_with = "schema::kebab_name")]
    pub target: String,
    /// How it asks.
    #[schemars(schema_with = "schema::name::<ProbeKind>")]
    pub kind: ProbeKind,
    /// The time between two samples.
    #[serde(default = "default_every", with = "duration_serde")]
    #[schemars(schema_with = "schema::duration")]
    pub every: Duration,
    /// How many clients look, each on a machine of its own with its own neighbour table.
    #[serde(default = "default_clients")]
    #[schemars(range(min = 1, max = 16))]
    pub clients: u32,
}

/// The most clients a probe may have: enough to see them disagree, few enough for a container each.
pub(crate) const MAX_CLIENTS: u32 = 16;

/// One client sees what there is to see, unless several answer for an address.
pub(crate) fn default_clients() -> u32 {
    1
}

/// A hundred samples per second, as many as one client container takes without effort.
pub(crate) fn default_every() -> Duration {
    Duration::from_millis(10)
}
