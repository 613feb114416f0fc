//! What somebody does behind the fleet's back.

use grenadier_fleet::Operation;

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

pub(super) async fn a_kill_from_outside_is_seen_at_once<W: ContractWorld>(bench: &mut Bench<W>) {
    let asker = bench.started("asker", 12, None).await;
    let range = bench.net(FRONTEND, 64, 28);
    let machine = bench.started("one", 10, Some(range)).await;
    bench.until("its range to have an owner", |bench| bench.told_owners(range) == [machine]).await;
    let from = bench.events.len();
    bench.world.kill(machine).await;
    bench.off(from, machine).await;
    bench.until("its range to have no owner", |bench| bench.told_owners(range).is_empty()).await;
    let own = bench.address(FRONTEND, 10);
    bench.is_silent(asker, own).await;
    bench.boot(machine).await;
    assert_eq!(bench.boots(machine).await, 2, "its disk is what it was");
    bench.must(Operation::PowerOff { machine }).await;
}
