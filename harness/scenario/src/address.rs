//! Symbolic addresses: `frontend+20`, `frontend+16/28`.
//!
//! A scenario never says an IP address. It says "the twentieth of the frontend segment"; each run resolves that in its own
//! [`Blocks`], so that runs do not collide and captured states translate back to the same words.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use grenadier_catalog::{Named as _, Segment};
use ipnet::Ipv4Net;
use serde::{Serialize, Serializer};
use thiserror::Error;

/// How many addresses at the beginning of each segment are for service ranges; a run places its machines behind them.
pub const SERVICE_ADDRESSES: u32 = 512;

/// An address, counted from the base of its segment's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolicAddress {
    /// The segment.
    pub segment: Segment,
    /// Distance from the base address of the segment's network.
    pub offset: u32,
}

/// A range of addresses within a segment, as a service range is: `frontend+16/28`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolicRange {
    /// The segment.
    pub segment: Segment,
    /// Distance of the range's first address from the base address of the segment's network.
    pub offset: u32,
    /// Prefix length, 0 to 32.
    pub prefix: u8,
}

/// A text is not a symbolic address or not a symbolic range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// It does not have the form of an address.
    #[error("expected an address such as frontend+20; got `{text}`")]
    Address {
        /// The text as it was given.
        text: String,
    },
    /// It does not have the form of a range.
    #[error("expected an address range such as frontend+16/28; got `{text}`")]
    Range {
        /// The text as it was given.
        text: String,
    },
    /// It names a segment that does not exist.
    #[error("no segment is called `{segment}`")]
    Segment {
        /// The name before the plus sign.
        segment: String,
    },
}

/// Where one run places its segments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blocks {
    networks: BTreeMap<Segment, Ipv4Net>,
}

/// A symbolic address has no place in a run's blocks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// The run has no such segment.
    #[error("resolve {symbol}: this run has no segment {segment}")]
    NoSegment {
        /// The address or range.
        symbol: String,
        /// Its segment.
        segment: Segment,
    },
    /// The address lies outside the segment's network.
    #[error("resolve {symbol}: it is not inside {network}")]
    Outside {
        /// The address or range.
        symbol: String,
        /// The segment's network in this run.
        network: Ipv4Net,
    },
}

impl Blocks {
    /// Blocks with these networks. Host bits of a network are ignored.
    pub fn new(networks: impl IntoIterator<Item = (Segment, Ipv4Net)>) -> Self {
        Self { networks: networks.into_iter().map(|(segment, network)| (segment, network.trunc())).collect() }
    }

    /// The network of a segment, if the run has it.
    pub fn network(&self, segment: Segment) -> Option<Ipv4Net> {
        self.networks.get(&segment).copied()
    }

    /// The other way round: the symbolic form of an address, if it lies in one of the blocks.
    pub fn symbolic(&self, address: IpAddr) -> Option<SymbolicAddress> {
        let IpAddr::V4(address) = address else { return None };
        self.networks.iter().find(|(_, network)| network.contains(&address)).map(|(segment, network)| SymbolicAddress {
            segment: *segment,
            offset: u32::from(address) - u32::from(network.network()),
        })
    }

    fn place(&self, segment: Segment, offset: u32, symbol: &dyn fmt::Display) -> Result<Ipv4Addr, ResolveError> {
        let network =
            self.network(segment).ok_or_else(|| ResolveError::NoSegment { symbol: symbol.to_string(), segment })?;
        u32::from(network.network())
            .checked_add(offset)
            .map(Ipv4Addr::from)
            .filter(|address| network.contains(address))
            .ok_or_else(|| ResolveError::Outside { symbol: symbol.to_string(), network })
    }
}

impl SymbolicAddress {
    /// The address in a run.
    ///
    /// # Errors
    ///
    /// When the run has no such segment or its network is too small.
    pub fn resolve(self, blocks: &Blocks) -> Result<IpAddr, ResolveError> {
        blocks.place(self.segment, self.offset, &self).map(IpAddr::V4)
    }
}

impl SymbolicRange {
    /// How many addresses the range has.
    pub fn size(self) -> u64 {
        1 << (32 - u32::from(self.prefix.min(32)))
    }

    /// Whether the address is in the range.
    pub fn contains(self, address: SymbolicAddress) -> bool {
        let first = u64::from(self.offset);
        self.segment == address.segment && (first..first + self.size()).contains(&u64::from(address.offset))
    }

    /// Whether an address is in both ranges.
    pub fn overlaps(self, other: Self) -> bool {
        let end = |range: Self| u64::from(range.offset) + range.size();
        self.segment == other.segment && u64::from(self.offset) < end(other) && u64::from(other.offset) < end(self)
    }

    /// The addresses of the range, in order.
    pub fn addresses(self) -> impl Iterator<Item = SymbolicAddress> {
        let first = u64::from(self.offset);
        (first..first + self.size())
            .map_while(|offset| u32::try_from(offset).ok())
            .map(move |offset| SymbolicAddress { segment: self.segment, offset })
    }

