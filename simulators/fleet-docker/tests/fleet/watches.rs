//! What probes see.

use std::time::Duration;

use bollard::Docker;
use grenadier_agent::protocol::SampleRow;
use grenadier_clock::Time;
use grenadier_fleet::{
    Fleet, FleetEvent, MachineId, MachineSpec, Observation, Operation, ProbeKind, ProberState, Watch, WatchId,
};

use crate::world::World;

const EVERY: Duration = Duration::from_millis(10);

/// Two owners of one range, the second one off, and a client that notices a new owner soon.
async fn swap(world: &mut World) -> (MachineId, MachineId, MachineId) {
    let range = world.net(0, 64, 28);
    let (first, second, third) = (world.net(0, 10, 24), world.net(0, 11, 24), world.net(0, 12, 24));
    let old = world.responder("old", "frontend", first, Some(range));
    let new = world.responder("new", "frontend", second, Some(range));
    let client = client(world, third);
    let (old, new, client) = (world.create(old).await, world.create(new).await, world.create(client).await);
    world.boot(old).await;
    world.boot(client).await;
    (old, new, client)
}

fn client(world: &mut World, address: ipnet::IpNet) -> MachineSpec {
    let mut spec = world.spec("client", crate::world::NODE_IMAGE, "client", &["frontend"]);
    spec.config.insert("guestinfo.client".into(), format!("{{\"address\":\"{address}\"}}"));
    let timers = r#"{"base-reachable-ms":1000,"delay-probe-ms":100,"retrans-ms":100}"#;
    spec.config.insert("guestinfo.neighbour".into(), timers.into());
    spec
}

async fn seen(
    world: &mut World,
    from: usize,
    watch: WatchId,
    what: &str,
    wanted: impl Fn(&Observation) -> bool,
) -> (usize, Time, Time) {
    let is = |event: &FleetEvent| matches!(event, FleetEvent::Watch { watch: other, observation, .. } if *other == watch && wanted(observation));
    let place = world.event(from, what, is).await;
    match &world.events[place] {
        FleetEvent::Watch { earliest, latest, .. } => (place, *earliest, *latest),
        other => unreachable!("{other:?}"),
    }
}

fn up_by(name: &'static str) -> impl Fn(&Observation) -> bool {
    move |observation| matches!(observation, Observation::Up(served) if served.backends == [name])
}

fn down(observation: &Observation) -> bool {
    matches!(observation, Observation::Down { .. })
}

pub(crate) async fn outage_at_kill(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let (old, new, client) = swap(&mut world).await;
    let target = format!("{}:80", world.address(0, 70)).parse().expect("an address");
    let watch = world.fleet.watch(Watch {
        client,
        target,
        tls: false,
        kind: ProbeKind::HttpNew,
        every: EVERY,
        backends: Vec::new(),
    });
    let (place, _, _) = seen(&mut world, 0, watch, "the old one to answer", up_by("old")).await;
    let owner_is = |wanted| move |event: &FleetEvent| matches!(event, FleetEvent::Neighbour { owner, .. } if *owner == Some(wanted));
    world.event(0, "the client to know the old owner", owner_is(old)).await;

    let swapped = world.events.len();
    world.must(Operation::PowerOff { machine: old }).await;
    world.must(Operation::PowerOn { machine: new }).await;
    let (place, down_earliest, down_latest) = seen(&mut world, place, watch, "an outage", down).await;
    assert!(
        down_earliest < down_latest && down_latest - down_earliest < Duration::from_millis(500),
        "{down_earliest} {down_latest}"
    );
    let (place, up_earliest, up_latest) = seen(&mut world, place, watch, "the new one to answer", up_by("new")).await;
    let most = up_latest - down_earliest;
    let least = up_earliest - down_latest;
    assert!(least < most && most < Duration::from_secs(20), "between {least:?} and {most:?}");
    assert!(least > Duration::from_millis(100), "a container does not start faster: {least:?}");
    world.event(swapped, "the client to know the new owner", owner_is(new)).await;

    // Rows come a moment after what they show.
    let answered_by = |rows: &[SampleRow], name: &str| rows.iter().any(|row| row.by.as_deref() == Some(name));
    while !answered_by(&samples(&world, watch), "new") {
        world.must(Operation::ReadState { machine: client }).await;
    }
    world.must(Operation::PowerOff { machine: client }).await;
    let lost = |event: &FleetEvent| matches!(event, FleetEvent::Prober { watch: other, now: ProberState::Stopped { at_ns, reason: Some(_), .. } } if *other == watch && up_latest <= *at_ns);
    let place = world.event(place, "the prober to be lost", lost).await;
    let rows = samples(&world, watch);
    assert!(rows.is_sorted_by_key(|row| row.began_ns), "{} rows", rows.len());
    assert!(answered_by(&rows, "old") && rows.iter().any(|row| row.error.is_some()));

    world.boot(client).await;
    seen(&mut world, place, watch, "the prober to look again", up_by("new")).await;
    world.fleet.unwatch(watch);
    world.end().await;
}

/// The raw samples of a watch so far.
fn samples(world: &World, watch: WatchId) -> Vec<SampleRow> {
    let text = std::fs::read_to_string(world.fleet.samples_path(watch)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

pub(crate) async fn pinned(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let (old, new, client) = swap(&mut world).await;
    let target = format!("{}:80", world.address(0, 70)).parse().expect("an address");
    let watch = world.fleet.watch(Watch {
        client,
        target,
        tls: false,
        kind: ProbeKind::HttpPinned,
        every: EVERY,
        backends: Vec::new(),
    });
    let (place, _, _) = seen(&mut world, 0, watch, "the old one to answer", up_by("old")).await;
    world.must(Operation::PowerOn { machine: new }).await;
    world.must(Operation::PowerOff { machine: old }).await;
    let (place, _, _) = seen(&mut world, place, watch, "the connection to break", down).await;
    seen(&mut world, place, watch, "the new one to answer", up_by("new")).await;

    world.end().await;
}
