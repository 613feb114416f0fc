//! What operators do to the configuration.

use std::time::Duration;

use grenadier_guest::{Guest as _, Input};
use grenadier_wire::Failure;

use crate::support::World;

const WINDOW: Duration = Duration::from_secs(31);

#[test]
fn load_balancers_are_programmed_in_one_transaction() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.settle();
    let expected = [
        "GET configuration/frontends 200",
        "GET configuration/backends 200",
        "POST transactions?version=1 201",
        "POST configuration/backends?transaction_id=ID 202",
        "POST configuration/servers?backend=supervisor-shop&transaction_id=ID 202",
        "POST configuration/servers?backend=supervisor-shop&transaction_id=ID 202",
        "POST configuration/frontends?transaction_id=ID 202",
        "POST configuration/binds?frontend=supervisor-shop&transaction_id=ID 202",
        "PUT transactions/ID 202",
    ];
    let calls = &world.clusters["supervisor"].calls;
    let id = calls[8].strip_prefix("PUT transactions/").unwrap().trim_end_matches(" 202").to_owned();
    assert_eq!(calls.iter().map(|call| call.replace(&id, "ID")).collect::<Vec<_>>(), expected);
    assert_eq!(world.told("supervisor"), [("programmed".to_owned(), 0, "1 load balancers, 5 changes".to_owned())]);
    assert_eq!(world.transactions(), 0);
    world.pass(WINDOW);
    assert!(world.serves(20));
    let configuration = world.configuration();
    assert!(configuration.contains("frontend supervisor-shop\n  mode tcp\n  default_backend supervisor-shop\n  bind 198.18.2.20:443 name supervisor-shop\n"));
    assert!(configuration.contains("  server s2 198.18.1.41:8080 check\n"));
}

#[test]
fn every_nic_gets_its_own_address() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[]));
    let expected = ["198.18.0.50/24", "198.18.1.50/24"].map(|address| address.parse().unwrap());
    assert_eq!(world.clusters["supervisor"].host.addresses, [(4000, expected[0]), (4001, expected[1])]);
}

#[test]
fn a_resync_mends_what_got_lost_and_tells_in_sync_once() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.pass(Duration::from_secs(95));
    assert_eq!(world.states("supervisor"), ["programmed", "in-sync"], "three resyncs, one word");
    // Somebody puts the file of yesterday back and restarts the services.
    let yesterday = world.configuration();
    let cut = yesterday.find("\nbackend supervisor-shop").unwrap();
    world.appliance_host.files.insert("/etc/haproxy/haproxy.cfg".into(), yesterday[..cut].to_owned().into());
    world.appliance.handle(Input::Boot, &mut world.appliance_host);
    world.pass(Duration::from_secs(90));
    assert_eq!(world.states("supervisor").last().unwrap(), "in-sync");
    assert!(world.states("supervisor").iter().filter(|state| *state == "programmed").count() == 2);
    assert!(world.serves(20));
}

#[test]
fn objects_of_other_clusters_are_left_alone() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.settle();
    world.add("tenant-1", &world.config("tenant-1", &[("api", 21)]));
    world.settle();
    world.reconfigure("supervisor", &world.config("supervisor", &[]));
    world.pass(WINDOW);
    let configuration = world.configuration();
    assert!(configuration.contains("frontend tenant-1-api\n") && !configuration.contains("supervisor-"));
    assert!(world.serves(21) && !world.serves(20));
}

#[test]
fn what_is_not_wanted_any_more_goes_and_what_changed_is_changed() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20), ("api", 21)]));
    world.settle();
    let mut config = world.config("supervisor", &[("shop", 22)]);
    config["load-balancers"][0]["backends"] = serde_json::json!(["198.18.1.44:8080"]);
    world.reconfigure("supervisor", &config);
    world.pass(WINDOW);
    let configuration = world.configuration();
    assert!(!configuration.contains("supervisor-api"), "{configuration}");
    assert!(configuration.contains("bind 198.18.2.22:443") && configuration.contains("server s1 198.18.1.44:8080"));
    assert!(!configuration.contains("server s2"));
    assert!(world.serves(22) && !world.serves(20) && !world.serves(21));
}

#[test]
fn two_operators_at_once_the_second_commit_is_refused_and_tried_again() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.add("tenant-1", &world.config("tenant-1", &[("api", 21)]));
    // Call by call in turn: both transactions are based on version 1.
    world.settle();
    assert_eq!(world.states("supervisor"), ["programmed"]);
    let [(state, 1, detail)] = &world.told("tenant-1")[..] else { panic!("{:?}", world.told("tenant-1")) };
    assert_eq!(state, "retrying");
    assert_eq!(detail, "commit answered 409: 15: Version mismatch, transaction version: 1, configured version: 2");
    world.pass(Duration::from_secs(60));
    assert_eq!(world.states("tenant-1"), ["retrying", "programmed", "in-sync"]);
    assert!(world.serves(20) && world.serves(21));
    assert_eq!(world.transactions(), 0, "the refused one was given up");
}

#[test]
fn a_failure_in_a_transaction_gives_it_up() {
    let mut world = World::new();
    let mut failures = 1;
    world.rule = Box::new(move |http| {
        let hit = http.request.uri().path().ends_with("/frontends") && http.request.method() == "POST" && failures > 0;
        failures -= i32::from(hit);
        hit.then(|| Failure::TimedOut { endpoint: http.endpoint.clone() })
    });
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.settle();
    assert_eq!(world.told("supervisor"), [("retrying".into(), 1, "no answer from 198.18.0.10:5556 in time".into())]);
    assert!(world.clusters["supervisor"].calls.last().unwrap().starts_with("DELETE transactions/"));
    assert_eq!(world.transactions(), 0);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.states("supervisor"), ["retrying", "programmed"]);
}

#[test]
fn a_killed_operator_leaves_its_transaction_open() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    for _ in 0..5 {
        assert!(world.deliver("supervisor"));
    }
    world.clusters.clear();
    assert_eq!(world.transactions(), 1);
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.settle();
    assert_eq!(world.states("supervisor"), ["programmed"]);
    assert_eq!(world.transactions(), 1, "nobody else gives it up");
}

#[test]
fn a_change_while_it_works_is_taken_up_at_once_afterwards() {
    let mut world = World::new();
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    assert!(world.deliver("supervisor"));
    world.reconfigure("supervisor", &world.config("supervisor", &[("shop", 20), ("api", 21)]));
    world.settle();
    assert_eq!(world.states("supervisor"), ["programmed", "programmed"]);
    assert!(world.configuration().contains("198.18.2.21:443"));
}
