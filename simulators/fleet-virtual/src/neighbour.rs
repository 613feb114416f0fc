//! Each client's neighbour (ARP) table.
//!
//! An entry leads to a machine by its hardware address. Traffic goes there until the entry is given up, even where the
//! machine is long silent: that is why clients notice a swap late, and each at another moment.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use grenadier_fleet::{FleetEvent, MachineId};

use crate::fidelity;
use crate::fleet::{Due, VirtualFleet};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Whom it leads to; none where nobody answered.
    pub owner: Option<MachineId>,
    /// The timer that counts.
    generation: u64,
    /// The neighbour was silent when it was asked again; it is being probed.
    probing: bool,
}

/// The entries of one machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct NeighbourTable(BTreeMap<IpAddr, Entry>);

impl NeighbourTable {
    /// Hashes whom the entries lead to.
    pub(crate) fn hash_entries(&self, hasher: &mut impl Hasher) {
        for (address, entry) in &self.0 {
            (address, entry.owner.map(|owner| owner.0), entry.probing).hash(hasher);
        }
    }
}

impl VirtualFleet {
    /// Whom `client` sends packets for `address` to, asking the segment where it does not know.
    pub(crate) fn resolve(&mut self, client: MachineId, segment: &str, address: IpAddr) -> Option<MachineId> {
        let known = self.runtimes.get(&client).and_then(|runtime| runtime.neighbours.0.get(&address).copied());
        match known {
            Some(entry) => entry.owner,
            None => self.ask(client, segment, address, None),
        }
    }

    /// Whom `client` sends packets for `address` to, where it knows.
    pub(crate) fn known_neighbour(&self, client: MachineId, address: IpAddr) -> Option<MachineId> {
        self.runtimes.get(&client)?.neighbours.0.get(&address)?.owner
    }

    /// Broadcasts the question and keeps the answer. Where several answer, one of them is first, each time anew.
    fn ask(
        &mut self,
        client: MachineId,
        segment: &str,
        address: IpAddr,
        before: Option<Option<MachineId>>,
    ) -> Option<MachineId> {
        let owners = self.owners(segment, address);
        let timing = &self.timing;
        self.generations += 1;
        let generation = self.generations;
        let random = &mut self.runtimes.get_mut(&client)?.random;
        let owner = match owners.as_slice() {
            [] => None,
            [only] => Some(*only),
            several if self.ledger.holds(&fidelity::FIRST_ANSWER) => {
                Some(several[random.below(several.len() as u64) as usize])
            }
            several => several.first().copied(),
        };
        let trusted = match owner {
            Some(_) => random.between(timing.neighbour_reachable_low, timing.neighbour_reachable_high),
            None => timing.neighbour_retry,
        };
        let entry = Entry { owner, generation, probing: false };
        self.runtimes.get_mut(&client)?.neighbours.0.insert(address, entry);
        self.push(self.now() + trusted, Due::Neighbour { client, address, generation });
        if before != Some(owner) {
            self.events.push(FleetEvent::Neighbour { client, address, owner });
        }
        owner
    }

    /// An entry's time is over: a neighbour that still answers is trusted again, a silent one probed and then given up.
    pub(crate) fn neighbour_due(&mut self, client: MachineId, address: IpAddr, generation: u64) {
        let Some(runtime) = self.runtimes.get_mut(&client) else { return };
        let Some(entry) = runtime.neighbours.0.get(&address).copied() else { return };
        if entry.generation != generation {
            return;
        }
        let Some(segment) = self.segment_towards(client, address).map(str::to_owned) else {
            self.forget(client, address);
            return;
        };
        match entry.owner {
            Some(owner) if !entry.probing && !self.answers(owner, &segment, address) => {
                self.generations += 1;
                let generation = self.generations;
                let probing = Entry { owner: Some(owner), generation, probing: true };
                self.runtimes.get_mut(&client).expect("looked up above").neighbours.0.insert(address, probing);
                let given_up = self.now() + self.timing.neighbour_probe;
                self.push(given_up, Due::Neighbour { client, address, generation });
            }
            _ => {
                // Where the answer is the same, every packet goes where it went before.
                if self.ask(client, &segment, address, Some(entry.owner)) != entry.owner {
                    self.changed();
                }
            }
        }
    }

    pub(crate) fn forget(&mut self, client: MachineId, address: IpAddr) {
        if let Some(runtime) = self.runtimes.get_mut(&client) {
            runtime.neighbours.0.remove(&address);
        }
    }

    /// The segment by which `client` reaches `address` without a router.
    pub(crate) fn segment_towards(&self, client: MachineId, address: IpAddr) -> Option<&str> {
        let machine = self.view.machines.get(&client)?;
        let mut nics = machine.spec.nics.iter().filter(|nic| nic.connected);
        nics.find(|nic| self.view.segments.get(&nic.segment).is_some_and(|segment| segment.subnet.contains(&address)))
            .map(|nic| nic.segment.as_str())
    }
}
