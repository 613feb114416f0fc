//! Scenarios and performers for tests.

/// A scenario that passes in the virtual world.
pub(crate) const SMALL: &str = "\
name: small
system: haproxy-appliance
from: v0.1.10
to: v0.2.0
topology: {vsphere: 7.0.1, networks: frontend}
create:
  - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
rollback: never
expect:
  outcome: upgraded
  outage: {at-most: 90s}
  residuals: [old-appliance-powered-off]
";
