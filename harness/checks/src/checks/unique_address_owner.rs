//! `unique-address-owner`: no address is answered for by two machines at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use grenadier_catalog::Check as Name;
use grenadier_clock::{Time, format_duration};
use grenadier_events::Kind;
use ipnet::IpNet;

use crate::{Check, CheckResult, Facts};

/// Follows who answers ARP for which address or range, from the first event to the last. A machine that claims a range and
/// another one that claims an address within it fight as well.
pub(super) struct UniqueAddressOwner;

impl Check for UniqueAddressOwner {
    fn name(&self) -> Name {
        Name::UniqueAddressOwner
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let mut segments: BTreeMap<&str, Segment> = BTreeMap::new();
        for event in facts.events {
            if let Kind::AddressOwners { segment, address, owners } = &event.kind {
                segments.entry(segment).or_default().claim(event.t_ns, address, owners);
            }
        }
        if segments.is_empty() {
            let why = "the world does not tell who answers for an address";
            return CheckResult::not_covered(Name::UniqueAddressOwner, why);
        }
        let (mut problems, mut claims) = (Vec::new(), 0);
        for (name, segment) in &segments {
            claims += segment.claims.len();
            problems.extend(segment.fights.iter().map(|fight| fight.words(name)));
        }
        let message = match claims {
            1 => "1 address or range, with one owner at a time".to_owned(),
            _ => format!("{claims} addresses and ranges, each with one owner at a time"),
        };
        CheckResult::from_lists(Name::UniqueAddressOwner, problems, Vec::new(), message)
    }
}

/// An address or range as somebody claims it; a text that is neither stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Range {
    Net(IpNet),
    Other(String),
}

impl Range {
    fn read(text: &str) -> Range {
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map_or_else(|_| Range::Other(text.to_owned()), |net| Range::Net(net.trunc()))
    }

    fn contains(&self, other: &Range) -> bool {
        match (self, other) {
            (Range::Net(one), Range::Net(other)) => one.contains(other),
            _ => self == other,
        }
    }
}

struct Fight {
    address: String,
    owners: BTreeSet<String>,
    from: Time,
    to: Option<Time>,
}

impl Fight {
    fn words(&self, segment: &str) -> String {
        let owners: Vec<&str> = self.owners.iter().map(String::as_str).collect();
        let all = if owners.len() == 2 { "both" } else { "all" };
        let end = match self.to {
            Some(to) => format!("for {}", format_duration(to - self.from)),
            None => "to the end".to_owned(),
        };
        format!("{} on {segment}: {} {all} answer, from {} {end}", self.address, owners.join(" and "), self.from)
    }
}

#[derive(Default)]
struct Segment {
    claims: BTreeMap<Range, (String, BTreeSet<String>)>,
    fights: Vec<Fight>,
}

impl Segment {
    fn claim(&mut self, now: Time, address: &str, owners: &[String]) {
        let entry = (address.to_owned(), owners.iter().cloned().collect());
        self.claims.insert(Range::read(address), entry);
        // Ranges nest or are disjoint, so everybody who answers for a whole range has claimed it or one around it.
        let fighting: Vec<(&String, BTreeSet<String>)> = self
            .claims
            .iter()
            .filter(|(_, (_, owners))| !owners.is_empty())
            .map(|(range, (label, _))| {
                let around = self.claims.iter().filter(|(other, _)| other.contains(range));
                (label, around.flat_map(|(_, (_, owners))| owners).cloned().collect::<BTreeSet<_>>())
            })
            .filter(|(_, owners)| owners.len() > 1)
            .collect();
        for fight in self.fights.iter_mut().filter(|fight| fight.to.is_none()) {
            match fighting.iter().find(|(label, _)| **label == fight.address) {
                Some((_, owners)) => fight.owners.extend(owners.iter().cloned()),
                None => fight.to = Some(now),
            }
        }
        for (label, owners) in fighting {
            if !self.fights.iter().any(|fight| fight.address == *label && fight.to.is_none()) {
                self.fights.push(Fight { address: label.clone(), owners, from: now, to: None });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use grenadier_events::CheckStatus;
    use rstest::rstest;

    use super::*;
    use crate::testing::{bare, swap};

    /// Claims as `second address owner+owner`.
    fn made(claims: &[&str]) -> CheckResult {
        let mut run = bare();
        for claim in claims {
            let words: Vec<&str> = claim.split(' ').collect();
            let owners: Vec<&str> = words[2].split('+').filter(|owner| !owner.is_empty()).collect();
            run.owners(words[0].parse().unwrap(), words[1], &owners);
        }
        UniqueAddressOwner.make(&run.facts())
    }

    #[test]
    fn two_owners_are_a_fight() {
        let mut run = swap();
        run.owners(150, "198.18.2.16/28", &["haproxy", "haproxy-v0.2.0"]);
        run.owners(154, "198.18.2.16/28", &["haproxy-v0.2.0"]);
        let result = UniqueAddressOwner.make(&run.facts());
        assert_eq!(result.status, CheckStatus::Fail);
        assert_eq!(
            result.message,
            "198.18.2.16/28 on frontend: haproxy and haproxy-v0.2.0 both answer, from 2m30s for 4s"
        );
    }

    #[rstest]
    #[case(&["1 198.18.2.16/28 a", "2 198.18.2.20 b"], "198.18.2.20 on")]
    #[case(&["1 198.18.2.20/32 b", "2 198.18.2.16/28 a"], "198.18.2.20/32 on")]
    #[case(&["1 vip a+b"], "to the end")]
    fn overlapping_claims_are_fights(#[case] claims: &[&str], #[case] want: &str) {
        let result = made(claims);
        assert_eq!(result.status, CheckStatus::Fail);
        assert!(result.message.contains(want), "{}", result.message);
    }

    #[rstest]
    #[case(&["1 198.18.2.16/28 a", "2 198.18.2.20 a"])]
    #[case(&["1 198.18.2.16/28 a", "2 198.18.2.16/28 ", "3 198.18.2.16/28 b"])]
    #[case(&["1 198.18.2.16/28 a", "2 198.18.2.32/28 b"])]
    fn one_owner_at_a_time_is_none(#[case] claims: &[&str]) {
        assert_eq!(made(claims).status, CheckStatus::Pass, "{}", made(claims).message);
    }

    #[test]
    fn a_world_that_does_not_tell_is_not_covered() {
        assert_eq!(made(&[]).status, CheckStatus::NotCovered);
    }
}
