//! A machine's disk.

use grenadier_fleet::Operation;

use crate::bench::Bench;
use crate::world::{ContractWorld, FRONTEND};

const SEED: &str = "/etc/vmware/seed.cfg";
const LEFT: &str = "/etc/haproxy/left.cfg";

pub(super) async fn files_are_written_and_removed_on_and_off<W: ContractWorld>(bench: &mut Bench<W>) {
    let spec = bench.responder("one", &[(FRONTEND, 10)], None);
    let machine = bench.create(spec).await;
    bench.write_file(machine, SEED, Some("seed")).await;
    assert_eq!(&bench.files(machine).await[SEED][..], b"seed");

    bench.boot(machine).await;
    let own = bench.address(FRONTEND, 10);
    assert_eq!(bench.sh(own, &format!("cat {SEED}")).await, "seed", "written while off");
    bench.sh(own, &format!("echo by the guest > {LEFT}")).await;
    assert_eq!(&bench.files(machine).await[LEFT][..], b"by the guest\n", "read while on");
    bench.write_file(machine, LEFT, Some("from outside")).await;
    assert_eq!(bench.sh(own, &format!("cat {LEFT}")).await, "from outside", "written while on");
    bench.write_file(machine, LEFT, None).await;
    assert_eq!(
        bench.shell(own, &format!("cat {LEFT}")).await.map(|output| output.exit_code),
        Ok(1),
        "removed while on"
    );

    bench.must(Operation::PowerOff { machine }).await;
    bench.write_file(machine, SEED, None).await;
    assert_eq!(bench.files(machine).await.into_keys().collect::<Vec<_>>(), [crate::BOOTS], "removed while off");
    bench.boot(machine).await;
    assert_eq!(bench.shell(own, &format!("cat {SEED}")).await.map(|output| output.exit_code), Ok(1));
    assert_eq!(bench.boots(machine).await, 2);
}

pub(super) async fn a_disk_holds_no_more_than_its_capacity<W: ContractWorld>(bench: &mut Bench<W>) {
    let machine = bench.started("one", 10, None).await;
    let capacity = usize::try_from(bench.machine(machine).spec.disks[0].capacity_mib << 20).expect("a few MiB");
    let own = bench.address(FRONTEND, 10);
    let written = bench.shell_with(own, &format!("tee {LEFT}"), vec![b'x'; capacity]).await.expect("a shell answers");
    assert_eq!(written.exit_code, 1, "its boots take a byte");
    assert!(!bench.files(machine).await.contains_key(LEFT));
}
