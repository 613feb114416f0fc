//! Whether probes can be trusted: real faults of networks and backends, and what each kind of probe says about them.
//!
//! Each fault is begun, waited for until every probe that must see it has seen it, and ended. What a probe says must be of the
//! right class, and its bounds must contain the fault: it began no later than when the fault was surely there and ended no
//! earlier than when the fault was surely still there. A canary outside sees nothing of it all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bollard::Docker;
use grenadier_agent::protocol::SampleRow;
use grenadier_clock::Time;
use grenadier_fleet::{
    FailureClass, Fleet, FleetEvent, Mac, MachineId, MachineSpec, Observation, Operation, ProbeKind, ProberState,
    Reconfiguration, Watch, WatchId,
};

use crate::faulty::{FAULTY, IN_MOOD, MOOD, Shown, Wish};
use crate::world::{DEADLINE, NODE_IMAGE, World};

const EVERY: Duration = Duration::from_millis(10);

/// A sample's patience: so much later a kept connection may feel what has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Waits until the server has no socket at its ports, for ten seconds at most.
const NOBODY_LISTENS: &str = "for i in $(seq 1000); do \
    ss -tunaH exclude time-wait '( sport = :80 or sport = :443 )' | grep -q . || exit 0; sleep 0.01; done; exit 1";

/// How a fault is made.
#[derive(Clone, Copy)]
enum Fault {
    /// The server serves badly, or not at all.
    Mood(&'static str),
    /// Commands in the server's shell, for the beginning and the end.
    Server(&'static str, &'static str),
    /// The server's ends of all connections are broken off, once.
    Broken,
    /// Another machine answers for the address as well.
    Duplicate,
    /// Another machine has the address as well, and the clients' tables lead there.
    Diverted,
}

/// What a probe must say.
struct Row {
    kind: ProbeKind,
    port: u16,
    class: FailureClass,
    /// Whether what it sees ends with the fault, and not when it has a new connection.
    lasts: bool,
}

/// Rows for what lasts as long as the fault, at the port of the kind.
fn lasting(class: FailureClass, kinds: &[ProbeKind]) -> Vec<Row> {
    let port = |kind: ProbeKind| if kind == ProbeKind::Tls { 443 } else { 80 };
    kinds.iter().map(|kind| Row { kind: *kind, port: port(*kind), class, lasts: true }).collect()
}

/// The same at the port at which the server serves the bytes itself.
fn served(class: FailureClass, kinds: &[ProbeKind]) -> Vec<Row> {
    lasting(class, kinds).into_iter().map(|row| Row { port: 81, ..row }).collect()
}

/// The same for what a new connection has ended.
fn once(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().map(|row| Row { lasts: false, ..row }).collect()
}

/// Every fault, and what each kind of probe that it concerns must say.
fn table() -> Vec<(&'static str, Fault, Vec<Row>)> {
    use FailureClass::*;
    use ProbeKind::*;
    // A queue that takes no packet drops all that the server sends, ARP among it.
    let drop =
        Fault::Server("tc qdisc add dev eth0 root tbf rate 1kbit burst 10 limit 10", "tc qdisc del dev eth0 root");
    // The server takes packets and its answers lead nowhere; ARP goes on.
    let black_hole =
        Fault::Server("ip route add blackhole CLIENTS table 7 && ip rule add pref 1 lookup 7", "ip rule del pref 1");
    let kept = &[HttpPinned, TcpStream];
    let streams = &[HttpNew, HttpPinned, TcpStream];
    let ports = &[HttpNew, HttpPinned, TcpStream, Tls, Udp];
    vec![
        ("drop", drop, lasting(Silent, &[HttpNew, HttpPinned, TcpStream, Tls, Udp, Arp])),
        ("black hole", black_hole, lasting(Silent, ports)),
        ("nobody listens", Fault::Mood("refuse"), lasting(Refused, ports)),
        ("delay", Fault::Mood("slow"), served(Late, streams)),
        ("reset", Fault::Mood("reset"), served(Reset, streams)),
        ("one reset", Fault::Broken, once(lasting(Reset, kept))),
        ("stall", Fault::Mood("hang"), once(served(Stalled, kept))),
        ("body cut after the headers", Fault::Mood("cut"), served(CutShort, streams)),
        ("wrong backend", Fault::Mood("impostor"), served(WrongBackend, &[HttpNew, HttpPinned])),
        ("bytes lost", Fault::Mood("lose"), once(served(BytesLost, &[TcpStream]))),
        ("bytes repeated", Fault::Mood("repeat"), once(served(BytesRepeated, &[TcpStream]))),
        ("duplicate address", Fault::Duplicate, lasting(DuplicateAddress, &[Arp])),
        ("duplicate address, and the client believes the other", Fault::Diverted, lasting(WrongBackend, streams)),
    ]
}

/// A server, one that has its address as well and is off, a canary, and three clients.
struct Lab {
    world: World,
    server: MachineId,
    impostor: MachineId,
    clients: Vec<MachineId>,
    vip: String,
    pins: (String, String),
    macs: (Mac, Mac),
}

const SERVER: u8 = 10;
const IMPOSTOR: u8 = 11;
const CANARY: u8 = 20;
const CLIENTS: [u8; 3] = [33, 34, 35];

impl Lab {
    async fn new(docker: Docker) -> Lab {
        let mut world = World::new(docker, &["frontend"]).await;
        let (usual, other) = (shown(), shown());
        let pins = (usual.pin.clone(), other.pin.clone());
        let certificates = Some((usual, other));
        let server = faulty(&mut world, "server", SERVER, certificates.clone());
        let impostor = faulty(&mut world, "impostor", IMPOSTOR, certificates);
        let macs = (server.nics[0].mac, impostor.nics[0].mac);
        let canary_at = world.net(0, CANARY, 24);
        let canary = world.responder("canary", "frontend", canary_at, None);
        let (server, impostor) = (world.create(server).await, world.create(impostor).await);
        let canary = world.create(canary).await;
        world.boot(server).await;
        world.boot(canary).await;
        let vip = world.address(0, 70);
        let mut clients = Vec::new();
        for number in CLIENTS {
            let mut spec = world.spec(&format!("client-{number}"), NODE_IMAGE, "client", &["frontend"]);
            let address = world.net(0, number, 24);
            spec.config.insert("guestinfo.client".into(), format!("{{\"address\":\"{address}\"}}"));
            let client = world.create(spec).await;
            world.boot(client).await;
            clients.push(client);
        }
        let lab = Lab { world, server, impostor, clients, vip, pins, macs };
        // What is tested here is not how long a neighbour table remembers.
        for number in CLIENTS {
            lab.lead(number, lab.macs.0).await;
            let server = lab.world.address(0, SERVER);
            lab.world.sh(&lab.world.address(0, number), &neighbour(&server, lab.macs.0)).await;
        }
        lab
    }

