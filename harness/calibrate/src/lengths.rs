//! Lengths out of the log of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::{Named as _, TimingField};
use grenadier_clock::Time;
use grenadier_events::{Event, Kind, Power};

use crate::{Basis, LengthRow, nanoseconds};

/// From the order to reload to HAProxy serving by the new file. Part of the profile's `reload-delay`.
const RELOAD: &str = "reload";
/// From an address's new owner answering for it to a client that had the old one in its table asking the new one.
const TAKEOVER: &str = "neighbour-takeover";

/// What is told beside the profile.
pub(crate) const TOLD: [&str; 2] = [RELOAD, TAKEOVER];

/// Lengths by name, as often as each was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured(BTreeMap<String, Vec<Duration>>);

impl Measured {
    /// One more.
    pub fn add(&mut self, field: TimingField, length: Duration) {
        self.note(field.name(), length);
    }

    /// All of another's.
    pub fn extend(&mut self, other: Measured) {
        for (name, lengths) in other.0 {
            self.0.entry(name).or_default().extend(lengths);
        }
    }

    fn note(&mut self, name: &str, length: Duration) {
        self.0.entry(name.to_owned()).or_default().push(length);
    }

    /// What was measured under this name.
    pub(crate) fn of(&self, name: &str) -> Option<LengthRow> {
        // The delay is set; what comes after it is measured.
        let measured = if name == TimingField::ReloadDelay.name() { RELOAD } else { name };
        let mut lengths: Vec<u64> = self.0.get(measured)?.iter().copied().map(nanoseconds).collect();
        lengths.sort_unstable();
        let (least_ns, most_ns) = (*lengths.first()?, *lengths.last()?);
        let median_ns = lengths[lengths.len() / 2];
        let (name, count) = (name.to_owned(), lengths.len());
        Some(LengthRow { name, basis: Basis::Measured, count, least_ns, median_ns, most_ns })
    }
}

/// What began and has not ended yet, by machine.
#[derive(Default)]
struct Open {
    began: BTreeMap<(String, &'static str), Time>,
    /// Tasks that run, by id.
    tasks: BTreeMap<String, Time>,
    /// When each machine became the only owner of a range.
    owned: BTreeMap<String, Time>,
}

impl Open {
    fn begin(&mut self, machine: &str, what: &'static str, at: Time) {
        self.began.insert((machine.to_owned(), what), at);
    }

