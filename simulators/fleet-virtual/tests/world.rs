//! What is true of the virtual world alone: exact outages, neighbour tables, one log for one seed. What every fleet promises
//! is tested by the fleet's contract.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use grenadier_clock::{Clock, Seed, TieBreak};
use grenadier_events::{Availability, Event, EventLog, Kind, ProberState};
use grenadier_fidelity::Ledger;
use grenadier_fleet::{
    Disk, DiskImage, GuestReport, Hardware, Host as Capacity, ImageHeader, Mac, MachineId, MachineSpec, Nic, Operation,
    OperationOutput, ProbeKind, Reconfiguration, SegmentSpec, TimingProfile, Watch,
};
use grenadier_fleet_virtual::{VirtualWorld, WorldConfig};
use grenadier_guest::{Answering, Guest, Host, Input, Listener};
use grenadier_wire::{Exchange, HttpExchange, Wire};

/// A guest that takes its address, an AnyIP range and a listener from its configuration.
#[derive(Clone)]
struct Node;

impl Guest for Node {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        match input {
            Input::Boot => {}
            Input::Reconfigured => {
                let request = http::Request::get("/").body(bytes::Bytes::new()).unwrap();
                let (endpoint, timeout) = (host.config("call").unwrap().to_owned(), Duration::from_secs(120));
                return host.call(1, Exchange::Http(HttpExchange { endpoint, tls: None, request, timeout }));
            }
            Input::Called { result, .. } => {
                let told = if result.is_ok() { "answered" } else { "failed" };
                let line = format!("{told} at {} s", host.now().as_ns() / 1_000_000_000);
                return host.write("/called", line.into()).unwrap();
            }
            _ => return,
        }
        if let Some(address) = host.config("address") {
            host.add_address(4000, address.parse().unwrap());
        }
        if let Some(range) = host.config("range") {
            host.add_local_route(range.parse().unwrap());
        }
        if let Some(port) = host.config("port") {
            let answering = Answering::Backend(host.machine().to_owned());
            host.listen(Listener { address: None, port: port.parse().unwrap(), certificate: None, answering });
        }
        host.report(GuestReport::Up);
    }

    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}

fn world(seed: u64, log: &EventLog) -> VirtualWorld {
    VirtualWorld::new(config(seed, log))
}

fn config(seed: u64, log: &EventLog) -> WorldConfig {
    let subnet = "198.18.2.0/24".parse().unwrap();
    WorldConfig {
        host: Capacity { cpus: 4, memory_mib: 8192, storage_mib: 100_000 },
        segments: vec![SegmentSpec { name: "frontend".into(), subnet }],
        timing: TimingProfile::reference(),
        seed: Seed(seed),
        ties: TieBreak::Insertion,
        cloud_endpoint: "vcenter.example:443".into(),
        guests: Box::new(|_, _| Some(Box::new(Node))),
        log: log.clone(),
        ledger: Ledger::default(),
    }
}

fn node(name: &str, number: u32, config: &[(&str, &str)]) -> MachineSpec {
    let header = ImageHeader {
        product: "node".into(),
        version: "1".into(),
        container: "none".into(),
        facts: BTreeMap::new(),
        payload_bytes: 0,
    };
    let bytes = header.encode();
    MachineSpec {
        name: name.into(),
        hardware: Hardware { cpus: 2, memory_mib: 4096 },
        nics: vec![Nic { key: 4000, segment: "frontend".into(), mac: Mac::vmware(number), connected: true }],
        disks: vec![Disk {
            key: 2000,
            path: format!("[LocalDS_0] {name}/{name}.vmdk"),
            capacity_mib: 20_000,
            image: Some(Arc::new(DiskImage { header, bytes })),
        }],
        config: config.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        record: BTreeMap::new(),
        hosted: true,
    }
}

async fn started(world: &VirtualWorld, spec: MachineSpec) -> MachineId {
    let (id, created) = world.create(spec);
    created.await.unwrap();
    world.perform(Operation::PowerOn { machine: id }).await.unwrap();
    world.sleep(Duration::from_secs(10)).await;
    id
}

fn watch(client: MachineId, kind: ProbeKind) -> Watch {
    let target = "198.18.2.20:443".parse().unwrap();
    Watch { client, target, tls: false, kind, every: Duration::from_millis(10), backends: Vec::new() }
}

fn client() -> MachineSpec {
    MachineSpec { hosted: false, ..node("client", 9, &[("address", "198.18.2.9/24")]) }
}

fn server(name: &str, number: u32) -> MachineSpec {
    node(name, number, &[("range", "198.18.2.16/28"), ("port", "443")])
}

