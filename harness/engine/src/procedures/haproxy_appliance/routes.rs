//! What the operators have programmed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::dataplane::{Dataplane, DataplaneError, Socket};

/// One load balancer as the Data Plane API knows it.
///
/// The servers behind it are left out: they change as the cluster's machines do, upgrade or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Route {
    /// The cluster whose operator programs it.
    pub(super) cluster: String,
    /// The frontend's name.
    pub(super) frontend: String,
    /// Addresses and ports it listens on.
    pub(super) binds: BTreeSet<String>,
}

/// The routes of these clusters: the frontends called `<cluster>-…`.
pub(super) async fn programmed(api: &Dataplane, clusters: &[&str]) -> Result<BTreeSet<Route>, DataplaneError> {
    let mut routes = BTreeSet::new();
    for frontend in api.frontends().await? {
        let owned = |cluster: &&&str| frontend.name.strip_prefix(**cluster).is_some_and(|rest| rest.starts_with('-'));
        // Of `tenant-1` and `tenant-1-b` the longer name owns `tenant-1-b-api`.
        let Some(cluster) = clusters.iter().filter(owned).max_by_key(|cluster| cluster.len()) else { continue };
        let binds = sockets(api.binds(&frontend.name).await?);
        routes.insert(Route { cluster: (*cluster).to_owned(), frontend: frontend.name, binds });
    }
    Ok(routes)
}

fn sockets(sockets: Vec<Socket>) -> BTreeSet<String> {
    let text = |socket: Socket| match socket.port {
        Some(port) => format!("{}:{port}", socket.address),
        None => socket.address,
    };
    sockets.into_iter().map(text).collect()
}

/// The routes that were there before and are not now, for a message.
pub(super) fn missing(before: &BTreeSet<Route>, now: &BTreeSet<Route>) -> Vec<String> {
    before.difference(now).map(|route| route.frontend.clone()).collect()
}
