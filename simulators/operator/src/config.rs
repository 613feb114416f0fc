//! What an operator is told.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use grenadier_guest::Host;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The configuration key that says what the operator does.
const CONFIG_KEY: &str = "guestinfo.operator";

/// What an operator is and wants, as its configuration key says it in JSON.
///
/// The password stands in it: the machine's configuration is one of the places where it may legitimately be.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OperatorConfig {
    /// Its cluster; the first part of the names of all it owns.
    pub cluster: String,
    /// Its own addresses with the prefixes of their networks, one for each NIC in the order of the NICs.
    pub addresses: Vec<IpNet>,
    /// Host and port of the Data Plane API.
    pub endpoint: String,
    /// The Data Plane API's user.
    pub user: String,
    /// That user's password.
    pub password: String,
    /// SHA-256 of the only certificate it trusts, in lowercase hexadecimal.
    pub pin: String,
    /// How long it waits after the first failure, in milliseconds; twice as long after each further one …
    pub backoff_initial_ms: u64,
    /// … but never longer than this.
    pub backoff_max_ms: u64,
    /// How long after a success it looks again, in milliseconds.
    pub resync_ms: u64,
    /// What it wants.
    pub load_balancers: Vec<LoadBalancer>,
}

/// One load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoadBalancer {
    /// Its name.
    pub name: String,
    /// Its address.
    pub vip: IpAddr,
    /// Its port.
    pub port: u16,
    /// Where its connections go.
    pub backends: Vec<SocketAddr>,
}

impl OperatorConfig {
    pub(crate) fn read(host: &dyn Host) -> Result<OperatorConfig, String> {
        let text = host.config(CONFIG_KEY).ok_or_else(|| format!("{CONFIG_KEY} is not set"))?;
        // The error tells the place, not the text: a password is in it.
        let error = |error: serde_json::Error| {
            format!("{CONFIG_KEY} cannot be read: line {}, column {}", error.line(), error.column())
        };
        serde_json::from_str(&text).map_err(error)
    }

    /// How long it waits after so many failures in a row, without jitter.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
        Duration::from_millis(self.backoff_initial_ms.saturating_mul(doubled).min(self.backoff_max_ms))
    }

    /// What the names of everything it owns begin with.
    pub(crate) fn prefix(&self) -> String {
        format!("{}-", self.cluster)
    }
}

impl std::fmt::Debug for OperatorConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorConfig")
            .field("cluster", &self.cluster)
            .field("endpoint", &self.endpoint)
            .field("load_balancers", &self.load_balancers)
            .finish_non_exhaustive()
    }
}