    /// The range in a run.
    ///
    /// # Errors
    ///
    /// When the run has no such segment, its network is too small, or the range does not begin at a multiple of its size.
    pub fn resolve(self, blocks: &Blocks) -> Result<Ipv4Net, ResolveError> {
        let first = blocks.place(self.segment, self.offset, &self)?;
        let network = blocks.network(self.segment).expect("an address was placed in it");
        Ipv4Net::new(first, self.prefix)
            .ok()
            .filter(|range| range.network() == first && network.contains(range))
            .ok_or_else(|| ResolveError::Outside { symbol: self.to_string(), network })
    }
}

/// Splits `segment+rest`; `None` if there is no plus sign.
fn segment_and_rest(text: &str) -> Option<Result<(Segment, &str), AddressError>> {
    let (segment, rest) = text.split_once('+')?;
    Some(
        Segment::parse(segment)
            .map(|found| (found, rest))
            .ok_or_else(|| AddressError::Segment { segment: segment.to_owned() }),
    )
}

/// A decimal number without sign.
fn number<T: FromStr>(text: &str) -> Option<T> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl FromStr for SymbolicAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AddressError::Address { text: text.to_owned() };
        let (segment, offset) = segment_and_rest(text).ok_or_else(error)?.map_err(|unknown| {
            // `a+b` is no address at all; `frontned+20` is one with a misspelt segment.
            if text.split_once('+').is_some_and(|(_, rest)| number::<u32>(rest).is_some()) { unknown } else { error() }
        })?;
        Ok(Self { segment, offset: number(offset).ok_or_else(error)? })
    }
}

impl FromStr for SymbolicRange {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AddressError::Range { text: text.to_owned() };
        let (address, prefix) = text.split_once('/').ok_or_else(error)?;
        let prefix = number(prefix).filter(|prefix| *prefix <= 32).ok_or_else(error)?;
        let SymbolicAddress { segment, offset } = address.parse().map_err(|wrong| match wrong {
            AddressError::Segment { .. } => wrong,
            AddressError::Address { .. } | AddressError::Range { .. } => error(),
        })?;
        Ok(Self { segment, offset, prefix })
    }
}

impl fmt::Display for SymbolicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.segment, self.offset)
    }
}

impl fmt::Display for SymbolicRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}/{}", self.segment, self.offset, self.prefix)
    }
}

impl Serialize for SymbolicAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for SymbolicRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> Blocks {
        Blocks::new([
            (Segment::Workload, "198.18.4.0/24".parse().unwrap()),
            (Segment::Frontend, "198.18.5.0/24".parse().unwrap()),
        ])
    }

    #[test]
    fn an_address_resolves_in_the_block_of_its_run_and_back() {
        let vip: SymbolicAddress = "frontend+20".parse().unwrap();
        let address = vip.resolve(&blocks()).unwrap();
        assert_eq!(address.to_string(), "198.18.5.20");
        assert_eq!(blocks().symbolic(address), Some(vip));
        assert_eq!(blocks().symbolic("198.19.0.1".parse().unwrap()), None);
    }

    #[test]
    fn what_lies_outside_the_block_does_not_resolve() {
        let resolve = |text: &str| text.parse::<SymbolicAddress>().unwrap().resolve(&blocks()).unwrap_err().to_string();
        assert_eq!(resolve("frontend+256"), "resolve frontend+256: it is not inside 198.18.5.0/24");
        assert_eq!(resolve("frontend+4294967295"), "resolve frontend+4294967295: it is not inside 198.18.5.0/24");
        assert_eq!(resolve("management+2"), "resolve management+2: this run has no segment management");
    }

    #[test]
    fn a_range_knows_its_addresses() {
        let range: SymbolicRange = "frontend+16/28".parse().unwrap();
        let at = |text: &str| text.parse::<SymbolicAddress>().unwrap();
        assert!(range.contains(at("frontend+16")) && range.contains(at("frontend+31")));
        assert!(!range.contains(at("frontend+32")) && !range.contains(at("workload+20")));
        assert_eq!(range.addresses().count(), 16);
        assert_eq!(range.resolve(&blocks()).unwrap().to_string(), "198.18.5.16/28");
        assert!("frontend+20/28".parse::<SymbolicRange>().unwrap().resolve(&blocks()).is_err());
        assert!("frontend+0/23".parse::<SymbolicRange>().unwrap().resolve(&blocks()).is_err());
        assert!(range.overlaps("frontend+24/29".parse().unwrap()));
        assert!(!range.overlaps("frontend+32/28".parse().unwrap()));
    }

    #[test]
    fn what_is_no_address_is_said() {
        let address = |text: &str| text.parse::<SymbolicAddress>().unwrap_err().to_string();
        for text in
            ["", "20", "frontend", "frontend+", "frontend+-1", "frontend++1", "frontend+20/28", "198.18.0.1", "a+b"]
        {
            assert_eq!(address(text), format!("expected an address such as frontend+20; got `{text}`"));
        }
        assert_eq!(address("frontned+20"), "no segment is called `frontned`");
        let range = |text: &str| text.parse::<SymbolicRange>().unwrap_err().to_string();
        for text in ["", "frontend+16", "frontend+16/33", "frontend+16/", "frontend/28", "frontend+16/+28"] {
            assert_eq!(range(text), format!("expected an address range such as frontend+16/28; got `{text}`"));
        }
        assert_eq!(range("frontned+16/28"), "no segment is called `frontned`");
    }
}