fn ups_and_downs(events: &[Event]) -> Vec<(u64, bool)> {
    let seen = |event: &Event| match &event.kind {
        Kind::Availability { now, .. } => Some((event.t_ns.as_ns(), matches!(now, Availability::Up(_)))),
        _ => None,
    };
    events.iter().filter_map(seen).collect()
}

#[test]
fn a_swap_is_seen_only_when_the_client_gives_up_the_old_neighbour() {
    let log = EventLog::default();
    let world = world(1, &log);
    let (off_at, on_at) = world.block_on(async {
        let old = started(&world, server("old", 1)).await;
        let client = started(&world, client()).await;
        world.watch(watch(client, ProbeKind::HttpNew), "shop", "client");
        world.sleep(Duration::from_secs(60)).await;
        world.perform(Operation::PowerOff { machine: old }).await.unwrap();
        let off_at = world.now();
        started(&world, server("new", 2)).await;
        let on_at = world.now();
        world.sleep(Duration::from_secs(120)).await;
        (off_at, on_at)
    });
    let seen = log.with(ups_and_downs);
    assert_eq!(seen.iter().map(|(_, up)| *up).collect::<Vec<_>>(), [true, false, true], "{seen:?}");
    assert_eq!(seen[1].0, off_at.as_ns(), "the outage begins at power-off, exactly");
    assert!(seen[2].0 > on_at.as_ns() - 10_000_000_000, "it cannot end before the new one is up");
    let outage = Duration::from_nanos(seen[2].0 - seen[1].0);
    let timing = TimingProfile::reference();
    assert!(outage <= timing.neighbour_reachable_high + timing.neighbour_probe, "{outage:?}");
    assert!(outage >= timing.neighbour_probe, "{outage:?}");
}

#[test]
fn two_owners_are_told_and_clients_differ() {
    let winners = |seed| {
        let log = EventLog::default();
        let world = world(seed, &log);
        world.block_on(async {
            started(&world, server("old", 1)).await;
            started(&world, server("new", 2)).await;
            let client = started(&world, client()).await;
            world.watch(watch(client, ProbeKind::HttpNew), "shop", "client");
            world.sleep(Duration::from_secs(600)).await;
        });
        let fights = |events: &[Event]| {
            events.iter().any(|event| matches!(&event.kind, Kind::AddressOwners { owners, .. } if owners.len() == 2))
        };
        assert!(log.with(fights), "two machines claim the range");
        let owners = |events: &[Event]| -> Vec<String> {
            let owner = |event: &Event| match &event.kind {
                Kind::Neighbour { owner: Some(owner), .. } => Some(owner.clone()),
                _ => None,
            };
            events.iter().filter_map(owner).collect()
        };
        log.with(owners)
    };
    let first = winners(1);
    assert!(first.windows(2).any(|pair| pair[0] != pair[1]), "answers flap: {first:?}");
    assert_ne!(first, winners(2), "and not alike for every seed");
}

#[test]
fn a_kept_connection_breaks_even_where_new_ones_never_fail() {
    let log = EventLog::default();
    let world = world(1, &log);
    world.block_on(async {
        let old = started(&world, server("old", 1)).await;
        let client = started(&world, client()).await;
        world.watch(watch(client, ProbeKind::HttpPinned), "shop", "client");
        world.sleep(Duration::from_secs(1)).await;
        world.perform(Operation::Reset { machine: old }).await.unwrap();
        world.sleep(Duration::from_secs(100)).await;
    });
    let seen = log.with(ups_and_downs);
    assert!(seen.len() >= 3 && !seen[1].1 && seen.last().unwrap().1, "{seen:?}");
}

/// A server that a client watches is replaced by another at the same address. Gives the client.
async fn swapped(world: &VirtualWorld) -> MachineId {
    let old = started(world, server("old", 1)).await;
    let client = started(world, client()).await;
    world.watch(watch(client, ProbeKind::HttpNew), "shop", "client");
    world.perform(Operation::PowerOff { machine: old }).await.unwrap();
    started(world, server("new", 2)).await;
    client
}

/// When a call that a client makes right after its server was replaced comes back, in seconds from then.
fn call_across_a_swap(ledger: Ledger) -> (String, u64) {
    let log = EventLog::default();
    let world = VirtualWorld::new(WorldConfig { ledger, ..config(1, &log) });
    world.use_wire(Wire::new(Vec::new(), Arc::new(world.clone()), log));
    world.block_on(async {
        let client = swapped(&world).await;
        let config = BTreeMap::from([("call".to_owned(), "198.18.2.20:443".to_owned())]);
        let change = Reconfiguration { config, ..Reconfiguration::default() };
        world.perform(Operation::Reconfigure { machine: client, change }).await.unwrap();
        let called = world.now().as_ns() / 1_000_000_000;
        world.sleep(Duration::from_secs(200)).await;
        let Ok(OperationOutput::Files(files)) = world.perform(Operation::ReadFiles { machine: client }).await else {
            panic!("no files")
        };
        (String::from_utf8(files["/called"].to_vec()).unwrap(), called)
    })
}

