//! What happens to machines by itself, and what follows from it.

use grenadier_fleet::{Boot, FleetEvent, GuestReport, Mishap, Operation, OperationError, OperationOutput, Power};
use grenadier_wire::Failure;
use serde_json::json;

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

const FILE: &str = "/etc/haproxy/x.cfg";

pub(super) async fn a_crash_needs_a_machine_that_is_on<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    bench.suffer(machine, Mishap::Crash).await;
    bench.is_off(machine);
    let off = OperationError::WrongPower { machine: "one".into(), actual: "off" };
    assert_eq!(bench.perform(Operation::Suffer { machine, mishap: Mishap::Crash }).await, Err(off));
    bench.boot(machine).await;
    assert_eq!(bench.boots(machine).await, 2);
}

pub(super) async fn a_boot_that_fails_is_followed_by_a_sound_one<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let machine = bench.started("one", 10, Some(range)).await;
    bench.suffer(machine, Mishap::BootFails).await;
    let own = bench.address(FRONTEND, 10);
    assert_eq!(bench.get(own).await, Ok("one".into()), "it is about the next boot");
    let from = bench.events.len();
    bench.must(Operation::Reset { machine }).await;
    let failed = |event: &FleetEvent| matches!(event, FleetEvent::Guest { machine: other, report: GuestReport::BootFailed(_) } if *other == machine);
    bench.event(from, "the boot to fail", failed).await;
    let seen = bench.machine(machine);
    assert_eq!((seen.power, seen.boot), (Power::On, Boot::Failed("the disk does not answer".into())));
    assert_eq!(bench.owners(asker, range.addr()).await, [].into());
    bench.is_silent(asker, own).await;
    assert_eq!(bench.perform(Operation::ReadState { machine }).await, Err(OperationError::NoGuest));
    assert_eq!(bench.boots(machine).await, 1, "the guest never ran");

    bench.must(Operation::Reset { machine }).await;
    bench.up(machine).await;
    assert_eq!(bench.get(own).await, Ok("one".into()));
    assert_eq!(bench.boots(machine).await, 2);
}

pub(super) async fn a_boot_may_get_no_address<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let spec = bench.responder("one", &[(FRONTEND, 10)], Some(range));
    let machine = bench.create(spec).await;
    bench.suffer(machine, Mishap::NoAddress).await;
    bench.boot(machine).await;
    let (own, in_range) = (bench.address(FRONTEND, 10), bench.address(FRONTEND, 70));
    bench.is_silent(asker, own).await;
    bench.is_silent(asker, in_range).await;
    bench.take();
    assert_eq!((bench.told_owners(range), bench.machine(machine).addresses.is_empty()), (vec![], true));
    assert_eq!(bench.shell(own, "true").await, Err(Failure::Unreachable { endpoint: own.to_string() }));
    assert_eq!(bench.boots(machine).await, 1, "the guest runs all the same");

    bench.must(Operation::Reset { machine }).await;
    bench.up(machine).await;
    assert_eq!(bench.get(in_range).await, Ok("one".into()), "the boot after it is sound");
}

pub(super) async fn a_full_disk_takes_only_what_replaces_as_much<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let own = bench.address(FRONTEND, 10);
    bench.sh(own, &format!("echo before > {FILE}")).await;
    bench.suffer(machine, Mishap::DiskFull).await;
    let write = format!("echo much longer > {FILE}");
    for is_after_power_off in [false, true] {
        let output = bench.shell(own, &write).await.expect("a shell answers");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.exit_code == 1 && said.contains("No space left on device"), "{output:?}");
        assert_eq!(bench.sh(own, &format!("cat {FILE}")).await, "before\n");
        assert_eq!(bench.boots(machine).await, 1, "a second boot would need one byte more");
        if !is_after_power_off {
            bench.must(Operation::PowerOff { machine }).await;
            bench.boot(machine).await;
            let state = bench.must(Operation::ReadState { machine }).await;
            assert_eq!(state, OperationOutput::State(json!({"boots": 2, "reconfigured": 0})));
        }
    }
    bench.sh(own, &format!("echo beFORE > {FILE}")).await;
    assert_eq!(bench.sh(own, &format!("cat {FILE}")).await, "beFORE\n", "it takes the room of what it replaces");
}

pub(super) async fn a_partition_cuts_a_machine_off_until_it_is_repaired<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let machine = bench.started("one", 10, Some(range)).await;
    let (own, in_range, other) =
        (bench.address(FRONTEND, 10), bench.address(FRONTEND, 70), bench.address(FRONTEND, 12));
    bench.until("its range to have an owner", |bench| bench.told_owners(range) == [machine]).await;
    assert_eq!(bench.owners(machine, other).await.len(), 1, "it reaches others before");

    bench.suffer(machine, Mishap::Partition).await;
    assert_eq!(bench.owners(asker, in_range).await, [].into());
    bench.is_silent(asker, own).await;
    assert_eq!(bench.owners(machine, other).await, [].into(), "in both directions");
    assert_eq!(bench.shell(own, "true").await, Err(Failure::Unreachable { endpoint: own.to_string() }));
    bench.take();
    assert_eq!(bench.told_owners(range), []);
    let seen = bench.machine(machine);
    assert_eq!((seen.power, seen.boot), (Power::On, Boot::Up), "its guest notices nothing");
    let state = OperationOutput::State(json!({"boots": 1, "reconfigured": 0}));
    assert_eq!(bench.must(Operation::ReadState { machine }).await, state);

    bench.suffer(machine, Mishap::Repair).await;
    bench.take();
    assert_eq!(bench.told_owners(range), [machine]);
    assert_eq!(bench.get(in_range).await, Ok("one".into()));
    assert_eq!(bench.owners(machine, other).await.len(), 1);
    assert_eq!(bench.must(Operation::ReadState { machine }).await, state, "no boot was needed");
    bench.suffer(machine, Mishap::Repair).await;
}

pub(super) async fn a_partition_outlasts_a_reset<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let spec = bench.responder("one", &[(FRONTEND, 10)], Some(range));
    let machine = bench.create(spec).await;
    bench.suffer(machine, Mishap::Partition).await;
    bench.boot(machine).await;
    let (own, in_range) = (bench.address(FRONTEND, 10), bench.address(FRONTEND, 70));
    bench.is_silent(asker, own).await;
    bench.must(Operation::Reset { machine }).await;
    bench.up(machine).await;
    bench.is_silent(asker, in_range).await;
    assert_eq!(bench.told_owners(range), []);
    bench.suffer(machine, Mishap::Repair).await;
    assert_eq!(bench.get(in_range).await, Ok("one".into()));
    assert_eq!(bench.boots(machine).await, 2);
}