    fn end(&mut self, machine: &str, what: &'static str, at: Time) -> Option<Duration> {
        self.began.remove(&(machine.to_owned(), what)).map(|began| at.since(began))
    }
}

const FIRMWARE: &str = "firmware";
const FIRST: &str = "cloud-init-first";
const LATER: &str = "cloud-init-later";
const NETWORK: &str = "network";
const HAPROXY: &str = "haproxy";
const API: &str = "dataplaneapi";
const SHUTDOWN: &str = "shutdown";

/// What the log of a run in the docker world tells of how long things took: power, boots, calls, reloads, neighbour tables.
pub fn in_log(events: &[Event]) -> Measured {
    use TimingField as Field;
    let mut found = Measured::default();
    let mut open = Open::default();
    for event in events {
        let at = event.t_ns;
        match &event.kind {
            Kind::Call { address, began_ns, result, .. } => {
                if address.contains("vsphere.ShutdownGuest#") && result == "200" {
                    // The machine's name is not in a call: the one that goes off next is it.
                    open.begin("", SHUTDOWN, *began_ns);
                }
                if address.contains("dataplane.GET ") && result == "200" {
                    found.add(Field::Exchange, at.since(*began_ns));
                }
            }
            Kind::Task { task, method, state, .. } if method == "PowerOnVM_Task" => match state.as_str() {
                "running" => _ = open.tasks.insert(task.clone(), at),
                "success" => {
                    if let Some(began) = open.tasks.remove(task) {
                        found.add(Field::PowerOn, at.since(began));
                    }
                }
                _ => {}
            },
            Kind::PowerChanged { machine, power: Power::On } => open.begin(machine, FIRMWARE, at),
            Kind::PowerChanged { power: Power::Off, .. } => {
                if let Some(length) = open.end("", SHUTDOWN, at) {
                    found.add(Field::Shutdown, length);
                }
            }
            Kind::Service { machine, service, state, detail } => match (service.as_str(), state.as_str()) {
                ("cloud-init", "starting") => {
                    if let Some(length) = open.end(machine, FIRMWARE, at) {
                        found.add(Field::Firmware, length);
                    }
                    open.begin(machine, if detail == "first boot" { FIRST } else { LATER }, at);
                }
                ("cloud-init", "running") => {
                    for (what, field) in [(FIRST, Field::CloudInitFirst), (LATER, Field::CloudInitLater)] {
                        if let Some(length) = open.end(machine, what, at) {
                            found.add(field, length);
                            open.begin(machine, NETWORK, at);
                        }
                    }
                }
                ("haproxy", "starting") => {
                    if let Some(length) = open.end(machine, NETWORK, at) {
                        found.add(Field::Network, length);
                    }
                    open.begin(machine, HAPROXY, at);
                }
                ("haproxy", "running") => {
                    if let Some(length) = open.end(machine, HAPROXY, at) {
                        found.add(Field::HaproxyStart, length);
                    }
                }
                ("haproxy", "reloaded") => open.begin(machine, RELOAD, at),
                ("dataplaneapi", "starting") => open.begin(machine, API, at),
                ("dataplaneapi", "running") => {
                    if let Some(length) = open.end(machine, API, at) {
                        found.add(Field::DataplaneapiStart, length);
                    }
                }
                _ => {}
            },
            // Both say that there is a new worker, and each says in its own way that it has loaded.
            Kind::GuestLog { machine, service, line } if service == "haproxy" && line.contains("New worker") => {
                if let Some(length) = open.end(machine, RELOAD, at) {
                    found.note(RELOAD, length);
                }
            }
            Kind::AddressOwners { owners, address, .. } if !address.ends_with("/32") => {
                if let [owner] = owners.as_slice() {
                    open.owned.insert(owner.clone(), at);
                }
            }
            Kind::Neighbour { owner: Some(owner), .. } => {
                if let Some(since) = open.owned.remove(owner) {
                    found.note(TAKEOVER, at.since(since));
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use grenadier_events::{Actor, VERSION};

    use super::*;

    fn at(ms: u64, kind: Kind) -> Event {
        Event { v: VERSION, t_ns: Time::from_ns(ms * 1_000_000), seq: ms, actor: Actor::World, kind }
    }

    fn service(ms: u64, service: &str, state: &str, detail: &str) -> Event {
        let (machine, detail) = ("haproxy".to_owned(), detail.to_owned());
        at(ms, Kind::Service { machine, service: service.to_owned(), state: state.to_owned(), detail })
    }

    fn power(ms: u64, power: Power) -> Event {
        at(ms, Kind::PowerChanged { machine: "haproxy".into(), power })
    }

    fn call(ms: u64, began: u64, address: &str) -> Event {
        let began_ns = Time::from_ns(began * 1_000_000);
        let (endpoint, result) = ("somewhere".to_owned(), "200".to_owned());
        at(ms, Kind::Call { address: address.to_owned(), endpoint, began_ns, result, fault: None })
    }

    fn task(ms: u64, state: &str) -> Event {
        let (task, method, target) = ("task-1".to_owned(), "PowerOnVM_Task".to_owned(), "haproxy".to_owned());
        at(ms, Kind::Task { task, method, target, state: state.to_owned(), error: None })
    }

    #[test]
    fn each_length_is_between_its_beginning_and_its_end() {
        let line = "[NOTICE] (28) : New worker (41) forked".to_owned();
        let log = [
            task(10, "queued"),
            task(20, "running"),
            power(490, Power::On),
            task(500, "success"),
            service(530, "cloud-init", "starting", "first boot"),
            service(560, "cloud-init", "running", ""),
            service(580, "haproxy", "starting", ""),
            service(630, "haproxy", "running", ""),
            service(631, "dataplaneapi", "starting", ""),
            service(633, "dataplaneapi", "running", ""),
            call(640, 634, "dataplane.GET /info#1"),
            service(700, "haproxy", "reloaded", ""),
            at(790, Kind::GuestLog { machine: "haproxy".into(), service: "haproxy".into(), line }),
            call(1001, 1000, "power-off-old/vsphere.ShutdownGuest#1"),
            power(1400, Power::Off),
            power(2000, Power::On),
            service(2010, "cloud-init", "starting", ""),
            service(2015, "cloud-init", "running", ""),
            at(
                3000,
                Kind::AddressOwners {
                    segment: "frontend".into(),
                    address: "198.18.2.16/28".into(),
                    owners: vec!["haproxy".into()],
                },
            ),
            at(
                3400,
                Kind::Neighbour {
                    client: "client".into(),
                    address: "198.18.2.20".into(),
                    owner: Some("haproxy".into()),
                },
            ),
        ];
        let found = in_log(&log);
        let told: BTreeMap<&str, Vec<u128>> = found
            .0
            .iter()
            .map(|(name, lengths)| (name.as_str(), lengths.iter().map(Duration::as_millis).collect()))
            .collect();
        let expected = [
            ("cloud-init-first", vec![30]),
            ("cloud-init-later", vec![5]),
            ("dataplaneapi-start", vec![2]),
            ("exchange", vec![6]),
            ("firmware", vec![40, 10]),
            ("haproxy-start", vec![50]),
            ("neighbour-takeover", vec![400]),
            ("network", vec![20]),
            ("power-on", vec![480]),
            ("reload", vec![90]),
            ("shutdown", vec![400]),
        ];
        assert_eq!(told, BTreeMap::from(expected));
    }

    #[test]
    fn the_median_of_what_was_measured_is_the_profile_s_and_a_reload_follows_on_its_delay() {
        let mut measured = Measured::default();
        for ms in [30, 10, 20] {
            measured.add(TimingField::PowerOn, Duration::from_millis(ms));
            measured.note(RELOAD, Duration::from_millis(ms));
        }
        let set = BTreeMap::from([
            (TimingField::ReloadDelay, Duration::from_millis(300)),
            (TimingField::Resync, Duration::from_millis(700)),
        ]);
        let machine = grenadier_fleet_docker::engine::EngineHost::default();
        let made = crate::Calibration::of("2026-11-22".into(), machine, 1, &measured, &set);
        let profile: Vec<(&str, &str)> =
            made.profile.iter().map(|(name, length)| (name.as_str(), length.as_str())).collect();
        assert_eq!(profile, [("power-on", "20ms"), ("reload-delay", "320ms"), ("resync", "700ms")]);
        let reload = made.lengths.last().unwrap();
        assert_eq!((reload.name.as_str(), reload.count, reload.median_ns), ("reload", 3, 20_000_000));
    }
}
