//! The way of a connection, hop by hop.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use grenadier_fleet::{MachineId, Power, ServedBy};
use grenadier_guest::{Answering, Listener};

use crate::fidelity;
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
    /// The backends that can serve it, in order of name.
    pub backends: Vec<String>,
}

/// How deep proxies may stand behind proxies.
const MOST_PROXIES: u8 = 4;

/// What became of the packets that arrived somewhere at this moment: by machine, target and proxies allowed behind it.
/// Several clients look at one target, and several targets have one backend.
pub(crate) type Arrivals = BTreeMap<(MachineId, SocketAddr, u8), Result<Reached, Hop>>;

impl VirtualFleet {
    /// Follows a connection from `client` to `target`. Asks ARP where the client does not know.
    pub(crate) fn reach(&mut self, client: MachineId, target: SocketAddr) -> Result<Reached, Hop> {
        self.reach_through(client, target, MOST_PROXIES, &mut Arrivals::new())
    }

    /// [`Self::reach`] where other ways were already followed at this very moment.
    pub(crate) fn reach_among(
        &mut self,
        client: MachineId,
        target: SocketAddr,
        arrivals: &mut Arrivals,
    ) -> Result<Reached, Hop> {
        self.reach_through(client, target, MOST_PROXIES, arrivals)
    }

    fn reach_through(
        &mut self,
        client: MachineId,
        target: SocketAddr,
        proxies: u8,
        arrivals: &mut Arrivals,
    ) -> Result<Reached, Hop> {
        if self.view.machines.get(&client).is_none_or(|machine| machine.power == Power::Off) {
            return Err(Hop::Silent(format!("{} is off", self.name(client))));
        }
        let address = target.ip();
        let local = self.runtimes[&client].kernel.is_local(address);
        let owner = if local { client } else { self.neighbour(client, address)? };
        if let Some(known) = arrivals.get(&(owner, target, proxies)) {
            return known.clone();
        }
        let arrived = self.arrive(owner, target, proxies, arrivals);
        arrivals.insert((owner, target, proxies), arrived.clone());
        arrived
    }

    /// The machine that takes a client's packets for an address.
    fn neighbour(&mut self, client: MachineId, address: IpAddr) -> Result<MachineId, Hop> {
        if self.is_cut_off(client) {
            return Err(Hop::NoRoute(format!("{} is cut off from its networks", self.name(client))));
        }
        let segment = self
            .segment_towards(client, address)
            .ok_or_else(|| Hop::NoRoute(format!("{} has no route to {address}", self.name(client))))?;
        // Nearly always the client knows whom to send to, and that one answers.
        if let Some(owner) = self.known_neighbour(client, address)
            && self.answers(owner, segment, address)
        {
            return Ok(owner);
        }
        let segment = segment.to_owned();
        if self.known_neighbour(client, address).is_some() && !self.ledger.holds(&fidelity::SILENT_NEIGHBOUR) {
            self.forget(client, address);
        }
        let owner = self
            .resolve(client, &segment, address)
            .ok_or_else(|| Hop::NoRoute(format!("nobody on {segment} answers ARP for {address}")))?;
        if !self.answers(owner, &segment, address) {
            let (client, owner) = (self.name(client), self.name(owner));
            return Err(Hop::Silent(format!("{client} still sends {address} to {owner}, which is silent")));
        }
        Ok(owner)
    }

    /// The machine has the packet: who listens, and can they serve?
    pub(crate) fn arrive(
        &mut self,
        owner: MachineId,
        target: SocketAddr,
        proxies: u8,
        arrivals: &mut Arrivals,
    ) -> Result<Reached, Hop> {
        let runtime = &self.runtimes[&owner];
        let epoch = runtime.epoch;
        let Some((listener, generation)) = runtime.kernel.listener(target.ip(), target.port()) else {
            return Err(Hop::Refused(format!("{} refuses {target}", self.name(owner))));
        };
        let generation = *generation;
        let backends = match &listener.answering {
            Answering::Guest => Vec::new(),
            Answering::Backend(name) => vec![name.clone()],
            Answering::Proxy(_) if proxies == 0 => {
                return Err(Hop::NoBackend(format!("{} proxies in a circle", self.name(owner))));
            }
            Answering::Proxy(servers) => {
                let mut names = Vec::new();
                for server in servers.clone() {
                    if let Ok(reached) = self.reach_through(owner, server, proxies - 1, arrivals) {
                        names.extend(reached.backends);
                    }
                }
                if names.is_empty() {
                    return Err(Hop::NoBackend(format!("{} has no backend for {target}", self.name(owner))));
                }
                names.sort();
                names.dedup();
                names
            }
        };
        Ok(Reached { machine: owner, epoch, generation, backends })
    }

    /// Who listens at the end of a way that was just followed.
    pub(crate) fn listener(&self, reached: &Reached, target: SocketAddr) -> &Listener {
        let found = self.runtimes[&reached.machine].kernel.listener(target.ip(), target.port());
        &found.expect("a connection that comes about has a listener").0
    }

    /// What the client of a connection sees of who answers.
    pub(crate) fn served_by(&self, reached: Reached, target: SocketAddr) -> ServedBy {
        let certificate = self.listener(&reached, target).certificate.clone();
        ServedBy { machine: Some(reached.machine), backends: reached.backends, certificate, chain: Vec::new() }
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
