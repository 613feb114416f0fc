//! Power, files and kernel state.

use bollard::Docker;
use bollard::query_parameters::KillContainerOptions;
use bytes::Bytes;
use grenadier_fleet::{
    Boot, Fleet, FleetEvent, Hardware, MachineId, Nic, Operation, OperationError, OperationOutput, Power,
    Reconfiguration,
};
use grenadier_wire::Failure;
use serde_json::json;

use crate::guest::Wish;
use crate::world::World;

const BOOTS: &str = "/var/log/grenadier/boots";
const LEFT: &str = "/etc/haproxy/left.cfg";

async fn boots(world: &mut World, machine: MachineId) -> usize {
    world.files(machine).await.get(BOOTS).map_or(0, Bytes::len)
}

pub(crate) async fn files_stay_kernel_state_goes(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, Some(world.net(0, 64, 28)));
    let mac = spec.nics[0].mac;
    let machine = world.create(spec).await;
    assert!(world.files(machine).await.is_empty(), "nothing was written to its disk yet");
    world
        .must(Operation::WriteFile { machine, path: "/etc/vmware/seed.cfg".into(), content: Some("seed".into()) })
        .await;

    world.boot(machine).await;
    let host = world.address(0, 10);
    assert!(world.sh(&host, "ip link show").await.contains(&mac.to_string()), "the agent sets the hardware address");
    assert_eq!(world.sh(&host, "cat /etc/vmware/seed.cfg").await, "seed");
    world.sh(&host, &format!("mkdir -p /etc/haproxy && echo kept > {LEFT}")).await;
    let stray = world.address(0, 99);
    world.sh(&host, &format!("ip address add {stray}/24 dev eth0; true")).await;
    assert!(world.sh(&host, "ip -4 address; true").await.contains(&stray));
    assert_eq!(world.get(&format!("{}:80", world.address(0, 70))).await, Ok("one".into()), "an address of its range");

    world.must(Operation::PowerOff { machine }).await;
    assert_eq!(world.fleet.view().machines[&machine].power, Power::Off);
    assert_eq!(world.get(&format!("{host}:80")).await, Err(Failure::Unreachable { endpoint: format!("{host}:80") }));
    let files = world.files(machine).await;
    assert_eq!((&files[LEFT][..], &files[BOOTS][..]), (&b"kept\n"[..], &b"x"[..]), "a disk can be read while off");
    world.must(Operation::WriteFile { machine, path: LEFT.into(), content: None }).await;
    assert!(!world.files(machine).await.contains_key(LEFT));

    world.boot(machine).await;
    let addresses = world.sh(&host, "ip -4 address; true").await;
    assert!(addresses.contains(&host) && !addresses.contains(&stray), "{addresses}");
    assert_eq!(world.shell(&host, &format!("cat {LEFT}")).await.expect("it is up").exit_code, 1, "removed while off");
    assert_eq!(boots(&mut world, machine).await, 2);
    world.must(Operation::WriteFile { machine, path: BOOTS.into(), content: None }).await;
    assert_eq!(boots(&mut world, machine).await, 0, "removed while on");
    let state = world.must(Operation::ReadState { machine }).await;
    assert_eq!(state, OperationOutput::State(json!({"boots": 2, "reconfigured": 0})));
    world.end().await;
}

pub(crate) async fn shutdown_and_reset(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let machine = world.create(spec).await;
    world.boot(machine).await;

    let from = world.events.len();
    world.must(Operation::Reset { machine }).await;
    world.up(from, machine).await;
    let power: Vec<Power> = world.events[from..]
        .iter()
        .filter_map(|event| match event {
            FleetEvent::PowerChanged { power, .. } => Some(*power),
            _ => None,
        })
        .collect();
    assert_eq!(power, [Power::Off, Power::On]);
    assert_eq!(boots(&mut world, machine).await, 2);

    let from = world.events.len();
    world.must(Operation::ShutdownGuest { machine }).await;
    let off = |event: &FleetEvent| matches!(event, FleetEvent::PowerChanged { power: Power::Off, .. });
    world.event(from, "the guest to go off", off).await;
    assert_eq!(world.fleet.view().machines[&machine].boot, Boot::Off);
    world.must(Operation::Destroy { machine }).await;
    assert!(world.fleet.view().machines.is_empty());
    world.end().await;
}

pub(crate) async fn unexpected_death(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let machine = world.create(spec).await;
    world.boot(machine).await;
    let from = world.events.len();
    let container = format!("grenadier-{}-{machine}-one", world.run);
    let options = KillContainerOptions { signal: "KILL".to_owned() };
    world.docker.kill_container(&container, Some(options)).await.expect("it runs");
    let off = |event: &FleetEvent| matches!(event, FleetEvent::PowerChanged { power: Power::Off, .. });
    world.event(from, "the machine to go off", off).await;
    let gone = |event: &FleetEvent| matches!(event, FleetEvent::AddressOwners { owners, .. } if owners.is_empty());
    world.event(from, "its address to have no owner", gone).await;
    world.boot(machine).await;
    assert_eq!(boots(&mut world, machine).await, 2);
    world.end().await;
}

