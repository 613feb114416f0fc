//! What agents tell, and what watches are told.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use grenadier_agent::protocol::{FromAgent, SampleRow, Seen, SeenBy, ToAgent, WatchOrder};
use grenadier_fleet::{
    FailureClass, FleetEvent, GuestReport, Mac, MachineId, Observation, Power, ProberState, ServedBy, WatchId,
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
                let observation = self.observed(seen);
                self.events.push(FleetEvent::Watch { watch, earliest, latest, observation });
            }
            FromAgent::Prober { watch, now } => self.prober(WatchId(watch), now),
            FromAgent::Samples { watch, rows } => self.keep(WatchId(watch), &rows),
            // The session keeps these to itself.
            FromAgent::Hello | FromAgent::Clock | FromAgent::Answer { .. } | FromAgent::State { .. } => {}
        }
    }

    /// What a prober tells of itself. After it stopped, nothing more will come.
    fn prober(&mut self, watch: WatchId, now: ProberState) {
        let Some(watching) = self.watches.get_mut(&watch) else { return };
        match now {
            ProberState::Stopped { .. } | ProberState::NotCovered { .. } => {
                watching.heard = None;
                if watching.is_ending {
                    self.watches.remove(&watch);
                }
            }
            ProberState::Started { .. } | ProberState::Gap { .. } | ProberState::Late { .. } => {}
        }
        self.events.push(FleetEvent::Prober { watch, now });
    }

    /// What was seen, with machines in place of hardware addresses.
    fn observed(&self, seen: Seen) -> Observation {
        match seen {
            Seen::Up(SeenBy { backends, certificate, chain, owners }) => {
                let machine = owners.first().and_then(|mac| self.holder(*mac));
                Observation::Up(ServedBy { machine, backends, certificate, chain })
            }
            Seen::Down { class, mut reason } => {
                if class == FailureClass::DuplicateAddress {
                    for machine in self.view.machines.values() {
                        for nic in &machine.spec.nics {
                            reason = reason.replace(&nic.mac.to_string(), &machine.spec.name);
                        }
                    }
                }
                Observation::Down { reason, class: Some(class) }
            }
        }
    }

    /// The machine with this hardware address. Two may have one while one of them is off: the one that is on answered.
    fn holder(&self, mac: Mac) -> Option<MachineId> {
        let holders =
            || self.view.machines.values().filter(|machine| machine.spec.nics.iter().any(|nic| nic.mac == mac));
        let holder = holders().find(|machine| machine.power == Power::On).or_else(|| holders().next());
        holder.map(|machine| machine.id)
    }

    fn neighbour(&mut self, client: MachineId, address: IpAddr, mac: Option<Mac>) {
        let owner = mac.and_then(|mac| self.holder(mac));
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

    /// Has the client's agent begin to look. Without one nobody looks, and that is what the log tells.
    pub(crate) fn look(&mut self, id: WatchId) {
        let at_ns = self.shared.clock.now();
        let Some(watching) = self.watches.get_mut(&id) else { return };
        let watch = &watching.watch;
        let client = self.shared.present().get(&watch.client).map(|present| present.session.clone());
        let Some(client) = client else {
            let reason = Some("the prober's machine is off".to_owned());
            let now = ProberState::Stopped { at_ns, reason, figures: None };
            return self.events.push(FleetEvent::Prober { watch: id, now });
        };
        watching.heard = Some(at_ns);
        client.say(ToAgent::Watch(WatchOrder {
            watch: id.0,
            target: watch.target,
            kind: watch.kind,
            tls: watch.tls,
            backends: watch.backends.clone(),
            every_ms: watch.every.as_millis().try_into().unwrap_or(u64::MAX),
        }));
    }
}
