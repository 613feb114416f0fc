//! The way of a connection, hop by hop.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use grenadier_fleet::{MachineId, Power, ServedBy};
use grenadier_guest::{Answering, Listener};

use crate::fleet::VirtualFleet;

/// Why a connection does not come about, or breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// No NIC leads there, or nobody answers ARP: an error after the neighbour table gave up.
    NoRoute(String),
    /// Packets go to a machine that does not take them: silence.
    Silent(String),
    /// The machine is there and nobody listens: an error at once.
    Refused(String),
    /// A proxy took the connection and has nobody to pass it to.
    NoBackend(String),
}

impl Hop {
    pub(crate) fn reason(&self) -> &str {
        let (Hop::NoRoute(reason) | Hop::Silent(reason) | Hop::Refused(reason) | Hop::NoBackend(reason)) = self;
        reason
    }
}

/// A connection that comes about.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub machine: MachineId,
    /// The machine's life and the listener's: a connection does not outlive either.
    pub epoch: u64,
    pub generation: u64,
    pub listener: Listener,
    pub served: ServedBy,
}

/// How deep proxies may stand behind proxies.
const MOST_PROXIES: u8 = 4;

impl VirtualFleet {
    /// Follows a connection from `client` to `target`. Asks ARP where the client does not know.
    pub(crate) fn reach(&mut self, client: MachineId, target: SocketAddr) -> Result<Reached, Hop> {
        self.reach_through(client, target, MOST_PROXIES)
    }

    fn reach_through(&mut self, client: MachineId, target: SocketAddr, proxies: u8) -> Result<Reached, Hop> {
        let name = self.name(client);
        if self.view.machines.get(&client).is_none_or(|machine| machine.power == Power::Off) {
            return Err(Hop::Silent(format!("{name} is off")));
        }
        let address = target.ip();
        let owner = if self.runtimes[&client].kernel.is_local(address) {
            client
        } else {
            let segment = self
                .segment_towards(client, address)
                .ok_or_else(|| Hop::NoRoute(format!("{name} has no route to {address}")))?;
            let owner = self
                .resolve(client, &segment, address)
                .ok_or_else(|| Hop::NoRoute(format!("nobody on {segment} answers ARP for {address}")))?;
            if !self.answers(owner, &segment, address) {
                let owner = self.name(owner);
                return Err(Hop::Silent(format!("{name} still sends {address} to {owner}, which is silent")));
            }
            owner
        };
        self.arrive(owner, target, proxies)
    }

    /// The machine has the packet: who listens, and can they serve?
    pub(crate) fn arrive(&mut self, owner: MachineId, target: SocketAddr, proxies: u8) -> Result<Reached, Hop> {
        let runtime = &self.runtimes[&owner];
        let (epoch, found) = (runtime.epoch, runtime.kernel.listener(target.ip(), target.port()).cloned());
        let Some((listener, generation)) = found else {
            return Err(Hop::Refused(format!("{} refuses {target}", self.name(owner))));
        };
        let backends = match &listener.answering {
            Answering::Guest => BTreeSet::new(),
            Answering::Backend(name) => BTreeSet::from([name.clone()]),
            Answering::Proxy(_) if proxies == 0 => {
                return Err(Hop::NoBackend(format!("{} proxies in a circle", self.name(owner))));
            }
            Answering::Proxy(servers) => {
                let mut names = BTreeSet::new();
                for server in servers {
                    if let Ok(reached) = self.reach_through(owner, *server, proxies - 1) {
                        names.extend(reached.served.backends);
                    }
                }
                if names.is_empty() {
                    return Err(Hop::NoBackend(format!("{} has no backend for {target}", self.name(owner))));
                }
                names
            }
        };
        let served = ServedBy {
            machine: Some(owner),
            backends: backends.into_iter().collect(),
            certificate: listener.certificate.clone(),
        };
        Ok(Reached { machine: owner, epoch, generation, listener, served })
    }

    /// The machines that would take a packet for `address` from outside, on any segment.
    pub(crate) fn owners_anywhere(&self, address: IpAddr) -> Vec<MachineId> {
        let segment = self.view.segments.values().find(|segment| segment.subnet.contains(&address));
        segment.map(|segment| self.owners(&segment.name, address)).unwrap_or_default()
    }

    pub(crate) fn name(&self, id: MachineId) -> String {
        self.view.machines.get(&id).map_or_else(|| id.to_string(), |machine| machine.spec.name.clone())
    }
}
