//! Machines come and go.

use grenadier_fleet::{Boot, FleetEvent, MachineId, Operation, OperationError, Power};

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

pub(super) async fn a_new_machine_is_off_and_as_it_was_ordered<W: ContractWorld>(bench: &mut Bench<W>) {
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    let machine = bench.create(spec.clone()).await;
    assert!(bench.events.contains(&FleetEvent::Created { machine }));
    let seen = bench.machine(machine);
    assert_eq!((seen.id, &seen.spec, seen.power, &seen.boot), (machine, &spec, Power::Off, &Boot::Off));
    assert_eq!((seen.snapshots.len(), seen.current_snapshot), (0, None));
    assert!(bench.files(machine).await.is_empty(), "nothing was written to its disk yet");
    let address = bench.address(FRONTEND, 10);
    let asker = bench.started("asker", 12, None).await;
    bench.is_silent(asker, address).await;
}

pub(super) async fn what_cannot_be_made_is_refused<W: ContractWorld>(bench: &mut Bench<W>) {
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    bench.create(spec.clone()).await;
    assert_eq!(bench.try_create(spec.clone()).await, Err(OperationError::NameTaken("one".into())));
    let mut elsewhere = spec;
    elsewhere.name = "two".into();
    elsewhere.nics[0].segment = "nowhere".into();
    assert_eq!(bench.try_create(elsewhere).await, Err(OperationError::NotFound("segment `nowhere`".into())));
    assert_eq!(bench.world.view().machines.len(), 1);
    let nobody = MachineId(99);
    let unknown = Err(OperationError::NoSuchMachine(nobody));
    assert_eq!(bench.perform(Operation::PowerOn { machine: nobody }).await, unknown);
    assert_eq!(bench.perform(Operation::ReadFiles { machine: nobody }).await, unknown);
}

pub(super) async fn only_a_machine_that_is_off_is_destroyed<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let on = OperationError::WrongPower { machine: "one".into(), actual: "on" };
    assert_eq!(bench.perform(Operation::Destroy { machine }).await, Err(on));
    bench.must(Operation::PowerOff { machine }).await;
    bench.must(Operation::Destroy { machine }).await;
    assert!(bench.events.contains(&FleetEvent::Destroyed { machine, name: "one".into() }));
    assert!(bench.world.view().machines.is_empty());
    assert_eq!(bench.perform(Operation::Destroy { machine }).await, Err(OperationError::NoSuchMachine(machine)));
    let next = bench.started("one", 10, None).await;
    assert_ne!(next, machine, "a number is never used twice");
    assert_eq!(bench.boots(next).await, 1, "a disk is gone with its machine");
}
