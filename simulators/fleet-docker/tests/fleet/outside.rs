//! What somebody else does to the run's containers.

use bollard::Docker;
use bollard::query_parameters::RemoveContainerOptions;
use grenadier_fleet::{
    Fleet, FleetEvent, GuestReport, MachineId, Operation, OperationError, OperationOutput, Power, Reconfiguration,
};

use crate::world::World;

async fn remove(world: &World, machine: MachineId) {
    let options = RemoveContainerOptions { force: true, ..Default::default() };
    let removed = world.docker.remove_container(&world.container(machine, "one"), Some(options)).await;
    removed.expect("it is there");
}

/// Waits until a machine is off, and for the sentence that says why.
async fn went_off(world: &mut World, from: usize, sentence: &str) {
    let off = |event: &FleetEvent| matches!(event, FleetEvent::PowerChanged { power: Power::Off, .. });
    world.event(from, "the machine to go off", off).await;
    let why = |event: &FleetEvent| matches!(event, FleetEvent::Guest { report: GuestReport::Log { line, .. }, .. } if line == sentence);
    world.event(from, sentence, why).await;
}

pub(crate) async fn removed(docker: Docker) {
    let (mut world, machine) = World::with_responder(docker).await;
    let snapshot = Operation::Snapshot { machine, name: "s".into(), description: String::new(), memory: false };
    let OperationOutput::Snapshot(snapshot) = world.must(snapshot).await else { panic!("no snapshot") };
    let container = world.container(machine, "one");
    let from = world.events.len();
    remove(&world, machine).await;
    let sentence = format!("the machine went off: somebody has removed its container {container}");
    went_off(&mut world, from, &sentence).await;

    let lost = OperationError::Engine(format!(
        "somebody has removed the container {container}, and the machine's disk with it: destroy the machine, or revert it to a snapshot"
    ));
    let unplug = Reconfiguration { remove_nics: vec![4000], ..Default::default() };
    let orders = [
        Operation::PowerOn { machine },
        Operation::ReadFiles { machine },
        Operation::WriteFile { machine, path: "/etc/x".into(), content: Some("x".into()) },
        Operation::Snapshot { machine, name: "t".into(), description: String::new(), memory: false },
        Operation::Reconfigure { machine, change: unplug },
    ];
    for order in orders {
        let what = format!("{order:?}");
        assert_eq!(world.perform(order).await, Err(lost.clone()), "{what}");
    }
    assert_eq!(world.fleet.view().machines[&machine].power, Power::Off);
    assert_eq!(world.fleet.view().machines[&machine].spec.nics.len(), 1);

    world.must(Operation::Revert { machine, snapshot, suppress_power_on: false }).await;
    world.boot(machine).await;
    remove(&world, machine).await;
    let from = world.events.len();
    went_off(&mut world, from, &sentence).await;
    world.must(Operation::Destroy { machine }).await;
    assert!(world.fleet.view().machines.is_empty());
    world.end().await;
}

pub(crate) async fn paused(docker: Docker) {
    let (mut world, machine) = World::with_responder(docker).await;
    // Taking a snapshot pauses a container too, which is nobody's interference.
    let snapshot = Operation::Snapshot { machine, name: "s".into(), description: String::new(), memory: false };
    world.must(snapshot).await;
    let container = world.container(machine, "one");
    let from = world.events.len();
    world.docker.pause_container(&container).await.expect("it runs");
    let sentence = format!("the machine went off: somebody has paused its container {container}, so it was killed");
    went_off(&mut world, from, &sentence).await;
    let offs = |event: &&FleetEvent| matches!(event, FleetEvent::PowerChanged { power: Power::Off, .. });
    assert_eq!(world.events.iter().filter(offs).count(), 1, "the snapshot did not switch it off");
    world.boot(machine).await;
    let host = world.address(0, 10);
    assert_eq!(world.sh(&host, "hostname").await, "one\n");
    world.must(Operation::PowerOff { machine }).await;
    world.must(Operation::Destroy { machine }).await;
    world.end().await;
}
