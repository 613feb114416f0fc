//! Snapshots that restore.

use bollard::Docker;
use grenadier_fleet::{Fleet, Operation, OperationOutput, Power, Reconfiguration, SnapshotId};

use crate::world::World;

const FILE: &str = "/etc/haproxy/x.cfg";

pub(crate) async fn revert(docker: Docker) {
    let mut world = World::new(docker, &["frontend", "workload"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let before = spec.clone();
    let machine = world.create(spec).await;
    world.boot(machine).await;
    let host = world.address(0, 10);
    world.sh(&host, &format!("mkdir -p /etc/haproxy; echo before > {FILE}")).await;
    let first = take(&mut world, machine, "upgrade").await;
    world.sh(&host, &format!("echo after > {FILE}; echo new > /etc/haproxy/new.cfg")).await;
    let second = take(&mut world, machine, "upgrade").await;
    let change = Reconfiguration {
        config: [("added".to_owned(), "yes".to_owned())].into(),
        record: [("moref".to_owned(), "vm-7".into())].into(),
        name: Some("renamed".to_owned()),
        remove_nics: vec![4000],
        ..Default::default()
    };
    world.must(Operation::Reconfigure { machine, change }).await;

    world.must(Operation::Revert { machine, snapshot: first, suppress_power_on: false }).await;
    let reverted = &world.fleet.view().machines[&machine];
    assert_eq!(
        (reverted.power, reverted.current_snapshot),
        (Power::Off, Some(first)),
        "without memory it comes back off"
    );
    assert_eq!(
        (&reverted.spec.nics, &reverted.spec.config, &reverted.spec.record),
        (&before.nics, &before.config, &before.record)
    );
    assert_eq!(reverted.spec.name, "renamed", "the name is the inventory's");
    world.boot(machine).await;
    assert_eq!(world.sh(&host, &format!("cat {FILE}; ls /etc/haproxy; true")).await, "before\nx.cfg\n");

    world.must(Operation::Revert { machine, snapshot: second, suppress_power_on: false }).await;
    world.boot(machine).await;
    assert_eq!(world.sh(&host, &format!("cat {FILE}; true")).await, "after\n");
    world.must(Operation::RemoveSnapshot { machine, snapshot: first, children: true }).await;
    let left = &world.fleet.view().machines[&machine];
    assert_eq!((left.snapshots.len(), left.current_snapshot), (0, None));
    assert_eq!(world.sh(&host, &format!("cat {FILE}; true")).await, "after\n", "the machine stays as it is");
    world.end().await;
}

async fn take(world: &mut World, machine: grenadier_fleet::MachineId, name: &str) -> SnapshotId {
    let operation = Operation::Snapshot { machine, name: name.into(), description: String::new(), memory: false };
    match world.must(operation).await {
        OperationOutput::Snapshot(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}
