//! What watches see, evaluated whenever something changed.

use std::net::SocketAddr;

use grenadier_fleet::{FleetEvent, MachineId, Observation, Watch, WatchId, WatchKind};

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
                WatchKind::HttpNew => (self.new_connection(watch.client, watch.target, &mut arrivals).0, None),
                WatchKind::HttpPinned => self.pinned_connection(&watch, pinned, &mut arrivals),
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
        let broke = Observation::Down { reason: "the kept connection broke".to_owned() };
        let id = self.watches.iter().find(|(_, other)| other.watch == *watch).map(|(id, _)| *id);
        if let Some(id) = id {
            self.events.push(FleetEvent::Watch { watch: id, earliest: now, latest: now, observation: broke.clone() });
            self.watches.get_mut(&id).expect("found above").seen = Some(broke);
        }
        (observation, Some(fresh))
    }
}

fn down(hop: &Hop) -> Observation {
    Observation::Down { reason: hop.reason().to_owned() }
}
