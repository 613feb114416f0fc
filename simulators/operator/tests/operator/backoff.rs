//! How long operators wait.

use std::time::Duration;

use grenadier_fleet::GuestReport;
use grenadier_guest::testing::TestHost;
use grenadier_guest::{Guest as _, Input};
use grenadier_operator::Operator;
use grenadier_wire::Failure;
use rstest::rstest;

use crate::support::World;

#[test]
fn the_wait_doubles_up_to_its_limit_within_ten_per_cent() {
    let mut world = World::new();
    world.rule = Box::new(|http| Some(Failure::Unreachable { endpoint: http.endpoint.clone() }));
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    let mut waits = Vec::new();
    for _ in 0..11 {
        world.settle();
        let due = world.clusters["supervisor"].host.timers["reconcile"];
        waits.push(due - world.now);
        world.pass(due - world.now);
    }
    let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(Duration::from_secs);
    for (wait, expected) in waits.iter().zip(expected) {
        assert!(*wait >= expected * 9 / 10 && *wait <= expected * 11 / 10, "{wait:?} instead of {expected:?}");
    }
    assert_ne!(waits[9], waits[10], "jittered");
    let attempts: Vec<u32> = world.told("supervisor").iter().map(|(_, attempt, _)| *attempt).collect();
    assert_eq!(attempts, (1..=12).collect::<Vec<_>>());
}

#[test]
fn a_success_begins_anew() {
    let mut world = World::new();
    let mut failures = 4;
    world.rule = Box::new(move |http| {
        failures -= 1;
        (failures >= 0).then(|| Failure::Refused { endpoint: http.endpoint.clone() })
    });
    world.add("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.pass(Duration::from_secs(20));
    assert_eq!(world.states("supervisor").last().unwrap(), "programmed");
    world.rule = Box::new(|http| Some(Failure::Refused { endpoint: http.endpoint.clone() }));
    world.pass(Duration::from_secs(30));
    let (state, attempt, detail) = world.told("supervisor").into_iter().find(|(_, attempt, _)| *attempt == 1).unwrap();
    assert_eq!((state.as_str(), attempt, detail.as_str()), ("retrying", 1, "connection refused by 198.18.0.10:5556"));
}

#[test]
fn another_certificate_is_not_trusted() {
    let mut world = World::new();
    let mut config = world.config("supervisor", &[("shop", 20)]);
    config["pin"] = "00".into();
    world.add("supervisor", &config);
    world.settle();
    let expected = "certificate of 198.18.0.10:5556 not trusted: another certificate";
    assert_eq!(world.told("supervisor"), [("retrying".into(), 1, expected.into())]);
    world.reconfigure("supervisor", &world.config("supervisor", &[("shop", 20)]));
    world.settle();
    assert_eq!(world.states("supervisor"), ["retrying", "programmed"], "a new configuration does not wait");
}

#[test]
fn a_wrong_password_is_a_reason_to_wait() {
    let mut world = World::new();
    let mut config = world.config("supervisor", &[("shop", 20)]);
    config["password"] = "wrong".into();
    world.add("supervisor", &config);
    world.settle();
    assert_eq!(
        world.told("supervisor"),
        [("retrying".into(), 1, "reading frontends answered 401: invalid password".into())]
    );
}

#[rstest]
#[case(None, "guestinfo.operator is not set")]
#[case(Some(r#"{"password":"hunter2","colour":1}"#), "guestinfo.operator cannot be read: line 1, column 30")]
fn without_configuration_it_does_not_boot(#[case] config: Option<&str>, #[case] reason: &str) {
    let mut host = TestHost::default();
    host.config.extend(config.map(|config| ("guestinfo.operator".to_owned(), config.to_owned())));
    Operator::new().handle(Input::Boot, &mut host);
    assert_eq!(host.reports, [GuestReport::BootFailed(reason.into())]);
}
