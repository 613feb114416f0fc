//! Power, and what it does to files and kernel state.

use grenadier_fleet::{
    Boot, FleetEvent, GuestReport, Operation, OperationError, OperationOutput, Power, Reconfiguration,
};
use serde_json::json;

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

const LEFT: &str = "/etc/haproxy/left.cfg";

pub(super) async fn power_off_silences_a_machine_and_keeps_its_files<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let machine = bench.started("one", 10, Some(range)).await;
    let (own, in_range) = (bench.address(FRONTEND, 10), bench.address(FRONTEND, 70));
    assert_eq!(bench.get(own).await, Ok("one".into()));
    assert_eq!(bench.get(in_range).await, Ok("one".into()), "an address of its range");
    bench.sh(own, &format!("echo kept > {LEFT}")).await;
    bench.until("the range to have an owner", |bench| bench.told_owners(range) == [machine]).await;

    bench.must(Operation::PowerOff { machine }).await;
    bench.is_off(machine);
    assert_eq!(bench.owners(asker, in_range).await, [].into(), "at the very moment that the operation has ended");
    bench.is_silent(asker, own).await;
    bench.take();
    assert_eq!(bench.told_owners(range), []);
    let files = bench.files(machine).await;
    assert_eq!(
        (&files[LEFT][..], &files[crate::BOOTS][..]),
        (&b"kept\n"[..], &b"x"[..]),
        "a disk can be read while off"
    );

    bench.must(Operation::PowerOn { machine }).await;
    assert_eq!(bench.machine(machine).power, Power::On);
    bench.up(machine).await;
    assert_eq!(bench.get(in_range).await, Ok("one".into()));
    assert_eq!(bench.sh(own, &format!("cat {LEFT}")).await, "kept\n");
    assert_eq!(bench.boots(machine).await, 2);
}

pub(super) async fn a_guest_shuts_itself_down<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let machine = bench.started("one", 10, None).await;
    let from = bench.events.len();
    bench.must(Operation::ShutdownGuest { machine }).await;
    bench.off(from, machine).await;
    let own = bench.address(FRONTEND, 10);
    bench.is_silent(asker, own).await;
    bench.boot(machine).await;
    assert_eq!(bench.boots(machine).await, 2);
}

pub(super) async fn a_reset_is_off_and_on_again<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let from = bench.events.len();
    bench.must(Operation::Reset { machine }).await;
    assert_eq!(bench.machine(machine).power, Power::On);
    bench.up(machine).await;
    let power: Vec<Power> = bench.events[from..]
        .iter()
        .filter_map(|event| match event {
            FleetEvent::PowerChanged { power, .. } => Some(*power),
            _ => None,
        })
        .collect();
    assert_eq!(power, [Power::Off, Power::On]);
    assert_eq!(bench.boots(machine).await, 2);
    let state = bench.must(Operation::ReadState { machine }).await;
    assert_eq!(state, OperationOutput::State(json!({"boots": 2, "reconfigured": 0})), "it lost its memory");
}

pub(super) async fn power_operations_need_the_other_state<W: ContractWorld>(bench: &mut Bench<W>) {
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    let machine = bench.create(spec).await;
    let wrong = |actual| Err(OperationError::WrongPower { machine: "one".into(), actual });
    assert_eq!(bench.perform(Operation::PowerOff { machine }).await, wrong("off"));
    assert_eq!(bench.perform(Operation::Reset { machine }).await, wrong("off"));
    assert_eq!(bench.perform(Operation::ShutdownGuest { machine }).await, wrong("off"));
    assert_eq!(bench.perform(Operation::ReadState { machine }).await, Err(OperationError::NoGuest));
    bench.boot(machine).await;
    assert_eq!(bench.perform(Operation::PowerOn { machine }).await, wrong("on"));
    assert_eq!(bench.boots(machine).await, 1, "what is refused changes nothing");
}

pub(super) async fn a_machine_takes_one_order_at_a_time<W: ContractWorld>(bench: &mut Bench<W>) {
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    let machine = bench.create(spec).await;
    let from = bench.events.len();
    let first = bench.world.submit(Operation::PowerOn { machine });
    assert_eq!(bench.perform(Operation::PowerOn { machine }).await, Err(OperationError::Busy("one".into())));
    assert_eq!(bench.perform(Operation::Destroy { machine }).await, Err(OperationError::Busy("one".into())));
    assert_eq!(bench.ended(from, first).await, Ok(OperationOutput::Done));
    bench.up(machine).await;
}

pub(super) async fn a_guest_sees_its_configuration_change<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let from = bench.events.len();
    let config = [("wanted".to_owned(), "more".to_owned())].into();
    let record = [("moref".to_owned(), "vm-7".into())].into();
    let change = Reconfiguration { name: Some("renamed".into()), config, record, ..Default::default() };
    bench.must(Operation::Reconfigure { machine, change }).await;
    let spec = bench.machine(machine).spec;
    assert_eq!((spec.name.as_str(), spec.config["wanted"].as_str()), ("renamed", "more"));
    assert_eq!(spec.record["moref"], "vm-7");
    let seen = |event: &FleetEvent| matches!(event, FleetEvent::Guest { report: GuestReport::Config { key }, .. } if key == "seen");
    bench.event(from, "the guest to see its configuration", seen).await;
    assert_eq!(bench.machine(machine).spec.config["seen"], "more");

    let config = [("wanted".to_owned(), String::new())].into();
    let record = [("moref".to_owned(), serde_json::Value::Null)].into();
    let from = bench.events.len();
    bench
        .must(Operation::Reconfigure { machine, change: Reconfiguration { config, record, ..Default::default() } })
        .await;
    bench.event(from, "the guest to see that a key is gone", seen).await;
    let spec = bench.machine(machine).spec;
    assert!(spec.record.is_empty() && !spec.config.contains_key("wanted") && !spec.config.contains_key("seen"));
}

pub(super) async fn a_disk_without_an_image_boots_nothing<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let mut spec = bench.responder("empty", &[(FRONTEND, 10)], None);
    let image = spec.disks[0].image.take().expect("a responder's disk has one");
    let machine = bench.create(spec).await;
    bench.must(Operation::PowerOn { machine }).await;
    bench.until("the boot to fail", |bench| matches!(bench.machine(machine).boot, Boot::Failed(_))).await;
    assert_eq!(bench.machine(machine).power, Power::On);
    let own = bench.address(FRONTEND, 10);
    bench.is_silent(asker, own).await;
    assert_eq!(bench.perform(Operation::ReadState { machine }).await, Err(OperationError::NoGuest));

    let write = Operation::WriteDisk { machine, disk: 2000, image };
    let on = OperationError::WrongPower { machine: "empty".into(), actual: "on" };
    assert_eq!(bench.perform(write.clone()).await, Err(on));
    bench.must(Operation::PowerOff { machine }).await;
    bench.must(write).await;
    bench.boot(machine).await;
    assert_eq!(bench.get(own).await, Ok("empty".into()));
}
