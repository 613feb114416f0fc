//! What watches see, evaluated whenever something changed.

use std::net::SocketAddr;

use grenadier_fleet::{FleetEvent, MachineId, Observation, Power, ProbeKind, ProberState, ServedBy, Watch, WatchId};

use crate::fleet::VirtualFleet;
use crate::flow::{Arrivals, Hop};

/// A watch and what it saw last.
pub(crate) struct Watching {
    pub watch: Watch,
    seen: Option<Observation>,
    /// The connection a pinned watch holds: machine, life, listener generation, backend.
    pinned: Option<(MachineId, u64, u64, String)>,
}

impl VirtualFleet {
    pub(crate) fn start_watch(&mut self, watch: Watch) -> WatchId {
        self.watch_count += 1;
        let id = WatchId(self.watch_count);
        if let Some(reason) = not_covered(watch.kind) {
            let now = ProberState::NotCovered { reason: reason.to_owned() };
            self.events.push(FleetEvent::Prober { watch: id, now });
            return id;
        }
        self.watches.insert(id, Watching { watch, seen: None, pinned: None });
        self.changed();
        id
    }

    /// Evaluates every watch and tells those that see something else than before.
    pub(crate) fn look(&mut self) {
        let ids: Vec<WatchId> = self.watches.keys().copied().collect();
        let mut arrivals = Arrivals::new();
        for id in ids {
            let Watching { watch, pinned, .. } = &self.watches[&id];
            let (watch, pinned) = (watch.clone(), pinned.clone());
            let (observation, pinned) = match watch.kind {
                ProbeKind::HttpNew => (self.new_connection(watch.client, watch.target, &mut arrivals).0, None),
                ProbeKind::HttpPinned | ProbeKind::TcpStream => self.pinned_connection(&watch, pinned, &mut arrivals),
                ProbeKind::Tls => (self.handshake(&watch, &mut arrivals), None),
                ProbeKind::Arp => (self.address_resolution(&watch), None),
                ProbeKind::Udp => continue,
            };
            let watching = self.watches.get_mut(&id).expect("its id was listed");
            watching.pinned = pinned;
            if watching.seen.as_ref() != Some(&observation) {
                watching.seen = Some(observation.clone());
                let now = self.now();
                self.events.push(FleetEvent::Watch { watch: id, earliest: now, latest: now, observation });
            }
        }
    }

    fn new_connection(
        &mut self,
        client: MachineId,
        target: SocketAddr,
        arrivals: &mut Arrivals,
    ) -> (Observation, Option<(MachineId, u64, u64, String)>) {
        match self.reach_among(client, target, arrivals) {
            Ok(reached) => {
                let backend = reached.backends.first().cloned().unwrap_or_default();
                let held = (reached.machine, reached.epoch, reached.generation, backend);
                (Observation::Up(self.served_by(reached, target)), Some(held))
            }
            Err(hop) => (down(&hop), None),
        }
    }

    /// Which certificate a new connection shows.
    fn handshake(&mut self, watch: &Watch, arrivals: &mut Arrivals) -> Observation {
        match self.new_connection(watch.client, watch.target, arrivals).0 {
            Observation::Up(served) if served.certificate.is_none() => {
                let name = served.machine.map_or_else(String::new, |machine| self.name(machine));
                Observation::Down { reason: format!("{name} shows no certificate at {}", watch.target), class: None }
            }
            seen => seen,
        }
    }

    /// Who answers ARP for the address on the client's network, and whether that is one machine.
    fn address_resolution(&mut self, watch: &Watch) -> Observation {
        let address = watch.target.ip();
        let down = |reason| Observation::Down { reason, class: None };
        let is_off = self.view.machines.get(&watch.client).is_none_or(|machine| machine.power == Power::Off);
        if is_off || self.is_cut_off(watch.client) {
            return down(format!("{} has no network", self.name(watch.client)));
        }
        let Some(segment) = self.segment_towards(watch.client, address) else {
            return down(format!("{} has no route to {address}", self.name(watch.client)));
        };
        let owners = self.owners(segment, address);
        match owners.as_slice() {
            [] => down(format!("nobody on {segment} answers ARP for {address}")),
            [owner] => Observation::Up(ServedBy { machine: Some(*owner), ..ServedBy::default() }),
            several => {
                let mut names: Vec<String> = several.iter().map(|owner| self.name(*owner)).collect();
                names.sort();
                down(format!("{} all answer for it", names.join(" and ")))
            }
        }
    }

    /// A kept connection lives as long as its machine, its listener and its backend do and packets still go that way.
    fn pinned_connection(
        &mut self,
        watch: &Watch,
        held: Option<(MachineId, u64, u64, String)>,
        arrivals: &mut Arrivals,
    ) -> (Observation, Option<(MachineId, u64, u64, String)>) {
        let (observation, fresh) = self.new_connection(watch.client, watch.target, arrivals);
        let (Some(held), Observation::Up(served)) = (&held, &observation) else { return (observation, fresh) };
        let Some(fresh) = fresh else { return (observation, None) };
        let same_way = (held.0, held.1, held.2) == (fresh.0, fresh.1, fresh.2);
        if same_way && served.backends.contains(&held.3) {
            return (observation, Some(held.clone()));
        }
        // The client reconnects; that it had to is an event of its own at this moment, before the new connection.
        let now = self.now();
        let broke = Observation::Down { reason: "the kept connection broke".to_owned(), class: None };
        let id = self.watches.iter().find(|(_, other)| other.watch == *watch).map(|(id, _)| *id);
        if let Some(id) = id {
            self.events.push(FleetEvent::Watch { watch: id, earliest: now, latest: now, observation: broke.clone() });
            self.watches.get_mut(&id).expect("found above").seen = Some(broke);
        }
        (observation, Some(fresh))
    }
}

fn down(hop: &Hop) -> Observation {
    Observation::Down { reason: hop.reason().to_owned(), class: None }
}

/// Why a kind of probe makes no sense here, where it does not.
fn not_covered(kind: ProbeKind) -> Option<&'static str> {
    match kind {
        ProbeKind::Udp => Some("the virtual world has no datagrams"),
        ProbeKind::HttpNew | ProbeKind::HttpPinned | ProbeKind::TcpStream | ProbeKind::Tls | ProbeKind::Arp => None,
    }
}
