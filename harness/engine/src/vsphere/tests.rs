//! The client against a small vCenter.

use std::time::Duration;

use grenadier_clock::Clock as _;
use grenadier_events::Actor;
use grenadier_wire::{CallAddress, FaultKind, FaultRule, Secret, TlsTrust};

use crate::testing::{FakeWorld, run};
use crate::vsphere::{ManagedObject, PowerState, VSphere, VSphereAccess, VSphereError};

fn client(world: &FakeWorld, actor: Actor) -> VSphere {
    let access = VSphereAccess {
        endpoint: "vcenter.example:443".into(),
        tls: Some(TlsTrust::Anyone),
        user: "admin".into(),
        password: Secret::new("let me in"),
    };
    VSphere::new(world.wire(), actor, access)
}

fn old() -> ManagedObject {
    ManagedObject::new("VirtualMachine", "vm-1")
}

#[test]
fn a_machine_reads_as_it_is() {
    let world = FakeWorld::new();
    let mut vsphere = client(&world, Actor::Runner);
    assert_eq!(run(vsphere.find("/DC0/vm/haproxy")).unwrap(), Some(old()));
    assert!(matches!(run(vsphere.find_required("DC0/vm/nobody")), Err(VSphereError::NotFound { .. })));
    let facts = run(vsphere.machine(&old())).unwrap();
    assert_eq!((facts.name.as_str(), facts.power, facts.cpus, facts.memory_mib), ("haproxy", PowerState::On, 4, 4096));
    assert_eq!(facts.property("network.management_ip"), Some("198.18.0.10/24"));
    assert_eq!(facts.property("appliance.ca_cert"), None, "an empty value is none");
    let networks: Vec<_> = facts.cards.iter().map(|card| card.network_name.as_str()).collect();
    assert_eq!(networks, ["management", "workload", "frontend"]);
}

#[test]
fn calls_are_made_in_the_name_of_the_actor() {
    let world = FakeWorld::new();
    run(client(&world, Actor::Runner).power_state(&old())).unwrap();
    assert!(world.log.events().iter().all(|event| event.actor == Actor::Runner));
    assert!(world.calls().is_empty(), "none is the engine's");
}

#[test]
fn waiting_ends_at_its_deadline_with_what_was_seen_last() {
    let world = FakeWorld::new();
    let began = world.clock.now();
    let limit = Duration::from_secs(45);
    let error = run(client(&world, Actor::Engine).wait_for_power(&old(), PowerState::Off, limit)).unwrap_err();
    assert!(error.to_string().ends_with("poweredOff not within 45s: runtime.powerState poweredOn"), "{error}");
    assert_eq!((world.clock.now() - began).as_secs(), 45);
}

#[test]
fn waiting_ends_when_its_object_does() {
    let world = FakeWorld::new();
    let vanishes = world.clock.now() + Duration::from_secs(30);
    world.state().knobs.vanishes = Some(vanishes);
    let limit = Duration::from_secs(600);
    let error = run(client(&world, Actor::Engine).wait_for_power(&old(), PowerState::Off, limit)).unwrap_err();
    assert!(matches!(error, VSphereError::Unset { .. }), "{error}");
    assert_eq!(world.clock.now(), vanishes);
}

#[test]
fn a_call_that_fails_for_good_is_not_repeated_for_ever() {
    let world = FakeWorld::new();
    let mut vsphere = client(&world, Actor::Engine);
    for k in 1..=6 {
        let at = format!("vsphere.RetrievePropertiesEx#{k}").parse::<CallAddress>().unwrap();
        vsphere.wire.add_rule(FaultRule::new(at, FaultKind::Unavailable));
    }
    let error = run(vsphere.power_state(&old())).unwrap_err();
    assert_eq!(error.to_string(), "RetrievePropertiesEx was answered with HTTP status 503");
    assert_eq!(vsphere.wire.idle_rules(), [], "six attempts were made");
    assert!(run(vsphere.power_state(&old())).is_ok());
}

#[test]
fn what_is_done_already_is_not_asked_for() {
    let world = FakeWorld::new();
    let mut vsphere = client(&world, Actor::Engine);
    let limit = Duration::from_secs(60);
    run(vsphere.power_on(&old(), limit)).unwrap();
    run(vsphere.power_off(&old(), limit)).unwrap();
    run(vsphere.power_off(&old(), limit)).unwrap();
    run(vsphere.destroy(&old(), limit)).unwrap();
    run(vsphere.destroy(&old(), limit)).unwrap();
    let calls = world.calls();
    let tasks: Vec<_> = calls.iter().filter(|call| call.contains("_Task")).map(String::as_str).collect();
    assert_eq!(tasks, ["vsphere.PowerOffVM_Task#1", "vsphere.Destroy_Task#1"]);
}
