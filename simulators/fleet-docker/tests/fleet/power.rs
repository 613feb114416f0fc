//! What containers add to power and hardware.

use bollard::Docker;
use grenadier_fleet::{Fleet, FleetEvent, GuestReport, Nic, Operation, OperationError};

use crate::world::World;

pub(crate) async fn kernel_state_goes(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let mac = spec.nics[0].mac;
    let machine = world.create(spec).await;
    world.boot(machine).await;
    let (host, stray) = (world.address(0, 10), world.address(0, 99));
    assert!(world.sh(&host, "ip link show").await.contains(&mac.to_string()), "the agent sets the hardware address");
    world.sh(&host, &format!("ip address add {stray}/24 dev eth0; true")).await;
    assert!(world.sh(&host, "ip -4 address; true").await.contains(&stray));
    world.must(Operation::PowerOff { machine }).await;
    world.boot(machine).await;
    let addresses = world.sh(&host, "ip -4 address; true").await;
    assert!(addresses.contains(&host) && !addresses.contains(&stray), "{addresses}");
    world.end().await;
}

pub(crate) async fn refusals(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let machine = world.create(spec.clone()).await;
    let mut twice = spec;
    twice.name = "two".into();
    twice.nics.push(Nic { key: 4001, ..twice.nics[0].clone() });
    let (_, id) = world.fleet.submit_create(twice);
    let refused = world.fleet.take_events().into_iter().find_map(|event| match event {
        FleetEvent::OperationFinished { id: other, result } if other == id => result.err(),
        _ => None,
    });
    assert!(matches!(refused, Some(OperationError::Unsupported(_))), "{refused:?}");
    world.boot(machine).await;
    let snapshot = Operation::Snapshot { machine, name: "s".into(), description: String::new(), memory: true };
    assert!(matches!(world.perform(snapshot).await, Err(OperationError::Unsupported(_))));
    world.end().await;
}

pub(crate) async fn no_image(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let mut spec = world.responder("empty", "frontend", address, None);
    spec.disks[0].image = None;
    let machine = world.create(spec).await;
    world.must(Operation::PowerOn { machine }).await;
    let failed = |event: &FleetEvent| {
        matches!(event, FleetEvent::Guest { report: GuestReport::BootFailed(reason), .. }
            if reason == "the disk holds no bootable image")
    };
    world.event(0, "the boot to fail", failed).await;
    world.end().await;
}
