//! AnyIP: the machine answers for every address of its service ranges (vmware-haproxy `anyiproutectl.sh`).

use std::collections::BTreeSet;

use grenadier_guest::Host;
use ipnet::IpNet;

use crate::{journal, paths};

/// The service's name.
pub(crate) const SERVICE: &str = "anyip-routes";

/// The AnyIP service. While it runs it watches its file, but it only ever adds: a range that is taken out of the file stays
/// until a stop, which removes the ranges that stand in the file *then*.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnyIp {
    routes: BTreeSet<IpNet>,
    /// The file when it was last looked at.
    seen: Option<bytes::Bytes>,
}

impl AnyIp {
    pub(crate) fn up(&mut self, host: &mut dyn Host) {
        for range in self.ranges(host) {
            if self.routes.insert(range) {
                journal::log(host, SERVICE, &format!("adding route for {range}"));
                host.add_local_route(range);
            } else {
                journal::log(host, SERVICE, &format!("route already exists for {range}"));
            }
        }
    }

    /// `ip route add local RANGE dev lo` by hand: the kernel has it, and the file does not.
    pub(crate) fn bind(&mut self, range: IpNet, host: &mut dyn Host) -> bool {
        let new = self.routes.insert(range);
        if new {
            host.add_local_route(range);
        }
        new
    }

    pub(crate) fn down(&mut self, host: &mut dyn Host) {
        for range in self.ranges(host) {
            if self.routes.remove(&range) {
                journal::log(host, SERVICE, &format!("removing route for {range}"));
                host.remove_local_route(range);
            } else {
                journal::log(host, SERVICE, &format!("route already removed for {range}"));
            }
        }
    }

    /// Whether the file was changed since it was last looked at.
    pub(crate) fn changed(&self, host: &dyn Host) -> bool {
        host.read(paths::ANYIP_CFG) != self.seen
    }

    pub(crate) fn routes(&self) -> &BTreeSet<IpNet> {
        &self.routes
    }

    fn ranges(&mut self, host: &mut dyn Host) -> Vec<IpNet> {
        self.seen = host.read(paths::ANYIP_CFG);
        let text = String::from_utf8_lossy(self.seen.as_deref().unwrap_or_default()).into_owned();
        let mut ranges = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match parse_range(line) {
                Some(range) => ranges.push(range),
                None => {
                    journal::log(host, SERVICE, &format!("Error: any valid prefix is expected rather than \"{line}\"."))
                }
            }
        }
        ranges
    }
}

/// A range, or one address alone.
pub(crate) fn parse_range(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .map(|range| range.trunc())
        .ok()
        .or_else(|| Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?)))
}

#[cfg(test)]
mod tests {
    use grenadier_guest::testing::TestHost;

    use super::*;

    #[test]
    fn a_watch_adds_and_only_a_stop_removes() {
        let host = &mut TestHost::default();
        let mut anyip = AnyIp::default();
        let range = |text: &str| text.parse::<IpNet>().unwrap();
        host.files.insert(paths::ANYIP_CFG.into(), "# ranges\n198.18.2.16/28\n\n198.18.2.99\nnonsense\n".into());
        assert!(anyip.changed(host));
        anyip.up(host);
        assert!(!anyip.changed(host));
        assert_eq!(host.local_routes, [range("198.18.2.16/28"), range("198.18.2.99/32")]);
        host.files.insert(paths::ANYIP_CFG.into(), "198.18.3.0/28\n198.18.2.16/28\n".into());
        assert!(anyip.changed(host));
        anyip.up(host);
        assert_eq!(host.local_routes.len(), 3);
        anyip.down(host);
        assert_eq!(host.local_routes, [range("198.18.2.99/32")]);
    }
}
