//! Fleet events in the words of the run's log.

use std::collections::BTreeMap;

use grenadier_events::{Actor, Availability, Bounds, Kind, ProbeKind, ServedBy};

use crate::{FleetEvent, FleetView, GuestReport, MachineId, Observation, Power, WatchId};

/// What the log calls the things that a fleet only numbers.
#[derive(Clone, Debug, Default)]
pub struct Names {
    machines: BTreeMap<MachineId, String>,
    watches: BTreeMap<WatchId, (String, String, ProbeKind)>,
}

impl Names {
    /// Says what a watch looks at, and who looks.
    pub fn name_watch(&mut self, id: WatchId, target: &str, client: &str, kind: ProbeKind) {
        self.watches.insert(id, (target.to_owned(), client.to_owned(), kind));
    }

    /// The event as the log has it; none for what is no news to a reader (a finished operation, tools that report again).
    pub fn translate(&mut self, event: &FleetEvent, view: &FleetView) -> Option<(Actor, Kind)> {
        let mut name = |id: &MachineId| self.name(id, view);
        let kind = match event {
            FleetEvent::OperationFinished { .. } => return None,
            FleetEvent::Created { machine } => Kind::MachineCreated { machine: name(machine) },
            FleetEvent::Destroyed { name, .. } => Kind::MachineDestroyed { machine: name.clone() },
            FleetEvent::PowerChanged { machine, power } => Kind::PowerChanged {
                machine: name(machine),
                power: match power {
                    Power::On => grenadier_events::Power::On,
                    Power::Off => grenadier_events::Power::Off,
                },
            },
            FleetEvent::Snapshot { machine, snapshot, action } => {
                Kind::Snapshot { machine: name(machine), snapshot: snapshot.clone(), action: (*action).to_owned() }
            }
            FleetEvent::Guest { machine, report } => return guest(name(machine), report),
            FleetEvent::AddressOwners { segment, address, owners } => {
                let mut owners: Vec<String> = owners.iter().map(&mut name).collect();
                owners.sort();
                Kind::AddressOwners { segment: segment.clone(), address: address.to_string(), owners }
            }
            FleetEvent::Neighbour { client, address, owner } => {
                Kind::Neighbour { client: name(client), address: address.to_string(), owner: owner.as_ref().map(name) }
            }
            FleetEvent::Watch { watch, earliest, latest, observation } => {
                let (target, client, probe) = self.watches.get(watch)?.clone();
                let now = match observation {
                    Observation::Up(served) => Availability::Up(ServedBy {
                        machine: served.machine.as_ref().map(|id| self.name(id, view)).unwrap_or_default(),
                        backends: served.backends.clone(),
                        certificate: served.certificate.clone(),
                        chain: served.chain.clone(),
                    }),
                    Observation::Down { reason, class } => Availability::Down { reason: reason.clone(), class: *class },
                };
                let at = Bounds { earliest_ns: *earliest, latest_ns: *latest };
                return Some((Actor::Probe, Kind::Availability { target, client, probe, at, now }));
            }
            FleetEvent::Prober { watch, now } => {
                let (target, client, probe) = self.watches.get(watch)?.clone();
                return Some((Actor::Probe, Kind::Prober { target, client, probe, now: now.clone() }));
            }
        };
        Some((Actor::World, kind))
    }

    /// The machine's name; once it is gone, the last one it was mentioned by.
    fn name(&mut self, id: &MachineId, view: &FleetView) -> String {
        match view.machines.get(id) {
            Some(machine) => {
                let name = &machine.spec.name;
                if self.machines.get(id) != Some(name) {
                    self.machines.insert(*id, name.clone());
                }
                name.clone()
            }
            None => self.machines.get(id).cloned().unwrap_or_else(|| id.to_string()),
        }
    }
}

fn guest(machine: String, report: &GuestReport) -> Option<(Actor, Kind)> {
    let service = |service: &str, state: &str, detail: &str| Kind::Service {
        machine: machine.clone(),
        service: service.to_owned(),
        state: state.to_owned(),
        detail: detail.to_owned(),
    };
    Some(match report {
        GuestReport::Up => (Actor::World, service("guest", "running", "")),
        GuestReport::BootFailed(reason) => (Actor::World, service("guest", "failed", reason)),
        GuestReport::Service { service: name, state, detail } => (Actor::World, service(name, state, detail)),
        GuestReport::Log { service, line } => {
            (Actor::World, Kind::GuestLog { machine, service: service.clone(), line: line.clone() })
        }
        GuestReport::Operator { cluster, state, attempt, detail } => {
            let (cluster, state, detail) = (cluster.clone(), state.clone(), detail.clone());
            (Actor::Operator, Kind::Operator { cluster, state, attempt: *attempt, detail })
        }
        GuestReport::Tools { .. } | GuestReport::Config { .. } => return None,
    })
}
