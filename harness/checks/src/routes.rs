//! Routes: what the operators programmed into the load balancer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// One service of a cluster: an address and port, and the backends behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// The address clients use, symbolic or resolved alike on both sides of a comparison.
    pub vip: String,
    /// Its port.
    pub port: u16,
    /// `address:port` of each backend.
    pub backends: BTreeSet<String>,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backends: Vec<&str> = self.backends.iter().map(String::as_str).collect();
        write!(
            f,
            "{}:{} to {}",
            self.vip,
            self.port,
            if backends.is_empty() { "nobody".into() } else { backends.join(", ") }
        )
    }
}

/// The routes of each cluster.
pub type RoutesByCluster = BTreeMap<String, BTreeSet<Route>>;

/// The routes of a system at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// As the configuration on disk says.
    pub file: RoutesByCluster,
    /// As the running process serves them; none where the world cannot tell.
    pub process: Option<RoutesByCluster>,
}
