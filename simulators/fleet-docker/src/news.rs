//! What agents tell, and what watches are told.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use grenadier_agent::protocol::{FromAgent, SampleRow, Seen, ToAgent, WatchOrder};
use grenadier_fleet::{
    FleetEvent, GuestReport, Mac, Machine, MachineId, Observation, Power, ServedBy, WatchId, WatchKind,
};

use crate::changes::set;
use crate::fleet::DockerFleet;

impl DockerFleet {
    /// Takes in what an agent told.
    pub(crate) fn told(&mut self, id: MachineId, message: FromAgent) {
        match message {
            FromAgent::Report { report } => {
                let Ok(machine) = self.machine(id) else { return };
                machine.hear(&report);
                self.events.push(FleetEvent::Guest { machine: id, report });
            }
            FromAgent::Config { key, value } => {
                let Ok(machine) = self.machine(id) else { return };
                set(&mut machine.spec.config, key.clone(), value);
                self.events.push(FleetEvent::Guest { machine: id, report: GuestReport::Config { key } });
            }
            FromAgent::Claims { claims } => self.claims.set(id, claims),
            FromAgent::Neighbour { address, mac } => self.neighbour(id, address, mac),
            FromAgent::Observation { watch, earliest, latest, seen } => {
                let watch = WatchId(watch);
                let Some(watching) = self.watches.get_mut(&watch) else { return };
                watching.heard = watching.heard.max(Some(latest));
                let observation = match seen {
                    Seen::Up(backends) => Observation::Up(ServedBy { machine: None, backends, certificate: None }),
                    Seen::Down(reason) => Observation::Down { reason },
                };
                self.events.push(FleetEvent::Watch { watch, earliest, latest, observation });
            }
            FromAgent::Samples { watch, rows } => self.keep(WatchId(watch), &rows),
            // The session keeps these to itself.
            FromAgent::Hello | FromAgent::Clock | FromAgent::Answer { .. } | FromAgent::State { .. } => {}
        }
    }

    fn neighbour(&mut self, client: MachineId, address: IpAddr, mac: Option<Mac>) {
        let has = |machine: &&Machine| machine.spec.nics.iter().any(|nic| Some(nic.mac) == mac);
        // Two machines may have one address while one of them is off: the one that is on answered.
        let holders = || self.view.machines.values().filter(has);
        let owner = holders().find(|machine| machine.power == Power::On).or_else(|| holders().next());
        let owner = owner.map(|machine| machine.id);
        self.events.push(FleetEvent::Neighbour { client, address, owner });
    }

    /// Appends raw samples to the watch's side file. What cannot be written is missing from the evidence, and said so.
    fn keep(&mut self, watch: WatchId, rows: &[SampleRow]) {
        let Some(watching) = self.watches.get_mut(&watch) else { return };
        watching.heard = watching.heard.max(rows.last().map(|row| row.began_ns));
        let client = watching.watch.client;
        let path = self.samples_path(watch);
        let write = || {
            let text: String = rows.iter().map(grenadier_agent::protocol::line).collect();
            std::fs::create_dir_all(&self.run_dir)?;
            std::fs::OpenOptions::new().create(true).append(true).open(&path)?.write_all(text.as_bytes())
        };
        if let Err(error) = write() {
            let line = format!("failed to keep samples in {}: {error}", path.display());
            let report = GuestReport::Log { service: "agent".to_owned(), line };
            self.events.push(FleetEvent::Guest { machine: client, report });
        }
    }

    /// Where the raw samples of a watch are kept, one JSON object a line ([`SampleRow`]).
    pub fn samples_path(&self, watch: WatchId) -> PathBuf {
        self.run_dir.join(format!("samples-{}.jsonl", watch.0))
    }

    /// Has the client's agent begin to look. Without one, nothing is looked at, and that is what the watch sees.
    pub(crate) fn look(&mut self, id: WatchId) {
        let now = self.shared.clock.now();
        let Some(watching) = self.watches.get_mut(&id) else { return };
        let watch = &watching.watch;
        let pinned = watch.kind == WatchKind::HttpPinned;
        let client = self.shared.present().get(&watch.client).map(|present| present.session.clone());
        let problem = match client {
            Some(_) if pinned && watch.tls => "this world cannot pin a TLS connection",
            Some(client) => {
                watching.heard = Some(now);
                let every_ms = watch.every.as_millis().try_into().unwrap_or(u64::MAX);
                let order = WatchOrder { watch: id.0, target: watch.target, tls: watch.tls, pinned, every_ms };
                return client.say(ToAgent::Watch(order));
            }
            None => "the prober is off",
        };
        let observation = Observation::Down { reason: problem.to_owned() };
        self.events.push(FleetEvent::Watch { watch: id, earliest: now, latest: now, observation });
    }
}
