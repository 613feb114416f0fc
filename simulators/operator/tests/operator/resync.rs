//! How much operators look at when nothing happens.

use std::time::Duration;

use grenadier_guest::{Guest as _, Input};
use grenadier_wire::Failure;

use crate::support::World;

const RESYNC: Duration = Duration::from_secs(30);

/// The calls of one attempt that looks at everything of one load balancer.
const FULL: [&str; 4] = [
    "GET configuration/frontends 200",
    "GET configuration/backends 200",
    "GET configuration/binds?frontend=supervisor-shop 200",
    "GET configuration/servers?backend=supervisor-shop 200",
];

/// The calls that are made until so much time has passed.
fn calls_during(world: &mut World, length: Duration) -> Vec<String> {
    world.clusters.get_mut("supervisor").unwrap().calls.clear();
    world.pass(length);
    world.clusters["supervisor"].calls.clone()
}

/// One load balancer, programmed and found in sync.
fn in_sync() -> World {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.settle();
    assert_eq!(calls_during(&mut world, RESYNC), FULL, "after a change of its own it looks at everything");
    world
}

/// Puts another text into the file and restarts the appliance's services.
fn restart_with(world: &mut World, configuration: String) {
    world.appliance_host.files.insert("/etc/haproxy/haproxy.cfg".into(), configuration.into());
    world.appliance.handle(Input::Boot, &mut world.appliance_host);
    world.pass(Duration::from_secs(20));
}

#[test]
fn a_configuration_that_stays_is_known_by_its_frontends_and_every_tenth_look_goes_through_everything() {
    let mut world = in_sync();
    for _ in 0..2 {
        assert_eq!(calls_during(&mut world, RESYNC * 9), vec![FULL[0]; 9]);
        assert_eq!(calls_during(&mut world, RESYNC), FULL);
    }
}

#[test]
fn another_version_is_looked_through() {
    let mut world = in_sync();
    world.add("tenant-1", &world.config("tenant-1", &[("api", 21)]));
    world.settle();
    assert_eq!(calls_during(&mut world, RESYNC), FULL);
    assert_eq!(calls_during(&mut world, RESYNC), [FULL[0]]);
}

#[test]
fn the_same_version_with_other_frontends_is_looked_through() {
    let mut world = in_sync();
    let configuration = world.configuration();
    let other =
        configuration.replace("default_backend supervisor-shop", "default_backend elsewhere\nbackend elsewhere");
    assert_ne!(configuration, other);
    restart_with(&mut world, other);
    world.pass(RESYNC * 2);
    assert!(world.configuration().contains("default_backend supervisor-shop\n"));
}

#[test]
fn after_a_failure_everything_is_looked_at() {
    let mut world = in_sync();
    let mut failures = 1;
    world.rule = Box::new(move |http| {
        failures -= 1;
        (failures >= 0).then(|| Failure::Refused { endpoint: http.endpoint.clone() })
    });
    let calls = calls_during(&mut world, RESYNC + Duration::from_secs(5));
    assert_eq!(calls[0], "GET configuration/frontends connection refused by 198.18.0.10:5556");
    assert_eq!(calls[1..], FULL);
}

#[test]
fn what_a_short_look_misses_is_mended_by_the_next_full_one() {
    let mut world = in_sync();
    let other = world.configuration().replace("bind 198.18.2.20:443", "bind 198.18.2.20:8443");
    restart_with(&mut world, other);
    // The short looks see the same version and the same frontends.
    world.pass(RESYNC * 8);
    assert!(world.configuration().contains("bind 198.18.2.20:8443"));
    world.pass(RESYNC * 2);
    assert!(world.configuration().contains("bind 198.18.2.20:443"));
    world.pass(RESYNC);
    assert!(world.states("supervisor").ends_with(&["programmed".to_owned(), "in-sync".to_owned()]));
}
