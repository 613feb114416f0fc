//! What probes cost and how exact they are, printed and not judged: `docs/figures.md` has the command and what it printed.

use std::time::Duration;

use bollard::Docker;
use grenadier_fleet::{Fleet, FleetEvent, MachineId, Observation, Operation, ProbeKind, ProberState, Watch, WatchId};

use crate::world::{NODE_IMAGE, World};

/// How many outages are made.
const OUTAGES: usize = 200;
/// How many samples are taken of each target, a thousand a second.
const SAMPLES: usize = 20_000;
/// The kernel's unit of processor time, of which there are so many in a second.
const TICKS_PER_S: f64 = 100.0;

/// Prints the figures, where there is an engine with the standard images.
pub(crate) fn print() -> std::process::ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("failed to start: {error}"));
    runtime.block_on(async {
        match grenadier_fleet_docker::engine::connect().await {
            Err(error) => println!("not covered: no Docker engine ({error})"),
            Ok(docker) => {
                bounds(docker.clone()).await;
                for kind in [ProbeKind::HttpNew, ProbeKind::HttpPinned, ProbeKind::Udp] {
                    cost(docker.clone(), kind).await;
                }
            }
        }
    });
    std::process::ExitCode::SUCCESS
}

async fn client(world: &mut World, number: u8) -> MachineId {
    let mut spec = world.spec("client", NODE_IMAGE, "client", &["frontend"]);
    let address = world.net(0, number, 24);
    spec.config.insert("guestinfo.client".into(), format!("{{\"address\":\"{address}\"}}"));
    let client = world.create(spec).await;
    world.boot(client).await;
    client
}

/// How far apart the bounds of an outage's length are, at a hundred samples a second.
async fn bounds(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let server = world.responder("server", "frontend", address, None);
    let server = world.create(server).await;
    world.boot(server).await;
    let client = client(&mut world, 33).await;
    let target = format!("{}:80", world.address(0, 10)).parse().expect("an address");
    let (kind, every, backends) = (ProbeKind::HttpNew, Duration::from_millis(10), Vec::new());
    let watch = world.fleet.watch(Watch { client, target, tls: false, kind, every, backends });
    let is_up = |event: &FleetEvent| matches!(event, FleetEvent::Watch { watch: other, observation: Observation::Up(_), .. } if *other == watch);
    let is_down = |event: &FleetEvent| matches!(event, FleetEvent::Watch { watch: other, observation: Observation::Down { .. }, .. } if *other == watch);
    let mut place = world.event(0, "an answer", is_up).await;
    let host = world.address(0, 10);
    let mut widths = Vec::new();
    for _ in 0..OUTAGES {
        // What the client is refused at once, on its own machine.
        world.sh("client", &format!("ip route add unreachable {host}/32")).await;
        let down = world.event(place, "an outage", is_down).await;
        world.sh("client", &format!("ip route del unreachable {host}/32")).await;
        place = world.event(down, "an answer", is_up).await;
        let (from, to) = (&world.events[down], &world.events[place]);
        if let (FleetEvent::Watch { earliest: a, latest: b, .. }, FleetEvent::Watch { earliest: c, latest: d, .. }) =
            (from, to)
        {
            let (upper, lower) = (*d - *a, c.as_ns().saturating_sub(b.as_ns()));
            widths.push(upper.saturating_sub(Duration::from_nanos(lower)));
        }
    }
    widths.sort();
    let at = |share: usize| widths[(widths.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    let (half, most, worst) = (at(50), at(99), at(100));
    println!(
        "bounds of {OUTAGES} outages, http-new every 10 ms: {half:.1} ms apart at the median, {most:.1} ms at p99, {worst:.1} ms at most"
    );
    world.end().await;
}

/// What a thousand samples a second on each of four targets cost.
async fn cost(docker: Docker, kind: ProbeKind) {
    let mut world = World::new(docker, &["frontend"]).await;
    let mut watches: Vec<WatchId> = Vec::new();
    for number in 10..14 {
        let address = world.net(0, number, 24);
        let server = world.responder(&format!("server-{number}"), "frontend", address, None);
        let server = world.create(server).await;
        world.boot(server).await;
    }
    let client = client(&mut world, 33).await;
    let used = |stat: &str| -> f64 {
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
        // utime and stime, fields 14 and 15 of proc_pid_stat(5).
        (ticks(11) + ticks(12)) / TICKS_PER_S
    };
    let before = (world.clock.now(), used(&world.sh("client", "cat /proc/1/stat").await));
    for number in 10..14 {
        let target = format!("{}:80", world.address(0, number)).parse().expect("an address");
        let (every, backends) = (Duration::from_millis(1), Vec::new());
        watches.push(world.fleet.watch(Watch { client, target, tls: false, kind, every, backends }));
    }
    let rows = |world: &World, watch: WatchId| {
        std::fs::read_to_string(world.fleet.samples_path(watch)).unwrap_or_default().lines().count()
    };
    while watches.iter().any(|watch| rows(&world, *watch) < SAMPLES) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.must(Operation::ReadFiles { machine: client }).await;
    }
    let after = (world.clock.now(), used(&world.sh("client", "cat /proc/1/stat").await));
    let cores = (after.1 - before.1) / (after.0 - before.0).as_secs_f64();
    println!("{}, 1000 samples a second on each of 4 targets: {cores:.2} cores", kind.name());
    for watch in watches {
        let from = world.events.len();
        world.fleet.unwatch(watch);
        let is_end = |event: &FleetEvent| matches!(event, FleetEvent::Prober { watch: other, now: ProberState::Stopped { .. } } if *other == watch);
        let place = world.event(from, "the prober to stop", is_end).await;
        let failures = world.events.iter().filter(|event| matches!(event, FleetEvent::Watch { watch: other, observation: Observation::Down { .. }, .. } if *other == watch)).count();
        if let FleetEvent::Prober { now: ProberState::Stopped { figures: Some(figures), .. }, .. } =
            &world.events[place]
        {
            let ms = |ns: u64| ns as f64 / 1e6;
            let (p99, worst) = (ms(figures.p99_late_ns), ms(figures.worst_late_ns));
            println!(
                "  {} of {} samples sent, {} late, p99 {p99:.2} ms, worst {worst:.2} ms; {failures} outages",
                figures.sent, figures.scheduled, figures.late
            );
        }
    }
    world.end().await;
}
