//! Which address blocks of the benchmarking range are free on an engine.

use bollard::Docker;
use bollard::query_parameters::ListNetworksOptions;
use ipnet::Ipv4Net;

/// The range that is reserved for benchmarking (RFC 2544) and collides with nobody's network.
const RANGE: &str = "198.18.0.0/15";
/// How large a block is: room for service ranges, machines, and the engine's own part.
const PREFIX: u8 = 20;

/// Why a run gets no addresses: the environment is not fit (exit code 3).
#[derive(Debug, thiserror::Error)]
pub enum BlocksError {
    /// The engine does not list its networks.
    #[error("list the engine's networks")]
    Engine(#[from] bollard::errors::Error),
    /// Too many networks of the range are there already.
    #[error(
        "only {free} of {wanted} blocks of a /{PREFIX} are free in {RANGE}; `grenadier clean` removes what killed runs left"
    )]
    Taken {
        /// How many are free.
        free: usize,
        /// How many a run needs.
        wanted: usize,
    },
}

/// The first `count` blocks of a /20 each that no network of the engine overlaps.
///
/// # Errors
/// The engine does not list its networks, or there are fewer.
pub async fn free_blocks(docker: &Docker, count: usize) -> Result<Vec<Ipv4Net>, BlocksError> {
    let networks = docker.list_networks(None::<ListNetworksOptions>).await?;
    let subnets = networks.into_iter().filter_map(|network| network.ipam?.config).flatten();
    let taken: Vec<Ipv4Net> = subnets.filter_map(|config| config.subnet?.parse().ok()).collect();
    let blocks: Vec<Ipv4Net> = free(&taken).take(count).collect();
    if blocks.len() < count { Err(BlocksError::Taken { free: blocks.len(), wanted: count }) } else { Ok(blocks) }
}

fn free(taken: &[Ipv4Net]) -> impl Iterator<Item = Ipv4Net> {
    let range: Ipv4Net = RANGE.parse().expect("the range is well-formed");
    let blocks = range.subnets(PREFIX).expect("a block is smaller than the range");
    blocks.filter(|block| taken.iter().all(|other| !other.contains(block) && !block.contains(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_network_overlaps_is_not_free() {
        let taken = ["198.18.0.0/24", "198.18.16.0/20", "172.17.0.0/16"].map(|net| net.parse().unwrap());
        let first: Vec<String> = free(&taken).take(2).map(|block| block.to_string()).collect();
        assert_eq!(first, ["198.18.32.0/20", "198.18.48.0/20"]);
        assert_eq!(free(&[]).count(), 32);
        assert_eq!(free(&["198.0.0.0/8".parse().unwrap()]).count(), 0);
    }
}