pub(crate) async fn refusals(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let machine = world.create(spec.clone()).await;
    let refused = |world: &mut World, spec| {
        let (_, id) = world.fleet.submit_create(spec);
        let mut events = world.fleet.take_events().into_iter();
        events.find_map(|event| match event {
            FleetEvent::OperationFinished { id: other, result } if other == id => result.err(),
            _ => None,
        })
    };
    assert_eq!(refused(&mut world, spec.clone()), Some(OperationError::NameTaken("one".into())));
    let mut large = spec.clone();
    (large.name, large.disks[0].capacity_mib) = ("two".into(), 1 << 20);
    assert!(matches!(refused(&mut world, large), Some(OperationError::Insufficient { resource: "storage_mib", .. })));
    let mut twice = spec.clone();
    twice.name = "three".into();
    twice.nics.push(Nic { key: 4001, ..twice.nics[0].clone() });
    assert!(matches!(refused(&mut world, twice), Some(OperationError::Unsupported(_))));

    let wrong = |actual| Err(OperationError::WrongPower { machine: "one".into(), actual });
    assert_eq!(world.perform(Operation::PowerOff { machine }).await, wrong("off"));
    let hungry = Reconfiguration { hardware: Some(Hardware { cpus: 64, memory_mib: 1 }), ..Default::default() };
    world.must(Operation::Reconfigure { machine, change: hungry }).await;
    let full = world.perform(Operation::PowerOn { machine }).await;
    assert_eq!(full, Err(OperationError::Insufficient { resource: "cpus", wanted: 64, free: 8 }));
    let modest = Reconfiguration { hardware: Some(Hardware { cpus: 1, memory_mib: 1 }), ..Default::default() };
    world.must(Operation::Reconfigure { machine, change: modest }).await;

    let first = world.fleet.submit(Operation::PowerOn { machine });
    let busy = world.perform(Operation::PowerOn { machine }).await;
    assert_eq!(busy, Err(OperationError::Busy("one".into())));
    let done =
        |event: &FleetEvent| matches!(event, FleetEvent::OperationFinished { id, result: Ok(_) } if *id == first);
    world.event(0, "the first order to be carried out", done).await;
    assert_eq!(world.perform(Operation::Destroy { machine }).await, wrong("on"));
    let snapshot = Operation::Snapshot { machine, name: "s".into(), description: String::new(), memory: true };
    assert!(matches!(world.perform(snapshot).await, Err(OperationError::Unsupported(_))));
    let nobody = MachineId(99);
    assert_eq!(world.perform(Operation::PowerOn { machine: nobody }).await, Err(OperationError::NoSuchMachine(nobody)));
    world.end().await;
}

pub(crate) async fn no_image(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let mut spec = world.responder("empty", "frontend", address, None);
    let image = spec.disks[0].image.take().expect("it has one");
    let machine = world.create(spec).await;
    world.must(Operation::PowerOn { machine }).await;
    let failed = |event: &FleetEvent| {
        matches!(event, FleetEvent::Guest { report: grenadier_fleet::GuestReport::BootFailed(reason), .. }
            if reason == "the disk holds no bootable image")
    };
    world.event(0, "the boot to fail", failed).await;
    world.must(Operation::PowerOff { machine }).await;
    world.must(Operation::WriteDisk { machine, disk: 2000, image }).await;
    world.boot(machine).await;
    world.end().await;
}

pub(crate) async fn hot_plug(docker: Docker) {
    let mut world = World::new(docker, &["frontend", "workload"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let plugged = Nic { key: 4001, segment: "workload".into(), mac: grenadier_fleet::Mac::vmware(77), connected: true };
    let machine = world.create(spec).await;
    world.boot(machine).await;
    let wish = Wish { addresses: vec![address, world.net(1, 10, 24)], range: None, name: "both".into() };
    let from = world.events.len();
    let change = Reconfiguration {
        nics: vec![plugged.clone()],
        config: [
            ("responder".to_owned(), serde_json::to_string(&wish).expect("plain fields")),
            ("wanted".to_owned(), "more".to_owned()),
        ]
        .into(),
        ..Default::default()
    };
    world.must(Operation::Reconfigure { machine, change }).await;
    let seen = |event: &FleetEvent| matches!(event, FleetEvent::Guest { report: grenadier_fleet::GuestReport::Config { key }, .. } if key == "seen");
    world.event(from, "the guest to see its configuration", seen).await;
    assert_eq!(world.fleet.view().machines[&machine].spec.config["seen"], "more");
    let owned =
        |event: &FleetEvent| matches!(event, FleetEvent::AddressOwners { segment, .. } if segment == "workload");
    world.event(from, "an address on the new card", owned).await;
    assert_eq!(world.get(&format!("{}:80", world.address(1, 10))).await, Ok("both".into()));
    assert!(world.sh(&world.address(1, 10), "ip link; true").await.contains(&plugged.mac.to_string()));

    let unplug = Reconfiguration { remove_nics: vec![4001], ..Default::default() };
    world.must(Operation::Reconfigure { machine, change: unplug }).await;
    assert_eq!(world.fleet.view().machines[&machine].spec.nics.len(), 1);
    let endpoint = format!("{}:80", world.address(1, 10));
    assert!(world.get(&endpoint).await.is_err(), "the card is gone");
    world.end().await;
}
