//! The host is finite.

use grenadier_fleet::{Hardware, Operation, OperationError, Reconfiguration};

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND, HOST};

pub(super) async fn a_host_turns_on_no_more_than_it_has<W: ContractWorld>(bench: &mut Bench<W>) {
    let first = bench.started("one", 10, None).await;
    let spec = bench.responder("two", &[(FRONTEND, 11)], None);
    let machine = bench.create(spec).await;
    let sized =
        |cpus, memory_mib| Reconfiguration { hardware: Some(Hardware { cpus, memory_mib }), ..Default::default() };
    let all = HOST.cpus;
    bench.must(Operation::Reconfigure { machine, change: sized(all, 64) }).await;
    let refused = bench.perform(Operation::PowerOn { machine }).await;
    let (wanted, free) = (u64::from(all), u64::from(all - 1));
    assert_eq!(refused, Err(OperationError::Insufficient { resource: "cpus", wanted, free }));
    bench.is_off(machine);
    bench.must(Operation::Reconfigure { machine, change: sized(1, HOST.memory_mib) }).await;
    let refused = bench.perform(Operation::PowerOn { machine }).await;
    let (wanted, free) = (HOST.memory_mib, HOST.memory_mib - 64);
    assert_eq!(refused, Err(OperationError::Insufficient { resource: "memory_mib", wanted, free }));

    bench.must(Operation::PowerOff { machine: first }).await;
    bench.boot(machine).await;
    let on = OperationError::WrongPower { machine: "two".into(), actual: "on" };
    assert_eq!(bench.perform(Operation::Reconfigure { machine, change: sized(1, 64) }).await, Err(on));
}

pub(super) async fn a_host_stores_no_more_than_it_has<W: ContractWorld>(bench: &mut Bench<W>) {
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    let machine = bench.create(spec).await;
    let mut large = bench.responder("large", &[(FRONTEND, 11)], None);
    large.disks[0].capacity_mib = HOST.storage_mib;
    let (wanted, free) = (HOST.storage_mib, HOST.storage_mib - 16);
    let full = Err(OperationError::Insufficient { resource: "storage_mib", wanted, free });
    assert_eq!(bench.try_create(large.clone()).await, full, "disks of machines that are off count");
    bench.must(Operation::Destroy { machine }).await;
    bench.create(large.clone()).await;
    large.name = "outside".into();
    large.hosted = false;
    bench.create(large).await;
}
