//! Who answers ARP for what, on each segment.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use grenadier_fleet::{FleetEvent, MachineId, Power, SegmentId};
use ipnet::IpNet;

use crate::fleet::VirtualFleet;

/// Claims of a segment: each address or range, and the machines that answer for it or for a part of it.
pub(crate) type Claims = BTreeMap<IpNet, BTreeSet<MachineId>>;

impl VirtualFleet {
    /// The machines that answer a broadcast for `address` on `segment`, in order of id.
    pub(crate) fn owners(&self, segment: &str, address: IpAddr) -> Vec<MachineId> {
        let answering = self.on_segment(segment).filter(|id| self.runtimes[id].kernel.is_local(address));
        #[cfg(feature = "mutants")]
        let answering = answering.take(if self.ledger.holds(&crate::mutants::CONFLICT) { usize::MAX } else { 1 });
        answering.collect()
    }

    /// The machines that are on and plugged into `segment`, in order of id.
    pub(crate) fn on_segment<'a>(&'a self, segment: &'a str) -> impl Iterator<Item = MachineId> + 'a {
        self.view
            .machines
            .values()
            .filter(|machine| machine.power == Power::On && !self.is_cut_off(machine.id))
            .filter(move |machine| machine.spec.nics.iter().any(|nic| nic.connected && nic.segment == segment))
            .map(|machine| machine.id)
    }

    /// Whether this machine is on, on that segment, and answers for the address.
    pub(crate) fn answers(&self, machine: MachineId, segment: &str, address: IpAddr) -> bool {
        self.runtimes.get(&machine).is_some_and(|runtime| {
            runtime.power == Power::On
                && !runtime.mishaps.is_silent()
                && runtime.kernel.is_local(address)
                && self.view.machines[&machine].spec.nics.iter().any(|nic| nic.connected && nic.segment == segment)
        })
    }

    /// Compares the claims with those told last, and tells what changed.
    pub(crate) fn tell_owners(&mut self) {
        let mut now: BTreeMap<SegmentId, Claims> = BTreeMap::new();
        for segment in self.view.segments.values() {
            let mut claims: Vec<(IpNet, MachineId)> = Vec::new();
            for id in self.on_segment(&segment.name) {
                let kernel = &self.runtimes[&id].kernel;
                let own = kernel.addresses.iter().map(|(_, address)| IpNet::from(address.addr()));
                let nets = own.chain(kernel.local_routes.iter().copied());
                claims.extend(nets.filter(|net| segment.subnet.contains(&net.addr())).map(|net| (net, id)));
            }
            let owners: Claims = claims
                .iter()
                .map(|(net, _)| {
                    let overlaps = |other: &IpNet| other.contains(net) || net.contains(other);
                    let answering = claims.iter().filter(|(other, _)| overlaps(other)).map(|(_, id)| *id);
                    #[cfg(feature = "mutants")]
                    let answering =
                        answering.take(if self.ledger.holds(&crate::mutants::CONFLICT) { usize::MAX } else { 1 });
                    (*net, answering.collect())
                })
                .collect();
            now.insert(segment.name.clone(), owners);
        }
        let mut events = Vec::new();
        for (segment, claims) in &now {
            let before = self.claims.get(segment);
            for (address, owners) in claims {
                if before.and_then(|claims| claims.get(address)) != Some(owners) {
                    let owners = owners.iter().copied().collect();
                    events.push(FleetEvent::AddressOwners { segment: segment.clone(), address: *address, owners });
                }
            }
            for address in before.into_iter().flat_map(BTreeMap::keys).filter(|net| !claims.contains_key(net)) {
                let (segment, owners) = (segment.clone(), Vec::new());
                events.push(FleetEvent::AddressOwners { segment, address: *address, owners });
            }
        }
        self.claims = now;
        self.events.extend(events);
    }
}
