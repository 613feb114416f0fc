//! The networks of a served cloud: equal parts of 198.18.0.0/15, the block that is reserved for benchmarks (RFC 2544).

use std::net::Ipv4Addr;

use grenadier_fleet::SegmentSpec;
use ipnet::Ipv4Net;

/// How many networks a served cloud can have.
pub const MOST_NETWORKS: usize = 64;

const BLOCK: (Ipv4Addr, u8) = (Ipv4Addr::new(198, 18, 0, 0), 15);

/// One segment for each name, as wide as the block allows.
///
/// # Panics
/// Where there are more than [`MOST_NETWORKS`].
pub(crate) fn segments(names: &[String]) -> Vec<SegmentSpec> {
    assert!(names.len() <= MOST_NETWORKS, "the caller counts the networks");
    let parts = u32::try_from(names.len().next_power_of_two()).expect("there are few networks");
    let prefix = BLOCK.1 + u8::try_from(parts.trailing_zeros()).expect("there are few networks");
    let size = 1_u32 << (32 - prefix);
    let each = (0_u32..).zip(names).map(|(number, name)| {
        let first = Ipv4Addr::from(u32::from(BLOCK.0) + number * size);
        let subnet = Ipv4Net::new(first, prefix).expect("the prefix is one of IPv4");
        SegmentSpec { name: name.clone(), subnet: subnet.into() }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_share_the_block_and_do_not_overlap() {
        let names: Vec<String> = (0..MOST_NETWORKS).map(|number| format!("n{number}")).collect();
        let block = Ipv4Net::new(BLOCK.0, BLOCK.1).unwrap();
        for count in 1..=MOST_NETWORKS {
            let segments = segments(&names[..count]);
            for (index, one) in segments.iter().enumerate() {
                let ipnet::IpNet::V4(subnet) = one.subnet else { panic!("IPv4 only") };
                assert!(block.contains(&subnet), "{subnet}");
                assert!(segments[..index].iter().all(|other| !other.subnet.contains(&one.subnet)), "{count}");
            }
        }
        assert_eq!(segments(&names[..1])[0].subnet.to_string(), "198.18.0.0/15");
    }
}
