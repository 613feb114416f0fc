//! Name and addresses, kept from the first boot for all later ones.

use std::collections::BTreeMap;
use std::net::IpAddr;

use grenadier_fleet::GuestReport;
use grenadier_guest::Host;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::ovf::Inputs;
use crate::{journal, paths};

/// What cloud-init sets up at every boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) hostname: String,
    pub(crate) nameservers: Vec<IpAddr>,
    /// By the name of the interface, which is that of its segment.
    pub(crate) interfaces: BTreeMap<String, Interface>,
}

/// One interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interface {
    pub(crate) address: IpNet,
    pub(crate) gateway: Option<IpAddr>,
}

impl Metadata {
    pub(crate) fn of(inputs: &Inputs) -> Metadata {
        let interface = |address, gateway| Interface { address, gateway };
        let mut interfaces = BTreeMap::from([
            ("management".to_owned(), interface(inputs.management_ip, inputs.management_gateway)),
            ("workload".to_owned(), interface(inputs.workload_ip, inputs.workload_gateway)),
        ]);
        if let Some(address) = inputs.frontend_ip {
            interfaces.insert("frontend".to_owned(), interface(address, inputs.frontend_gateway));
        }
        Metadata { hostname: inputs.hostname.clone(), nameservers: inputs.nameservers.clone(), interfaces }
    }

    /// What an earlier boot kept.
    pub(crate) fn read(host: &dyn Host) -> Result<Metadata, String> {
        let content = host.read(paths::METADATA).ok_or_else(|| format!("{} is missing", paths::METADATA))?;
        serde_json::from_slice(&content).map_err(|error| format!("{} is damaged: {error}", paths::METADATA))
    }

    pub(crate) fn write(&self, host: &mut dyn Host) -> Result<(), String> {
        let mut text = serde_json::to_vec_pretty(self).expect("metadata has string keys");
        text.push(b'\n');
        host.write(paths::METADATA, text.into())
    }

    /// Gives the NICs their addresses, and tells name and addresses as the guest's tools do.
    pub(crate) fn apply(&self, host: &mut dyn Host) {
        let nics = host.nics();
        let mut told = Vec::new();
        for (key, segment, _) in &nics {
            match self.interfaces.get(segment) {
                Some(interface) => {
                    host.add_address(*key, interface.address);
                    told.push((*key, vec![interface.address.addr()]));
                }
                None => journal::log(host, "net-postconfig", &format!("interface {segment} has no address")),
            }
        }
        for name in self.interfaces.keys().filter(|name| !nics.iter().any(|(_, segment, _)| segment == *name)) {
            journal::log(host, "net-postconfig", &format!("interface {name} is not there"));
        }
        host.report(GuestReport::Tools { hostname: self.hostname.clone(), addresses: told });
    }
}
