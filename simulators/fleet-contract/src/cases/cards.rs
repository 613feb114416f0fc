//! Network cards, their hardware addresses, and who answers for what.

use grenadier_fleet::{Nic, Operation, OperationError, Reconfiguration};

use crate::bench::{Bench, text};
use crate::guest::{RESPONDER, Wish};
use crate::world::{ContractWorld, FRONTEND, WORKLOAD};

pub(super) async fn a_card_keeps_its_hardware_address<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let spec = bench.responder("one", &[(FRONTEND, 10)], Some(range));
    let mac = spec.nics[0].mac;
    let machine = bench.create(spec).await;
    let addresses = [bench.address(FRONTEND, 10), bench.address(FRONTEND, 70)];
    for _ in 0..2 {
        bench.boot(machine).await;
        for address in addresses {
            assert_eq!(bench.owners(asker, address).await, [mac].into(), "{address}");
        }
        bench.must(Operation::PowerOff { machine }).await;
    }
    let stranger = bench.address(FRONTEND, 90);
    assert_eq!(bench.owners(asker, stranger).await, [].into(), "outside the range");
}

pub(super) async fn two_owners_of_a_range_both_answer<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let one = bench.started("one", 10, Some(range)).await;
    let two = bench.started("two", 11, Some(range)).await;
    let macs = [one, two].map(|machine| bench.machine(machine).spec.nics[0].mac);
    bench.until("a fight to be told", |bench| bench.told_owners(range) == [one, two]).await;
    let contested = bench.address(FRONTEND, 70);
    assert_eq!(bench.owners(asker, contested).await, macs.into());
    bench.must(Operation::PowerOff { machine: one }).await;
    bench.until("one owner to be told", |bench| bench.told_owners(range) == [two]).await;
    assert_eq!(bench.owners(asker, contested).await, [macs[1]].into());
    assert_eq!(bench.get(contested).await, Ok("two".into()));
}

pub(super) async fn cards_are_plugged_and_unplugged_while_on<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let mut spec = bench.responder("asker", &[(WORKLOAD, 12)], None);
    spec.name = "asker".into();
    let asker = bench.create(spec).await;
    bench.boot(asker).await;
    let plugged = Nic { key: 4001, segment: WORKLOAD.into(), mac: bench.mac(), connected: true };
    let addresses = vec![bench.net(FRONTEND, 10, 24), bench.net(WORKLOAD, 10, 24)];
    let wish = Wish { addresses, range: None, name: "both".into() };
    let plug = Reconfiguration {
        nics: vec![plugged.clone()],
        config: [(RESPONDER.to_owned(), text(&wish))].into(),
        ..Default::default()
    };
    bench.must(Operation::Reconfigure { machine, change: plug }).await;
    assert_eq!(bench.machine(machine).spec.nics[1], plugged);
    let own = bench.net(WORKLOAD, 10, 32);
    bench.until("an address on the new card", |bench| bench.told_owners(own) == [machine]).await;
    assert_eq!(bench.get(own.addr()).await, Ok("both".into()));
    assert_eq!(bench.owners(asker, own.addr()).await, [plugged.mac].into());

    let unplug = Reconfiguration { remove_nics: vec![4001], ..Default::default() };
    bench.must(Operation::Reconfigure { machine, change: unplug }).await;
    assert_eq!(bench.machine(machine).spec.nics.len(), 1);
    bench.until("nobody to have the address", |bench| bench.told_owners(own).is_empty()).await;
    bench.is_silent(asker, own.addr()).await;
    let first = bench.address(FRONTEND, 10);
    assert_eq!(bench.get(first).await, Ok("both".into()), "the other card stays");

    let plug = Reconfiguration { nics: vec![plugged], ..Default::default() };
    bench.must(Operation::Reconfigure { machine, change: plug }).await;
    bench.is_silent(asker, own.addr()).await;

    let nowhere = Nic { key: 4002, segment: "nowhere".into(), mac: bench.mac(), connected: true };
    let change = Reconfiguration { nics: vec![nowhere], ..Default::default() };
    let refused = bench.perform(Operation::Reconfigure { machine, change }).await;
    assert_eq!(refused, Err(OperationError::NotFound("segment `nowhere`".into())));
}

pub(super) async fn a_link_goes_down_and_comes_back<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let machine = bench.started("one", 10, Some(range)).await;
    let nic = bench.machine(machine).spec.nics[0].clone();
    let (own, in_range) = (bench.address(FRONTEND, 10), bench.address(FRONTEND, 70));
    let link = |connected| Reconfiguration { nics: vec![Nic { connected, ..nic.clone() }], ..Default::default() };
    bench.must(Operation::Reconfigure { machine, change: link(false) }).await;
    bench.until("its range to have no owner", |bench| bench.told_owners(range).is_empty()).await;
    for address in [own, in_range] {
        bench.until_silent(asker, address).await;
        bench.is_silent(asker, address).await;
    }
    bench.must(Operation::Reconfigure { machine, change: link(true) }).await;
    bench.until("its range to have an owner", |bench| bench.told_owners(range) == [machine]).await;
    bench.until_answers(in_range, "one").await;
    assert_eq!(bench.owners(asker, own).await, [nic.mac].into());
    assert_eq!(bench.boots(machine).await, 1);
}
