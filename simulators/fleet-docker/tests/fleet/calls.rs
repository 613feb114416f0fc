//! Calls into the run's networks.

use bollard::Docker;

use crate::world::World;

pub(crate) async fn http_and_shell(docker: Docker) {
    let (world, _) = World::with_responder(docker).await;
    let host = world.address(0, 10);
    // The guest's own shell knows `hostname`; pipes are the real one's.
    assert_eq!(world.sh(&host, "hostname").await, "one\n");
    assert_eq!(world.sh(&host, "cat /proc/1/cmdline | tr '\\0' ' '").await, "/grenadier/agent agent ");
    assert_eq!(world.sh("one", "echo by name").await, "by name\n");
    world.end().await;
}
