//! What mishaps are in a container.

use std::time::Duration;

use bollard::Docker;
use grenadier_fleet::{Mishap, Operation, OperationError};

use crate::world::World;

pub(crate) async fn programs_on_a_full_disk(docker: Docker) {
    let (mut world, machine) = World::with_responder(docker).await;
    let host = world.address(0, 10);
    // A pipe is the real shell's, and so is what it writes.
    let write = "echo content | cat > /etc/written";
    world.sh(&host, write).await;
    world.must(Operation::Suffer { machine, mishap: Mishap::DiskFull }).await;
    for _ in 0..2 {
        let output = world.shell(&host, write).await.expect("it is up");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.exit_code == 1 && said.contains("File too large"), "{output:?}");
        assert_eq!(world.sh(&host, "echo through a pipe | tr a-z A-Z").await, "THROUGH A PIPE\n");
        world.must(Operation::PowerOff { machine }).await;
        world.boot(machine).await;
    }
    world.end().await;
}

pub(crate) async fn large_packets_come_late_and_whole(docker: Docker) {
    let (mut world, machine) = World::with_responder(docker).await;
    let address = world.net(0, 12, 24);
    let spec = world.responder("asker", "frontend", address, None);
    let asker = world.create(spec).await;
    world.boot(asker).await;
    world.must(Operation::Suffer { machine, mishap: Mishap::Delay(Duration::from_millis(100)) }).await;
    // Containers hand each other packets of 64 KiB, whose checksums nobody has reckoned yet.
    let host = world.address(0, 10);
    let send = format!(
        "use IO::Socket::INET; my $to = IO::Socket::INET->new('{host}:80') or die;\
         print $to \"POST / HTTP/1.1\\r\\nHost: one\\r\\nConnection: close\\r\\nContent-Length: 3000000\\r\\n\\r\\n\" . 'x' x 3000000;\
         $to->flush; print <$to>;"
    );
    let answered = world.exec(asker, "asker", &["perl", "-e", &send]).await;
    assert!(answered.starts_with("HTTP/1.1 200 OK") && answered.ends_with("one"), "{answered}");
    world.end().await;
}

pub(crate) async fn a_partition_leaves_the_card_alone(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let (address, range) = (world.net(0, 10, 24), world.net(0, 64, 28));
    let spec = world.responder("one", "frontend", address, Some(range));
    let machine = world.create(spec).await;
    world.boot(machine).await;
    let look = ["sh", "-c", "ip -oneline address show dev eth0; ip route show table all; ip rule"];
    let before = world.exec(machine, "one", &look).await;
    assert!(before.contains(&world.address(0, 10)) && before.contains("local"), "{before}");
    world.must(Operation::Suffer { machine, mishap: Mishap::Partition }).await;
    assert_eq!(world.exec(machine, "one", &look).await, before);
    world.must(Operation::Suffer { machine, mishap: Mishap::Repair }).await;
    assert_eq!(world.exec(machine, "one", &look).await, before);
    assert!(!world.exec(machine, "one", &["tc", "qdisc", "show", "dev", "eth0"]).await.contains("clsact"));
    world.end().await;
}

pub(crate) async fn a_partition_that_cannot_be_made(docker: Docker) {
    let (mut world, machine) = World::with_responder(docker).await;
    // Somebody's own queueing discipline stands where ours would.
    world.exec(machine, "one", &["tc", "qdisc", "add", "dev", "eth0", "ingress"]).await;
    let cannot = world.perform(Operation::Suffer { machine, mishap: Mishap::Partition }).await;
    let said = cannot.as_ref().map_err(ToString::to_string).unwrap_err();
    assert!(matches!(cannot, Err(OperationError::Unsupported(_))), "{said}");
    assert!(said.starts_with("this world cannot cut a machine off from its networks: tc "), "{said}");
    let host = world.address(0, 10);
    assert_eq!(world.get(&format!("{host}:80")).await, Ok("one".into()), "it is as it was");
    assert_eq!(world.sh(&host, "hostname").await, "one\n");
    world.end().await;
}
