//! Power and addresses of each machine.

use std::collections::{BTreeMap, BTreeSet};

use grenadier_clock::Time;
use grenadier_events::{Event, Kind, Power};

use super::Lane;
use super::states::States;
use crate::told::power_word;
use crate::tone::Tone;
use crate::words::joined;

/// How many addresses a label names.
const NAMED: usize = 6;

/// The lanes of all machines.
pub(super) struct Machines {
    /// Of those to which something happened once the upgrade had begun.
    pub involved: Vec<Lane>,
    /// Of the others.
    pub bystanders: Vec<Lane>,
}

struct Machine {
    power: States,
    addresses: States,
    is_involved: bool,
}

impl Machine {
    fn new(name: &str) -> Machine {
        Machine { power: States::new(name), addresses: States::new(format!("{name} owns")), is_involved: false }
    }
}

/// Machines in order of their first appearance, and who owns which address.
#[derive(Default)]
struct Fleet {
    order: Vec<String>,
    machines: BTreeMap<String, Machine>,
    owners: BTreeMap<(String, String), Vec<String>>,
    is_upgrading: bool,
}

impl Fleet {
    fn machine(&mut self, name: &str) -> &mut Machine {
        let upgrading = self.is_upgrading;
        if !self.machines.contains_key(name) {
            self.order.push(name.to_owned());
        }
        let machine = self.machines.entry(name.to_owned()).or_insert_with(|| Machine::new(name));
        machine.is_involved |= upgrading;
        machine
    }

    fn owners(&mut self, event: &Event, segment: &str, address: &str, owners: &[String]) {
        let key = (segment.to_owned(), address.to_owned());
        let before = self.owners.insert(key, owners.to_vec()).unwrap_or_default();
        let concerned: BTreeSet<&String> = before.iter().chain(owners).collect();
        for name in concerned {
            let owned: Vec<(&str, bool)> = self
                .owners
                .iter()
                .filter(|(_, owners)| owners.contains(name))
                .map(|((_, address), owners)| (address.as_str(), owners.len() > 1))
                .collect();
            let fights = owned.iter().any(|(_, fights)| *fights);
            let label = label(&owned);
            let machine = self.machine(name);
            match label {
                None => machine.addresses.stop(event.t_ns),
                Some(label) if fights => machine.addresses.turn(event, Tone::Bad, label),
                Some(label) => machine.addresses.turn(event, Tone::Strong, label),
            }
        }
    }
}

/// `3 addresses: a, b and c`; none where there is no address.
fn label(owned: &[(&str, bool)]) -> Option<String> {
    let named = |owned: &[&str]| {
        let mut names: Vec<String> = owned.iter().take(NAMED).map(|address| (*address).to_owned()).collect();
        if let Some(more) = owned.len().checked_sub(NAMED).filter(|more| *more > 0) {
            names.push(format!("{more} more"));
        }
        joined(&names)
    };
    let all: Vec<&str> = owned.iter().map(|(address, _)| *address).collect();
    let fought: Vec<&str> = owned.iter().filter(|(_, fights)| *fights).map(|(address, _)| *address).collect();
    let addresses = |count: usize| crate::words::counted(count as u64, "address", "addresses");
    match (all.len(), fought.len()) {
        (0, _) => None,
        (all_of, 0) => Some(format!("{}: {}", addresses(all_of), named(&all))),
        (_, fights) => Some(format!("{} others answer for too: {}", addresses(fights), named(&fought))),
    }
}

pub(super) fn of(events: &[Event], end: Time) -> Machines {
    let mut fleet = Fleet::default();
    for event in events {
        match &event.kind {
            Kind::PhaseStarted { phase } => {
                fleet.is_upgrading = (fleet.is_upgrading || phase == "upgrade") && phase != "destroy";
            }
            Kind::MachineCreated { machine } => fleet.machine(machine).power.turn(event, Tone::Quiet, "off"),
            Kind::MachineDestroyed { machine } => {
                let machine = fleet.machine(machine);
                machine.power.stop(event.t_ns);
                machine.addresses.stop(event.t_ns);
            }
            Kind::PowerChanged { machine, power } => {
                let tone = if *power == Power::On { Tone::Good } else { Tone::Quiet };
                fleet.machine(machine).power.turn(event, tone, power_word(*power));
            }
            Kind::Snapshot { machine, snapshot, action } => {
                let power = &mut fleet.machine(machine).power;
                let (tone, now) = power.now().map_or((Tone::Quiet, "off"), |(tone, now)| (tone, now));
                let now = now.split(',').next().unwrap_or(now);
                let label = format!("{now}, snapshot {snapshot} {action}");
                power.turn(event, tone, label);
            }
            Kind::AddressOwners { segment, address, owners } => fleet.owners(event, segment, address, owners),
            _ => {}
        }
    }
    let (mut involved, mut bystanders) = (Vec::new(), Vec::new());
    for name in fleet.order {
        let Some(machine) = fleet.machines.remove(&name) else { continue };
        let lanes = if machine.is_involved { &mut involved } else { &mut bystanders };
        let both = [machine.power.finish(end), machine.addresses.finish(end)];
        lanes.extend(both.into_iter().filter(|lane| !lane.items.is_empty()));
    }
    Machines { involved, bystanders }
}