#[test]
fn a_connection_to_a_silent_machine_is_asked_for_again() {
    let (told, called) = call_across_a_swap(Ledger::default());
    // Somebody answers once the neighbour entry is given up, and then at the next retransmission.
    let answered = [1, 3, 7, 15, 31, 63].map(|after| format!("answered at {} s", called + after));
    assert!(answered.contains(&told), "{told}, called at {called} s");
    let (told, called) = call_across_a_swap(Ledger::overturning(["connections-are-asked-for-again".to_owned()]));
    assert_eq!(told, format!("failed at {} s", called + 120));
}

fn reasons(events: &[Event]) -> Vec<Option<String>> {
    let seen = |event: &Event| match &event.kind {
        Kind::Availability { now: Availability::Up(_), .. } => Some(None),
        Kind::Availability { now: Availability::Down { reason, .. }, .. } => Some(Some(reason.clone())),
        _ => None,
    };
    events.iter().filter_map(seen).collect()
}

#[test]
fn a_stream_breaks_as_a_kept_connection_does() {
    let log = EventLog::default();
    let world = world(1, &log);
    world.block_on(async {
        let old = started(&world, server("old", 1)).await;
        let client = started(&world, client()).await;
        world.watch(watch(client, ProbeKind::TcpStream), "shop", "client");
        world.sleep(Duration::from_secs(1)).await;
        world.perform(Operation::Reset { machine: old }).await.unwrap();
        world.sleep(Duration::from_secs(100)).await;
    });
    let seen = log.with(ups_and_downs);
    assert!(seen.len() >= 3 && !seen[1].1 && seen.last().unwrap().1, "{seen:?}");
}

#[test]
fn whoever_answers_for_an_address_is_seen_and_two_are_a_fight() {
    let log = EventLog::default();
    let world = world(1, &log);
    world.block_on(async {
        let client = started(&world, client()).await;
        world.watch(watch(client, ProbeKind::Arp), "shop", "client");
        let old = started(&world, server("old", 1)).await;
        let new = started(&world, server("new", 2)).await;
        world.perform(Operation::PowerOff { machine: old }).await.unwrap();
        world.perform(Operation::PowerOff { machine: new }).await.unwrap();
    });
    let nobody = Some("nobody on frontend answers ARP for 198.18.2.20".to_owned());
    let both = Some("new and old all answer for it".to_owned());
    assert_eq!(log.with(reasons), [nobody.clone(), None, both, None, nobody]);
}

#[test]
fn what_shows_no_certificate_speaks_no_tls() {
    let log = EventLog::default();
    let world = world(1, &log);
    world.block_on(async {
        let client = started(&world, client()).await;
        started(&world, server("old", 1)).await;
        world.watch(watch(client, ProbeKind::Tls), "shop", "client");
    });
    assert_eq!(log.with(reasons), [Some("old shows no certificate at 198.18.2.20:443".to_owned())]);
}

#[test]
fn datagrams_are_not_covered_and_said_to_be() {
    let log = EventLog::default();
    let world = world(1, &log);
    world.block_on(async {
        let client = started(&world, client()).await;
        world.watch(watch(client, ProbeKind::Udp), "shop", "client");
    });
    let told = |events: &[Event]| -> Vec<ProberState> {
        let told = |event: &Event| match &event.kind {
            Kind::Prober { probe: grenadier_events::ProbeKind::Udp, now, .. } => Some(now.clone()),
            _ => None,
        };
        events.iter().filter_map(told).collect()
    };
    let reason = "the virtual world has no datagrams".to_owned();
    assert_eq!(log.with(told), [ProberState::NotCovered { reason }]);
    assert_eq!(log.with(reasons), []);
}

#[test]
fn one_seed_one_log() {
    let run = |seed: u64| {
        let log = EventLog::default();
        let world = world(seed, &log);
        world.block_on(async {
            swapped(&world).await;
            world.sleep(Duration::from_secs(120)).await;
        });
        log.hash()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_world_that_gave_its_wire_up_is_freed() {
    let token = Arc::new(());
    let held = Arc::downgrade(&token);
    let log = EventLog::default();
    let world = VirtualWorld::new(WorldConfig {
        guests: Box::new(move |_, _| {
            let _held = &token;
            None
        }),
        ..config(1, &log)
    });
    world.use_wire(Wire::new(Vec::new(), Arc::new(world.clone()), log));
    world.release_wire();
    drop(world);
    assert!(held.upgrade().is_none(), "something still holds the world");
}
