//! Machines and networks that are worse than usual, and not gone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use grenadier_fleet::{Boot, MachineId, Mishap, Operation, OperationError, OperationOutput, Power, Reconfiguration};
use grenadier_wire::Failure;
use serde_json::json;

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

/// How long a boot takes, from the order to a guest that is up.
async fn boot_takes<W: ContractWorld>(bench: &mut Bench<W>, machine: MachineId) -> Duration {
    let began = bench.world.now();
    bench.boot(machine).await;
    bench.world.now() - began
}

/// How long a request takes that is answered.
async fn get_takes<W: ContractWorld>(bench: &mut Bench<W>, address: IpAddr) -> Duration {
    let began = bench.world.now();
    assert_eq!(bench.get(address).await, Ok("one".into()));
    bench.world.now() - began
}

pub(super) async fn a_slow_start_is_slow_once<W: ContractWorld>(bench: &mut Bench<W>) {
    const BY: Duration = Duration::from_secs(20);
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    let machine = bench.create(spec).await;
    bench.suffer(machine, Mishap::SlowStart(BY)).await;
    bench.must(Operation::PowerOn { machine }).await;
    let began = bench.world.now();
    assert_eq!(bench.machine(machine).boot, Boot::Booting);
    let own = bench.address(FRONTEND, 10);
    assert_eq!(bench.shell(own, "true").await, Err(Failure::Unreachable { endpoint: own.to_string() }));
    bench.up(machine).await;
    assert!(bench.world.now() - began >= BY - Duration::from_secs(1), "the order itself may take a moment of it");
    bench.must(Operation::PowerOff { machine }).await;
    assert!(boot_takes(bench, machine).await < BY, "the boot after it is as usual");
    assert_eq!(bench.boots(machine).await, 2);
}

pub(super) async fn a_machine_stands_still_until_it_goes_on<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let machine = bench.started("one", 10, Some(range)).await;
    let (own, in_range) = (bench.address(FRONTEND, 10), bench.address(FRONTEND, 70));
    bench.until("its range to have an owner", |bench| bench.told_owners(range) == [machine]).await;

    bench.suffer(machine, Mishap::Pause).await;
    assert_eq!(bench.owners(asker, in_range).await, [].into());
    bench.is_silent(asker, own).await;
    assert_eq!(bench.shell(own, "true").await, Err(Failure::Unreachable { endpoint: own.to_string() }));
    assert_eq!(bench.perform(Operation::ReadState { machine }).await, Err(OperationError::NoGuest));
    bench.take();
    assert_eq!(bench.told_owners(range), []);
    let seen = bench.machine(machine);
    assert_eq!((seen.power, seen.boot), (Power::On, Boot::Up), "its power stays on");
    let config = BTreeMap::from([("key".to_owned(), "value".to_owned())]);
    let change = Reconfiguration { config, ..Reconfiguration::default() };
    bench.must(Operation::Reconfigure { machine, change }).await;
    bench.suffer(machine, Mishap::Pause).await;

    bench.suffer(machine, Mishap::Resume).await;
    bench.take();
    assert_eq!(bench.told_owners(range), [machine]);
    assert_eq!(bench.get(in_range).await, Ok("one".into()));
    let state = OperationOutput::State(json!({"boots": 1, "reconfigured": 1}));
    assert_eq!(bench.must(Operation::ReadState { machine }).await, state, "it met what had waited for it");
    bench.suffer(machine, Mishap::Resume).await;
}

pub(super) async fn a_pause_ends_with_a_life<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let spec = bench.responder("one", &[(FRONTEND, 10)], Some(range));
    let machine = bench.create(spec).await;
    let off = OperationError::WrongPower { machine: "one".into(), actual: "off" };
    assert_eq!(bench.perform(Operation::Suffer { machine, mishap: Mishap::Pause }).await, Err(off));
    bench.boot(machine).await;
    bench.suffer(machine, Mishap::Pause).await;
    let config = BTreeMap::from([("key".to_owned(), "value".to_owned())]);
    let change = Reconfiguration { config, ..Reconfiguration::default() };
    bench.must(Operation::Reconfigure { machine, change }).await;
    bench.must(Operation::PowerOff { machine }).await;
    bench.is_off(machine);
    bench.boot(machine).await;
    let (own, in_range) = (bench.address(FRONTEND, 10), bench.address(FRONTEND, 70));
    assert_eq!(bench.get(own).await, Ok("one".into()));
    assert_eq!(bench.owners(asker, in_range).await.len(), 1);
    bench.until("its range to have an owner", |bench| bench.told_owners(range) == [machine]).await;
    let state = OperationOutput::State(json!({"boots": 2, "reconfigured": 0}));
    assert_eq!(bench.must(Operation::ReadState { machine }).await, state, "what waited for it is gone with its memory");
}

pub(super) async fn what_a_machine_is_sent_comes_late<W: ContractWorld>(bench: &mut Bench<W>) {
    const BY: Duration = Duration::from_secs(1);
    let asker = bench.started("asker", 12, None).await;
    let machine = bench.started("one", 10, None).await;
    let own = bench.address(FRONTEND, 10);
    bench.suffer(machine, Mishap::Delay(BY)).await;
    assert!(get_takes(bench, own).await >= 2 * BY, "what asks for a connection, and the request");
    assert_eq!(bench.owners(asker, own).await.len(), 1, "ARP comes at once");
    let began = bench.world.now();
    bench.sh(own, "true").await;
    assert!(bench.world.now() - began >= 2 * BY);
    bench.must(Operation::Reset { machine }).await;
    bench.up(machine).await;
    assert!(get_takes(bench, own).await >= 2 * BY, "it is the network's doing, and outlasts the machine's lives");
    bench.suffer(machine, Mishap::Delay(Duration::ZERO)).await;
    assert!(get_takes(bench, own).await < BY);
}

pub(super) async fn a_share_of_packets_is_lost<W: ContractWorld>(bench: &mut Bench<W>) {
    /// Less than Linux waits before it sends anything a second time.
    const SENT_AGAIN: Duration = Duration::from_millis(190);
    let asker = bench.started("asker", 12, None).await;
    let machine = bench.started("one", 10, None).await;
    let own = bench.address(FRONTEND, 10);
    bench.suffer(machine, Mishap::Loss(20)).await;
    // Two requests in five meet no loss at all; that forty do happens once in ten million billion times.
    let mut late = false;
    for _ in 0..40 {
        late = late || get_takes(bench, own).await >= SENT_AGAIN;
        assert_eq!(bench.owners(asker, own).await.len(), 1, "ARP is spared");
        if late {
            break;
        }
    }
    assert!(late, "nothing was lost");
    bench.suffer(machine, Mishap::Loss(0)).await;
    for _ in 0..40 {
        get_takes(bench, own).await;
    }
}