    /// Makes a client take this machine for the owner of the address.
    async fn lead(&self, client: u8, mac: Mac) {
        self.world.sh(&self.world.address(0, client), &neighbour(&self.vip, mac)).await;
    }

    fn now(&self) -> Time {
        self.world.clock.now()
    }

    /// Where a kind of probe looks: a datagram is answered from the machine's own address.
    fn target(&self, kind: ProbeKind, port: u16) -> SocketAddr {
        let address = if kind == ProbeKind::Udp { self.world.address(0, SERVER) } else { self.vip.clone() };
        format!("{address}:{port}").parse().expect("an address")
    }

    fn watch(&mut self, client: MachineId, target: SocketAddr, kind: ProbeKind, backend: &str) -> WatchId {
        let backends = vec![backend.to_owned()];
        self.world.fleet.watch(Watch { client, target, tls: false, kind, every: EVERY, backends })
    }

    async fn mood(&mut self, mood: &str) {
        let from = self.world.events.len();
        let machine = self.server;
        let config = BTreeMap::from([(MOOD.to_owned(), mood.to_owned())]);
        let change = Reconfiguration { config, ..Reconfiguration::default() };
        self.world.must(Operation::Reconfigure { machine, change }).await;
        let is_there = |event: &FleetEvent| matches!(event, FleetEvent::Guest { machine: other, report: grenadier_fleet::GuestReport::Config { key } } if *other == machine && key == IN_MOOD);
        self.world.event(from, "the server's mood", is_there).await;
        if mood == "refuse" {
            // A guest that closes its sockets has told them to close. Nobody listens once the kernel has none of them any more.
            self.on_server(NOBODY_LISTENS).await;
        }
    }

