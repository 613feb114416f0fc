//! What is around the appliance.

use grenadier_catalog::{Networks, VersionNumber};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{ByteSize, SymbolicRange, schema};

/// The vSphere, networks, addresses and host around the appliance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Topology {
    /// Release of the vCenter when the upgrade begins.
    #[schemars(schema_with = "schema::vsphere_release")]
    pub vsphere: VersionNumber,
    /// Release to which the vCenter is about to be upgraded, as the engine is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::vsphere_release")]
    pub vsphere_after: Option<VersionNumber>,
    /// The appliance's network topology.
    #[schemars(schema_with = "schema::name::<Networks>")]
    pub networks: Networks,
    /// The ranges whose addresses the appliance answers for; `+16/28` of the load-balancing network if absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub service_ranges: Vec<SymbolicRange>,
    /// What the host has for both appliances.
    #[serde(default)]
    pub host: HostCapacity,
}

/// What the engine is told about the new appliance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetInputs {
    /// Its network topology; that of the old one if absent.
    #[serde(default = "schema::default_networks")]
    #[schemars(schema_with = "schema::name::<Networks>")]
    pub networks: Networks,
    /// Its service ranges; if absent those of the old one, or `+16/28` where the load-balancing network is another.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub service_ranges: Vec<SymbolicRange>,
}

/// What the host has for both appliances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HostCapacity {
    /// CPUs.
    #[schemars(range(min = 1))]
    pub cpus: u32,
    /// Memory.
    pub memory: ByteSize,
    /// Free space on the datastore.
    pub disk: ByteSize,
}

impl Default for HostCapacity {
    fn default() -> Self {
        Self { cpus: 16, memory: ByteSize::from_gib(32), disk: ByteSize::from_gib(500) }
    }
}
