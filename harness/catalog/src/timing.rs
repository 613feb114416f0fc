//! What takes time.

use std::time::Duration;

use crate::named::named;

named! {
    /// A length of time in the virtual world; a scenario's `timing.profile` gives lengths of its own.
    pub enum TimingField("timing") {
        Create = "create", "making a machine";
        Destroy = "destroy", "removing a machine";
        PowerOn = "power-on", "from the order to power";
        PowerOff = "power-off", "from the order to silence";
        Reconfigure = "reconfigure", "changing what a machine is made of";
        Snapshot = "snapshot", "taking a snapshot without memory";
        Revert = "revert", "bringing a snapshot back";
        RemoveSnapshot = "remove-snapshot", "removing a snapshot";
        Exchange = "exchange", "one call and its answer, there and back";
        NeighbourReachableLow = "neighbour-reachable-low", "how long a neighbour (ARP) entry is trusted at least";
        NeighbourReachableHigh = "neighbour-reachable-high", "how long a neighbour (ARP) entry is trusted at most";
        NeighbourProbe = "neighbour-probe", "after that, how long until a silent neighbour is given up";
        NeighbourRetry = "neighbour-retry", "how long until an address nobody answered for is asked for again";
        NoRoute = "no-route", "how long until an address that nobody answers for is given up";
        Firmware = "firmware", "from power to the guest's first instruction";
        CloudInitFirst = "cloud-init-first", "cloud-init at a machine's first boot";
        CloudInitLater = "cloud-init-later", "cloud-init at a later boot";
        Network = "network", "addresses, policy routes and AnyIP at a boot";
        HaproxyStart = "haproxy-start", "from the start of HAProxy until it serves";
        DataplaneapiStart = "dataplaneapi-start", "from the start of the Data Plane API until it serves";
        Shutdown = "shutdown", "from the order to shut down to power off";
        ReloadDelay = "reload-delay", "from a change by the Data Plane API until HAProxy has reloaded; each version's own otherwise";
        BackoffInitial = "backoff-initial", "an operator's first pause after a failure";
        BackoffMax = "backoff-max", "an operator's longest pause";
        Resync = "resync", "how often an operator looks whether its routes are still there";
    }
}

impl TimingField {
    /// The longest that anything may take.
    pub const MOST: Duration = Duration::from_secs(3600);

    /// The shortest that this may take. What happens again and again cannot happen all the time.
    pub const fn least(self) -> Duration {
        match self {
            TimingField::NeighbourReachableLow
            | TimingField::NeighbourReachableHigh
            | TimingField::NeighbourRetry
            | TimingField::BackoffInitial
            | TimingField::BackoffMax
            | TimingField::Resync => Duration::from_millis(10),
            _ => Duration::ZERO,
        }
    }
}
