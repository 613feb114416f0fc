//! What the steps find out on their way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use grenadier_wire::Secret;
use serde::{Deserialize, Serialize};

use crate::procedures::haproxy_appliance::customisation::Customisations;
use crate::procedures::haproxy_appliance::routes::Route;
use crate::vsphere::{MachineFacts, ManagedObject};

/// The old appliance. Its output in the journal holds no secret: property values print as `***`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OldAppliance {
    /// What it is made of.
    pub(super) machine: MachineFacts,
    /// Where its shell and its API are.
    pub(super) management: IpAddr,
    /// The API's port.
    pub(super) api_port: u16,
    /// SHA-256 of the certificate its API shows.
    pub(super) fingerprint: String,
}

/// What the old appliance served before anything was changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Baseline {
    /// What the operators had programmed.
    pub(super) routes: BTreeSet<Route>,
    /// The addresses that answered, by cluster.
    pub(super) answering: BTreeMap<String, BTreeSet<SocketAddr>>,
}

/// Certificates and keys copied out of the old appliance. They stay in memory.
#[derive(Clone, Debug)]
pub(super) struct Certificates {
    /// The API's certificate.
    pub(super) server: String,
    /// Its key.
    pub(super) server_key: Secret,
    /// The authority's certificate and key, where they are there.
    pub(super) authority: Option<(String, Secret)>,
}

/// What the steps found out so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) old: Option<OldAppliance>,
    pub(super) baseline: Option<Baseline>,
    pub(super) certificates: Option<Certificates>,
    pub(super) customisations: Option<Customisations>,
    /// The new machine, once it is deployed.
    pub(super) new: Option<ManagedObject>,
}
