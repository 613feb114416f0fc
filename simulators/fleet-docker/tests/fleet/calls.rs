//! Calls into the run's networks.

use bollard::Docker;
use grenadier_wire::Failure;

use crate::world::World;

pub(crate) async fn http_and_shell(docker: Docker) {
    let mut world = World::new(docker, &["frontend"]).await;
    let address = world.net(0, 10, 24);
    let spec = world.responder("one", "frontend", address, None);
    let machine = world.create(spec).await;
    world.boot(machine).await;
    let host = world.address(0, 10);
    assert_eq!(world.get(&format!("{host}:80")).await, Ok("one".into()));
    let closed = format!("{host}:81");
    assert_eq!(world.get(&closed).await, Err(Failure::Refused { endpoint: closed.clone() }));
    let nobody = format!("{}:80", world.address(0, 77));
    assert_eq!(world.get(&nobody).await, Err(Failure::Unreachable { endpoint: nobody.clone() }));

    // The guest's own shell knows `hostname`; pipes are the real one's.
    assert_eq!(world.sh(&host, "hostname").await, "one\n");
    assert_eq!(world.sh(&host, "cat /proc/1/cmdline | tr '\\0' ' '").await, "/grenadier/agent agent ");
    assert_eq!(world.sh("one", "echo by name").await, "by name\n");
    let output = world.shell(&host, "nonsense --now").await.expect("a shell answers");
    assert_eq!(output.exit_code, 127, "{output:?}");
    let stranger = world.address(0, 77);
    assert_eq!(world.shell(&stranger, "true").await, Err(Failure::Unreachable { endpoint: stranger.clone() }));
    world.end().await;
}