    async fn on_server(&self, command: &str) {
        // Clients are .32 to .47, so that a rule about them leaves others alone.
        let clients = format!("{}/28", self.world.address(0, 32));
        self.world.sh(&self.world.address(0, SERVER), &command.replace("CLIENTS", &clients)).await;
    }

    async fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::Mood(mood) => self.mood(mood).await,
            Fault::Server(begin, _) => self.on_server(begin).await,
            Fault::Broken => self.on_server("ss -K state established dst CLIENTS > /dev/null").await,
            Fault::Duplicate => self.world.boot(self.impostor).await,
            Fault::Diverted => {
                for client in CLIENTS {
                    self.lead(client, self.macs.1).await;
                }
            }
        }
    }

    async fn end(&mut self, fault: Fault) {
        match fault {
            Fault::Mood(_) => self.mood("").await,
            Fault::Server(_, end) => self.on_server(end).await,
            Fault::Broken => {}
            Fault::Duplicate => {
                self.world.must(Operation::PowerOff { machine: self.impostor }).await;
            }
            Fault::Diverted => {
                for client in CLIENTS {
                    self.lead(client, self.macs.0).await;
                }
            }
        }
    }

    /// What a watch saw from an event on: bounds and what, in order.
    fn seen(&self, from: usize, watch: WatchId) -> Vec<(Time, Time, Observation)> {
        let of_watch = |event: &FleetEvent| match event {
            FleetEvent::Watch { watch: other, earliest, latest, observation } if *other == watch => {
                Some((*earliest, *latest, observation.clone()))
            }
            _ => None,
        };
        self.world.events[from..].iter().filter_map(of_watch).collect()
    }

    async fn wait(&mut self, from: usize, watch: WatchId, what: &str, wanted: impl Fn(&Observation) -> bool) -> usize {
        let is = |event: &FleetEvent| matches!(event, FleetEvent::Watch { watch: other, observation, .. } if *other == watch && wanted(observation));
        self.world.event(from, what, is).await
    }

    /// Waits for the first sample that was begun after this moment and found something out: more than silence, where that may
    /// hide what is the matter.
    async fn sample(&mut self, watch: WatchId, after: Time, is_silenced: bool) -> SampleRow {
        let path = self.world.fleet.samples_path(watch);
        let found = |row: &SampleRow| match row.class {
            Some(FailureClass::Silent) => !is_silenced,
            Some(_) => true,
            None => row.by.is_some(),
        };
        let told = |row: &SampleRow| row.began_ns > after && found(row);
        let began = Instant::now();
        loop {
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            let mut rows = kept.lines().map(|line| serde_json::from_str(line).expect("a sample a line"));
            if let Some(row) = rows.find(told) {
                return row;
            }
            assert!(began.elapsed() < DEADLINE, "no sample after {after} in {}", path.display());
            // Samples make no event; they come with whatever the fleet takes next.
            let _nothing_came = tokio::time::timeout(Duration::from_millis(20), self.world.take()).await;
        }
    }

    /// Ends a watch; the last that its prober tells of itself.
    async fn stop(&mut self, watch: WatchId) -> ProberState {
        let from = self.world.events.len();
        self.world.fleet.unwatch(watch);
        let is = |event: &FleetEvent| matches!(event, FleetEvent::Prober { watch: other, now: ProberState::Stopped { .. } } if *other == watch);
        let place = self.world.event(from, "the prober to stop", is).await;
        match &self.world.events[place] {
            FleetEvent::Prober { now, .. } => now.clone(),
            other => unreachable!("{other:?}"),
        }
    }
}

fn neighbour(address: &str, mac: Mac) -> String {
    format!("ip neighbour replace {address} lladdr {mac} nud permanent dev eth0")
}

fn shown() -> Shown {
    let made = rcgen::generate_simple_self_signed(vec!["server.example".to_owned()]);
    let made = made.expect("a self-signed certificate needs nothing but randomness");
    let pin = grenadier_carriers::fingerprint(made.cert.der());
    Shown { chain: made.cert.pem(), key: made.signing_key.serialize_pem(), pin }
}

