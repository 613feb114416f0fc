//! Segments as Docker networks.
//!
//! An address that a guest takes for itself must lie inside the network's subnet: the engine's isolation rules drop the rest.
//! IPAM in turn must stay away from the addresses of scenarios. So the network has the segment's whole subnet, and IPAM the
//! top eighth of it, with the host's own address at its very end.

use std::net::IpAddr;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use grenadier_fleet::SegmentSpec;
use ipnet::{IpNet, Ipv4Net};

use crate::owner::Owner;

/// Why a segment cannot be a network.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// Only IPv4, and large enough for machines beside the engine's part.
    #[error("lay segment {segment} out as a Docker network: {subnet} is no IPv4 subnet of /27 or larger")]
    Subnet {
        /// The segment.
        segment: String,
        /// Its subnet.
        subnet: IpNet,
    },
    /// The engine refused: most often because another network has these addresses.
    #[error("create the Docker network of segment {segment} ({subnet})")]
    Engine {
        /// The segment.
        segment: String,
        /// Its subnet.
        subnet: IpNet,
        /// What the engine said.
        #[source]
        source: Error,
    },
}

/// The name of a segment's network.
pub(crate) fn network_name(run: &str, segment: &str) -> String {
    format!("grenadier-{run}-{segment}")
}

/// What IPAM may give away, and the address of the host.
fn layout(subnet: &IpNet) -> Option<(Ipv4Net, IpAddr)> {
    let IpNet::V4(subnet) = subnet else { return None };
    let subnet = subnet.trunc();
    let top = subnet.subnets(subnet.prefix_len() + 3).ok()?.last()?;
    let last = top.hosts().last()?;
    (subnet.prefix_len() <= 27).then_some((top, last.into()))
}

/// Creates a segment's network: internal, so that nothing of a rehearsal reaches anybody else.
pub(crate) async fn create(docker: &Docker, owner: &Owner, segment: &SegmentSpec) -> Result<(), SegmentError> {
    let (name, subnet) = (segment.name.clone(), segment.subnet);
    let (range, host) = layout(&subnet).ok_or_else(|| SegmentError::Subnet { segment: name.clone(), subnet })?;
    let request = NetworkCreateRequest {
        name: network_name(&owner.run, &name),
        driver: Some("bridge".to_owned()),
        internal: Some(true),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig {
                subnet: Some(subnet.trunc().to_string()),
                ip_range: Some(range.to_string()),
                gateway: Some(host.to_string()),
                ..Default::default()
            }]),
            ..Default::default()
        }),
        labels: Some(owner.labels().into_iter().collect()),
        ..Default::default()
    };
    let created = docker.create_network(request).await;
    created.map(|_| ()).map_err(|source| SegmentError::Engine { segment: name, subnet, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_gets_the_top_eighth() {
        let layout = |subnet: &str| {
            let (range, host) = layout(&subnet.parse().expect("a subnet"))?;
            Some((range.to_string(), host.to_string()))
        };
        assert_eq!(layout("198.18.0.0/20"), Some(("198.18.14.0/23".into(), "198.18.15.254".into())));
        assert_eq!(layout("198.18.1.0/24"), Some(("198.18.1.224/27".into(), "198.18.1.254".into())));
        assert_eq!(layout("198.18.1.0/28"), None);
        assert_eq!(layout("2001:db8::/64"), None);
    }
}
