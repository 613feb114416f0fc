//! What the steps find out on their way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use grenadier_wire::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::procedures::haproxy_appliance::customisation::Customisations;
use crate::procedures::haproxy_appliance::routes::Route;
use crate::seal::Seal;
use crate::step::Restoring;
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

impl OldAppliance {
    /// The appliance as a journal gives it back: what it has of the machine's properties is `***`.
    pub(super) fn without_secrets(mut self) -> OldAppliance {
        self.machine.properties.clear();
        self.machine.extra_config.clear();
        self
    }
}

/// What the old appliance served before anything was changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Baseline {
    /// What the operators had programmed.
    pub(super) routes: BTreeSet<Route>,
    /// The addresses that answered, by cluster.
    pub(super) answering: BTreeMap<String, BTreeSet<SocketAddr>>,
}

/// Certificates and keys copied out of the old appliance. They stay in memory, and in the journal sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificates {
    /// The API's certificate.
    pub(super) server: String,
    /// Its key.
    pub(super) server_key: Secret,
    /// The authority's certificate and key, where they are there.
    pub(super) authority: Option<(String, Secret)>,
}

/// Certificates with their keys in the clear, for sealing.
type Bare = (String, String, Option<(String, String)>);

impl Certificates {
    /// Seals them for the journal.
    pub(super) fn sealed(&self, seal: &Seal) -> Value {
        let bare = |key: &Secret| key.reveal().to_owned();
        let authority = self.authority.as_ref().map(|(certificate, key)| (certificate.clone(), bare(key)));
        let content: Bare = (self.server.clone(), bare(&self.server_key), authority);
        seal.close(&content)
    }

    /// Opens what [`Certificates::sealed`] made.
    pub(super) fn open(seal: &Seal, sealed: &Value) -> Result<Certificates, Restoring> {
        let (server, server_key, authority): Bare = seal.open(sealed)?;
        let authority = authority.map(|(certificate, key)| (certificate, Secret::new(key)));
        Ok(Certificates { server, server_key: Secret::new(server_key), authority })
    }
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
    /// Whether the old machine was powered off and seen to be off.
    pub(super) old_went_off: bool,
}
