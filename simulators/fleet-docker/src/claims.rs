//! Who answers ARP for what, as the agents tell it.

use std::collections::{BTreeMap, BTreeSet};

use grenadier_fleet::{FleetEvent, FleetView, MachineId, Power, SegmentId};
use ipnet::IpNet;

/// Why nobody hears a machine that is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) cut_off: bool,
    pub(crate) paused: bool,
}

/// What each machine that is on answers for, and what was told about it last.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    by_machine: BTreeMap<MachineId, Vec<IpNet>>,
    cut_off: BTreeSet<MachineId>,
    /// Machines that stand still; for the rest of their lives at most.
    paused: BTreeSet<MachineId>,
    told: BTreeMap<(SegmentId, IpNet), BTreeSet<MachineId>>,
}

impl Claims {
    /// A machine told what it answers for; one that went off answers for nothing.
    pub(crate) fn set(&mut self, machine: MachineId, claims: Vec<IpNet>) {
        self.by_machine.insert(machine, claims);
    }

    /// Whether a machine is cut off from its networks, and whether it stands still. What it answers for nobody hears meanwhile.
    pub(crate) fn silence(&mut self, machine: MachineId, silence: Silence) {
        for (set, holds) in [(&mut self.cut_off, silence.cut_off), (&mut self.paused, silence.paused)] {
            if holds {
                set.insert(machine);
            } else {
                set.remove(&machine);
            }
        }
    }

    /// A machine went off.
    pub(crate) fn off(&mut self, machine: MachineId) {
        self.paused.remove(&machine);
        self.set(machine, Vec::new());
    }

    /// The changes since the last call. A claim counts on the segment whose subnet it lies in, while the machine is on, not
    /// cut off, and its card there is connected; claims that overlap fight.
    pub(crate) fn changes(&mut self, view: &FleetView) -> Vec<FleetEvent> {
        let mut now: BTreeMap<(SegmentId, IpNet), BTreeSet<MachineId>> = BTreeMap::new();
        for segment in view.segments.values() {
            let present = |id: &MachineId| {
                let machine = view.machines.get(id).filter(|machine| machine.power == Power::On);
                let mut nics = machine.into_iter().flat_map(|machine| &machine.spec.nics);
                nics.any(|nic| nic.connected && nic.segment == segment.name)
            };
            let claims: Vec<(IpNet, MachineId)> = self
                .by_machine
                .iter()
                .filter(|(id, _)| present(id) && !self.cut_off.contains(id) && !self.paused.contains(id))
                .flat_map(|(id, claims)| claims.iter().map(|claim| (*claim, *id)))
                .filter(|(claim, _)| segment.subnet.contains(&claim.addr()))
                .collect();
            for (claim, _) in &claims {
                let overlaps = |other: &IpNet| other.contains(claim) || claim.contains(other);
                let owners = claims.iter().filter(|(other, _)| overlaps(other)).map(|(_, id)| *id).collect();
                now.insert((segment.name.clone(), *claim), owners);
            }
        }
        let gone = self.told.keys().filter(|key| !now.contains_key(*key)).map(|key| (key.clone(), BTreeSet::new()));
        let changed = now.iter().filter(|(key, owners)| self.told.get(*key) != Some(*owners));
        let changed = changed.map(|(key, owners)| (key.clone(), owners.clone()));
        let event = |((segment, address), owners): ((SegmentId, IpNet), BTreeSet<MachineId>)| {
            FleetEvent::AddressOwners { segment, address, owners: owners.into_iter().collect() }
        };
        let events = changed.chain(gone).map(event).collect();
        self.told = now;
        events
    }
}

#[cfg(test)]
mod tests {
    use grenadier_fleet::{Boot, Hardware, Host, Mac, Machine, MachineSpec, Nic, SegmentSpec};

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().expect("a range")
    }

    fn machine(id: u32, power: Power) -> (MachineId, Machine) {
        let nic = Nic { key: 4000, segment: "frontend".into(), mac: Mac::vmware(id), connected: true };
        let spec = MachineSpec {
            name: format!("m{id}"),
            hardware: Hardware { cpus: 1, memory_mib: 1 },
            nics: vec![nic],
            disks: Vec::new(),
            config: BTreeMap::new(),
            record: BTreeMap::new(),
            hosted: false,
        };
        let machine = Machine {
            id: MachineId(id),
            spec,
            power,
            boot: Boot::Up,
            hostname: None,
            addresses: BTreeMap::new(),
            snapshots: Vec::new(),
            current_snapshot: None,
        };
        (MachineId(id), machine)
    }

    fn owners(claims: &mut Claims, view: &FleetView) -> Vec<(String, Vec<u32>)> {
        let events = claims.changes(view).into_iter().map(|event| match event {
            FleetEvent::AddressOwners { address, owners, .. } => {
                (address.to_string(), owners.into_iter().map(|id| id.0).collect())
            }
            other => panic!("{other:?}"),
        });
        events.collect()
    }

    #[test]
    fn overlapping_claims_of_machines_that_are_on_fight() {
        let segment = SegmentSpec { name: "frontend".into(), subnet: net("198.18.2.0/24") };
        let mut view = FleetView {
            host: Host { cpus: 4, memory_mib: 4, storage_mib: 4 },
            segments: BTreeMap::from([("frontend".to_owned(), segment)]),
            machines: BTreeMap::from([machine(1, Power::On), machine(2, Power::On)]),
        };
        let claims = &mut Claims::default();
        claims.set(MachineId(1), vec![net("198.18.2.16/28"), net("198.18.9.1/32")]);
        assert_eq!(owners(claims, &view), [("198.18.2.16/28".to_owned(), vec![1])]);
        assert!(owners(claims, &view).is_empty(), "nothing changed");
        claims.silence(MachineId(1), Silence { cut_off: true, paused: false });
        assert_eq!(owners(claims, &view), [("198.18.2.16/28".to_owned(), vec![])]);
        claims.silence(MachineId(1), Silence { cut_off: false, paused: false });
        assert_eq!(owners(claims, &view), [("198.18.2.16/28".to_owned(), vec![1])]);
        claims.set(MachineId(2), vec![net("198.18.2.20/32")]);
        let fight = [("198.18.2.16/28".to_owned(), vec![1, 2]), ("198.18.2.20/32".to_owned(), vec![1, 2])];
        assert_eq!(owners(claims, &view), fight);
        view.machines.get_mut(&MachineId(1)).expect("it is there").power = Power::Off;
        let over = [("198.18.2.20/32".to_owned(), vec![2]), ("198.18.2.16/28".to_owned(), vec![])];
        assert_eq!(owners(claims, &view), over);
    }
}
