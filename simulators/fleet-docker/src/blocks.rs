//! Which address blocks of the benchmarking range are free on an engine.

use bollard::Docker;
use bollard::query_parameters::ListNetworksOptions;
use ipnet::Ipv4Net;

/// The range that is reserved for benchmarking (RFC 2544) and collides with nobody's network.
pub(crate) const RANGE: &str = "198.18.0.0/15";
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

/// How often a run chooses anew where another one was faster.
pub const ATTEMPTS: u32 = 8;

/// The blocks that a run tries in its `attempt`-th attempt, from 0: `count` blocks of a /20 each that no network of the engine
/// overlaps now.
///
/// Nothing is claimed by this: until the networks are there, another run may choose the same. So processes begin in different
/// places of the range, and whoever comes second ([`crate::StartError::is_taken`]) chooses anew.
///
/// # Errors
/// The engine does not list its networks, or there are fewer.
pub async fn free_blocks(docker: &Docker, count: usize, attempt: u32) -> Result<Vec<Ipv4Net>, BlocksError> {
    // A process whose id is near ours, started at the same moment, is the one that is in our way.
    let first = (std::process::id() as usize + attempt as usize * 5).wrapping_mul(count);
    let networks = docker.list_networks(None::<ListNetworksOptions>).await?;
    let subnets = networks.into_iter().filter_map(|network| network.ipam?.config).flatten();
    let taken: Vec<Ipv4Net> = subnets.filter_map(|config| config.subnet?.parse().ok()).collect();
    let blocks: Vec<Ipv4Net> = free(&taken, first).take(count).collect();
    if blocks.len() < count { Err(BlocksError::Taken { free: blocks.len(), wanted: count }) } else { Ok(blocks) }
}

/// Every free block, beginning with the `first` of the range and going round.
fn free(taken: &[Ipv4Net], first: usize) -> impl Iterator<Item = Ipv4Net> {
    let range: Ipv4Net = RANGE.parse().expect("the range is well-formed");
    let blocks: Vec<Ipv4Net> = range.subnets(PREFIX).expect("a block is smaller than the range").collect();
    let first = first % blocks.len();
    let blocks = blocks.clone().into_iter().skip(first).chain(blocks.into_iter().take(first));
    blocks.filter(|block| taken.iter().all(|other| !other.contains(block) && !block.contains(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_network_overlaps_is_not_free() {
        let taken = ["198.18.0.0/24", "198.18.16.0/20", "172.17.0.0/16"].map(|net| net.parse().unwrap());
        let blocks = |first: usize| free(&taken, first).take(2).map(|block| block.to_string()).collect::<Vec<_>>();
        assert_eq!(blocks(0), ["198.18.32.0/20", "198.18.48.0/20"]);
        assert_eq!(blocks(31), ["198.19.240.0/20", "198.18.32.0/20"], "the search goes round");
        assert_eq!(free(&[], 0).count(), 32);
        assert_eq!(free(&[], 77).count(), 32);
        assert_eq!(free(&["198.0.0.0/8".parse().unwrap()], 0).count(), 0);
    }
}
