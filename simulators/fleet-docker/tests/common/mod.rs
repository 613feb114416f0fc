//! What the tests against a real engine share.

use bollard::Docker;

/// The engine, or `None` after saying that the test could not be made.
pub(crate) async fn engine() -> Option<Docker> {
    match grenadier_fleet_docker::engine::connect().await {
        Ok(docker) => Some(docker),
        Err(error) => {
            println!("not covered: no Docker engine ({error})");
            None
        }
    }
}