fn faulty(world: &mut World, name: &str, number: u8, certificates: Option<(Shown, Shown)>) -> MachineSpec {
    let mut spec = world.spec(name, NODE_IMAGE, FAULTY, &["frontend"]);
    let (address, range) = (world.net(0, number, 24), Some(world.net(0, 64, 28)));
    let wish = Wish { name: name.to_owned(), address, range, certificates };
    spec.config.insert(FAULTY.to_owned(), serde_json::to_string(&wish).expect("plain fields"));
    spec
}

fn up(observation: &Observation) -> bool {
    matches!(observation, Observation::Up(_))
}

fn down(observation: &Observation) -> bool {
    matches!(observation, Observation::Down { .. })
}

/// Every fault is told by its class, within bounds that contain it, and by nobody outside.
pub(crate) async fn every_fault(docker: Docker) {
    let mut lab = Lab::new(docker).await;
    let canary_at = format!("{}:80", lab.world.address(0, CANARY)).parse().expect("an address");
    let canary = lab.watch(lab.clients[0], canary_at, ProbeKind::HttpNew, "canary");
    lab.wait(0, canary, "the canary to answer", up).await;
    for (name, fault, rows) in table() {
        if let Fault::Diverted = fault {
            lab.world.boot(lab.impostor).await;
        }
        try_fault(&mut lab, name, fault, &rows).await;
    }
    let sorry: Vec<_> = lab.seen(0, canary).into_iter().filter(|(_, _, seen)| down(seen)).collect();
    assert!(sorry.is_empty(), "the canary had no fault: {sorry:#?}");
    lab.world.end().await;
}

/// Whether not every sample is told what is the matter: a kernel says once a second that a port is closed for datagrams, and is
/// silent in between [icmp(7), `icmp_ratelimit`].
fn is_silenced(row: &Row) -> bool {
    row.kind == ProbeKind::Udp && row.class == FailureClass::Refused
}

async fn try_fault(lab: &mut Lab, name: &str, fault: Fault, rows: &[Row]) {
    let start = lab.world.events.len();
    // Each kind has a client of its own, as far as there are some.
    let clients: Vec<MachineId> = lab.clients.iter().copied().cycle().take(rows.len()).collect();
    let mut watches = Vec::new();
    for (row, client) in rows.iter().zip(clients) {
        let watch = lab.watch(client, lab.target(row.kind, row.port), row.kind, "server");
        watches.push((row, watch));
    }
    for (row, watch) in &watches {
        lab.wait(start, *watch, &format!("{name}: {} to see the server", row.kind.name()), up).await;
    }
    let from = lab.world.events.len();
    let before = lab.now();
    lab.begin(fault).await;
    let surely = lab.now();
    for (row, watch) in &watches {
        lab.wait(from, *watch, &format!("{name}: {} to notice", row.kind.name()), down).await;
        if row.lasts {
            // What noticed may have been on its way while the fault was made, and have been lost in another way.
            let sample = lab.sample(*watch, surely, is_silenced(row)).await;
            assert_eq!(sample.class, Some(row.class), "{name}, {}: {sample:?}", row.kind.name());
        }
    }
    let still = lab.now();
    lab.end(fault).await;
    let over = lab.now();
    for (row, watch) in &watches {
        let told = format!("{name}: {} to see the server again", row.kind.name());
        let mut place = lab.wait(from, *watch, &told, down).await;
        // Between two failures it may have been answered once.
        loop {
            place = lab.wait(place + 1, *watch, &told, up).await;
            match &lab.world.events[place] {
                FleetEvent::Watch { latest, .. } if row.lasts && *latest < still => {}
                _ => break,
            }
        }
    }
    for (row, watch) in &watches {
        let seen = lab.seen(from, *watch);
        let context =
            format!("{name}, {}: fault from {before}..{surely} to {still}..{over}: {seen:#?}", row.kind.name());
        let first = seen.iter().find(|(_, _, seen)| down(seen)).expect("it was waited for");
        let last = seen.iter().rfind(|(_, _, seen)| up(seen)).expect("it was waited for");
        let Observation::Down { class, .. } = &first.2 else { unreachable!("just matched") };
        assert!(row.lasts || *class == Some(row.class), "{context}");
        // What strikes once strikes with the next sample.
        let begun = if row.lasts { surely } else { still };
        assert!(first.0 <= begun && first.1 + PATIENCE >= before, "it begins with the fault: {context}");
        if row.lasts {
            assert!(still <= last.1, "it lasts as long as the fault: {context}");
        }
        let after = if row.kind.keeps_a_connection() { PATIENCE } else { Duration::ZERO };
        assert!(last.0 <= over + after, "it ends with the fault: {context}");
        println!("{name}, {}: {} to {}, fault from {before} to {over}", row.kind.name(), first.0, last.1);
    }
    for (_, watch) in watches {
        let ProberState::Stopped { figures: Some(figures), reason: None, .. } = lab.stop(watch).await else {
            panic!("{name}: a prober that is told to stop says how it kept its schedule")
        };
        let gaps: u64 = lab.world.events[start..]
            .iter()
            .filter_map(|event| match event {
                FleetEvent::Prober { watch: other, now: ProberState::Gap { missed, .. } } if *other == watch => {
                    Some(*missed)
                }
                _ => None,
            })
            .sum();
        assert!(figures.sent + gaps >= figures.scheduled, "{figures:?}, {gaps} in gaps");
    }
}

