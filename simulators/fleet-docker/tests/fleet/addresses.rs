//! Who owns an address.

use bollard::Docker;
use grenadier_fleet::{FleetEvent, Operation};

use crate::world::World;

pub(crate) async fn two_owners(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let range = world.net(0, 64, 28);
    let (first, second, third) = (world.net(0, 10, 24), world.net(0, 11, 24), world.net(0, 12, 24));
    let specs = [
        world.responder("one", "frontend", first, Some(range)),
        world.responder("two", "frontend", second, Some(range)),
        world.responder("asker", "frontend", third, None),
    ];
    let macs = [specs[0].nics[0].mac.to_string(), specs[1].nics[0].mac.to_string()];
    let mut machines = Vec::new();
    for spec in specs {
        let machine = world.create(spec).await;
        world.boot(machine).await;
        machines.push(machine);
    }
    let owners_are = |wanted: Vec<grenadier_fleet::MachineId>| move |event: &FleetEvent| matches!(event, FleetEvent::AddressOwners { address, owners, .. } if *address == range && *owners == wanted);
    let fight = world.event(0, "two owners", owners_are(vec![machines[0], machines[1]])).await;
    let vip = world.address(0, 70);
    let said = world.sh(&world.address(0, 12), &format!("arping -c 2 -I eth0 {vip}; true")).await.to_lowercase();
    assert!(macs.iter().all(|mac| said.contains(mac)), "each answers: {said}");

    world.must(Operation::PowerOff { machine: machines[0] }).await;
    world.event(fight, "one owner", owners_are(vec![machines[1]])).await;
    let said = world.sh(&world.address(0, 12), &format!("arping -c 1 -I eth0 {vip}; true")).await.to_lowercase();
    assert!(!said.contains(&macs[0]) && said.contains(&macs[1]), "{said}");
    world.end().await;
}
