//! The document to the letter, in the small world.

use grenadier_catalog::{FaultPlace, System};
use grenadier_wire::{FaultKind, FaultRule};

use super::documented;
use crate::procedures::haproxy_appliance::Parameters;
use crate::procedures::haproxy_appliance::tests::{parameters, shows};
use crate::testing::{FakeWorld, run};
use crate::{Engine, EngineReport, Journal, Outcome};

fn upgrade(world: &FakeWorld, parameters: Parameters, rules: &[(&str, FaultKind)]) -> EngineReport {
    let wire = world.wire();
    for (at, fault) in rules {
        wire.add_rule(FaultRule::new(at.parse::<FaultPlace>().unwrap(), *fault));
    }
    let mut procedure = documented(wire.clone(), parameters);
    let report = run(Engine::new(wire.clone()).upgrade(&mut procedure, &mut Journal::in_memory()));
    assert_eq!(wire.idle_rules(), [], "a rule found no call");
    report
}

#[test]
fn its_steps_are_the_catalogues() {
    let world = FakeWorld::new();
    let procedure = documented(world.wire(), Parameters { remove_old: true, ..parameters() });
    let steps: Vec<&str> = procedure.plan().steps.iter().map(|step| step.name.as_str()).collect();
    let catalogue = System::find("haproxy-appliance").unwrap().procedure("documented").unwrap();
    assert_eq!(steps, catalogue.steps.iter().map(|step| step.name).collect::<Vec<_>>());
    for (planned, step) in procedure.plan().steps.iter().zip(catalogue.steps) {
        assert_eq!(planned.changes, step.changes, "{}", step.name);
    }
}

#[test]
fn recovery_is_the_new_one_off_and_the_old_one_on_and_no_more() {
    let world = FakeWorld::new();
    let report = upgrade(&world, parameters(), &[("power-on-new/vsphere.PowerOnVM_Task#1", FaultKind::TaskFails)]);
    assert_eq!((&report.outcome, report.exit_code), (&Outcome::RolledBack, 10), "{}", report.message);
    assert_eq!(report.undone, ["power-on-new", "power-off-old"]);
    shows(&world, &[("haproxy", true), ("haproxy-v0.2.0", false)]);
}

/// One of the addresses never answered, before the upgrade neither. The document does not say to look before.
#[test]
fn an_address_that_never_answered_counts_as_lost() {
    let world = FakeWorld::new();
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!(report.outcome, Outcome::RolledBack, "{}", report.message);
    assert!(report.message.contains("verify-addresses failed"), "{}", report.message);
}