/// A new certificate is a change of its own, not an outage.
pub(crate) async fn other_certificate(docker: Docker) {
    let mut lab = Lab::new(docker).await;
    let target = lab.target(ProbeKind::Tls, 443);
    let watch = lab.watch(lab.clients[0], target, ProbeKind::Tls, "server");
    let (usual, other) = lab.pins.clone();
    let shows = |pin: String| move |seen: &Observation| matches!(seen, Observation::Up(served) if served.certificate.as_ref() == Some(&pin) && served.chain.is_empty());
    let place = lab.wait(0, watch, "the usual certificate", shows(usual)).await;
    let before = lab.now();
    lab.mood("other-certificate").await;
    lab.wait(place, watch, "the other certificate", shows(other)).await;
    let (earliest, latest, _) = lab.seen(place, watch).pop().expect("it was waited for");
    assert!(before <= latest && earliest <= latest, "{before}: {earliest} to {latest}");
    // What listens at port 80 speaks no TLS.
    let target = lab.target(ProbeKind::Tls, 81);
    let watch = lab.watch(lab.clients[0], target, ProbeKind::Tls, "server");
    let no_tls = |seen: &Observation| {
        matches!(seen, Observation::Down { class: Some(FailureClass::Handshake | FailureClass::Silent), .. })
    };
    lab.wait(0, watch, "a failed handshake", no_tls).await;
    lab.world.end().await;
}

/// How many samples find nothing where there is nothing.
const ENOUGH: usize = 10_000;

/// Without a fault no kind sees one.
pub(crate) async fn no_fault(docker: Docker) {
    let mut lab = Lab::new(docker).await;
    let mut watches = Vec::new();
    for (number, (kind, port)) in [
        (ProbeKind::HttpNew, 80),
        (ProbeKind::HttpPinned, 80),
        (ProbeKind::TcpStream, 80),
        (ProbeKind::Tls, 443),
        (ProbeKind::Udp, 80),
        (ProbeKind::Arp, 80),
    ]
    .into_iter()
    .enumerate()
    {
        let (client, target) = (lab.clients[number % lab.clients.len()], lab.target(kind, port));
        watches.push((kind, lab.watch(client, target, kind, "server")));
    }
    let samples = |lab: &Lab| -> usize {
        let lines = |watch| std::fs::read_to_string(lab.world.fleet.samples_path(watch)).unwrap_or_default();
        watches.iter().map(|(_, watch)| lines(*watch).lines().count()).sum()
    };
    while samples(&lab) < ENOUGH {
        lab.world.must(Operation::ReadState { machine: lab.server }).await;
    }
    for (kind, watch) in &watches {
        let seen = lab.seen(0, *watch);
        assert!(seen.iter().all(|(_, _, seen)| up(seen)), "{} saw an outage: {seen:#?}", kind.name());
        assert!(!seen.is_empty(), "{} saw nothing at all", kind.name());
        println!("{}: {:?}", kind.name(), lab.stop(*watch).await);
    }
    lab.world.end().await;
}
