//! Snapshots that restore.

use grenadier_fleet::{
    FleetEvent, Hardware, MachineId, Operation, OperationError, OperationOutput, Power, Reconfiguration, SnapshotId,
};

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

const FILE: &str = "/etc/haproxy/x.cfg";
const NEW: &str = "/etc/haproxy/new.cfg";

async fn take<W: ContractWorld>(bench: &mut Bench<W>, machine: MachineId, name: &str, memory: bool) -> SnapshotId {
    let operation = Operation::Snapshot { machine, name: name.into(), description: "why".into(), memory };
    match bench.must(operation).await {
        OperationOutput::Snapshot(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn a_revert_brings_everything_back_but_the_name<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    let mac = spec.nics[0].mac;
    let machine = bench.create(spec.clone()).await;
    bench.boot(machine).await;
    let own = bench.address(FRONTEND, 10);
    bench.sh(own, &format!("echo before > {FILE}")).await;
    let snapshot = take(bench, machine, "upgrade", false).await;
    assert_eq!(bench.machine(machine).power, Power::On, "a snapshot does not disturb");
    bench.sh(own, &format!("echo after > {FILE}")).await;
    bench.sh(own, &format!("echo new > {NEW}")).await;
    bench.must(Operation::PowerOff { machine }).await;
    let change = Reconfiguration {
        name: Some("renamed".into()),
        hardware: Some(Hardware { cpus: 2, memory_mib: 128 }),
        config: [("added".to_owned(), "yes".to_owned()), ("responder".to_owned(), String::new())].into(),
        record: [("moref".to_owned(), "vm-7".into())].into(),
        remove_nics: vec![4000],
        ..Default::default()
    };
    bench.must(Operation::Reconfigure { machine, change }).await;
    bench.must(Operation::PowerOn { machine }).await;

    let from = bench.events.len();
    bench.must(Operation::Revert { machine, snapshot, suppress_power_on: false }).await;
    bench.is_off(machine);
    let told = FleetEvent::Snapshot { machine, snapshot: "upgrade".into(), action: "reverted" };
    assert!(bench.events[from..].contains(&told));
    let seen = bench.machine(machine);
    assert_eq!(seen.current_snapshot, Some(snapshot));
    assert_eq!((seen.spec.name.as_str(), &seen.spec.nics), ("renamed", &spec.nics), "the name is the inventory's");
    assert_eq!((seen.spec.hardware, &seen.spec.config, &seen.spec.record), (spec.hardware, &spec.config, &spec.record));
    let files = bench.files(machine).await;
    assert_eq!((&files[FILE][..], files.contains_key(NEW)), (&b"before\n"[..], false));

    bench.boot(machine).await;
    assert_eq!(bench.owners(asker, own).await, [mac].into(), "the same card");
    assert_eq!(bench.sh(own, &format!("cat {FILE}")).await, "before\n");
    assert_eq!(bench.boots(machine).await, 2, "one before the snapshot, one now");
}

pub(super) async fn snapshots_form_a_tree<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let own = bench.address(FRONTEND, 10);
    bench.sh(own, &format!("echo first > {FILE}")).await;
    let first = take(bench, machine, "upgrade", false).await;
    bench.sh(own, &format!("echo second > {FILE}")).await;
    let second = take(bench, machine, "upgrade", false).await;
    assert_ne!(first, second, "names may repeat, numbers do not");
    bench.must(Operation::Revert { machine, snapshot: first, suppress_power_on: false }).await;
    let third = take(bench, machine, "branch", false).await;
    let tree: Vec<_> = bench
        .machine(machine)
        .snapshots
        .iter()
        .map(|snapshot| (snapshot.id, snapshot.parent, snapshot.power, snapshot.description.clone()))
        .collect();
    let entry = |id, parent, power| (id, parent, power, "why".to_owned());
    let wanted =
        [entry(first, None, Power::On), entry(second, Some(first), Power::On), entry(third, Some(first), Power::Off)];
    assert_eq!(tree, wanted);

    bench.must(Operation::Revert { machine, snapshot: second, suppress_power_on: false }).await;
    assert_eq!(&bench.files(machine).await[FILE][..], b"second\n");
    bench.must(Operation::RemoveSnapshot { machine, snapshot: first, children: false }).await;
    let seen = bench.machine(machine);
    let parents: Vec<_> = seen.snapshots.iter().map(|snapshot| (snapshot.id, snapshot.parent)).collect();
    assert_eq!((parents, seen.current_snapshot), (vec![(second, None), (third, None)], Some(second)));
    bench.must(Operation::RemoveSnapshot { machine, snapshot: second, children: true }).await;
    bench.boot(machine).await;
    assert_eq!(bench.sh(own, &format!("cat {FILE}")).await, "second\n", "the machine stays as it is");
    assert_eq!(bench.machine(machine).current_snapshot, None);
    let gone = Operation::Revert { machine, snapshot: first, suppress_power_on: false };
    assert!(matches!(bench.perform(gone).await, Err(OperationError::NotFound(_))));
}

pub(super) async fn a_snapshot_with_memory_comes_back_on<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let snapshot = take(bench, machine, "live", true).await;
    let own = bench.address(FRONTEND, 10);
    bench.sh(own, &format!("echo after > {FILE}")).await;
    bench.must(Operation::PowerOff { machine }).await;
    bench.must(Operation::Revert { machine, snapshot, suppress_power_on: false }).await;
    assert_eq!(bench.machine(machine).power, Power::On);
    assert_eq!(bench.get(own).await, Ok("one".into()));
    assert_eq!(bench.boots(machine).await, 1, "it goes on without a boot");
    bench.must(Operation::Revert { machine, snapshot, suppress_power_on: true }).await;
    bench.is_off(machine);
}
