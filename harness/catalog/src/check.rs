//! The checks a verdict is made of.

use crate::named::named;
use crate::{Named, World};

named! {
    /// One oracle. Each gives `pass`, `fail` or `not-covered`, with evidence.
    pub enum Check("check") {
        Outage = "outage", "every target is unreachable for no longer than the scenario allows";
        Identity = "identity", "each target answers from the backends that belong to it, before and after";
        UniqueAddressOwner = "unique-address-owner", "no address is answered for by two machines at one moment";
        Outcome = "outcome", "what the engine claims is what the world shows";
        Restored = "restored", "after rollback the system equals the captured original, level by level";
        Leftovers = "leftovers", "nothing remains that the scenario did not declare as a residual";
        Secrets = "secrets", "no password or private key is anywhere but where it belongs: on no disk, in no log";
        Terminates = "terminates", "the engine comes to an end before the horizon";
        RoutesEqual = "routes-equal", "the routes afterwards equal the routes before, per cluster, in file and in process";
        Canary = "canary", "a target outside the upgrade stays reachable; if it does not, the environment is to blame";
        Differential = "differential", "a disturbed run ends as the undisturbed one does, or as it began, and made nothing twice; exploration only";
    }
}

impl Check {
    /// The worlds in which the check can be made; elsewhere it reports `not-covered`.
    ///
    /// All but the differential check exist in both: what differs is the precision. In the docker world an outage has bounds, and
    /// the owners of an address are those seen in the neighbour table of a client.
    pub fn worlds(self) -> &'static [World] {
        match self {
            Self::Outage
            | Self::Identity
            | Self::UniqueAddressOwner
            | Self::Outcome
            | Self::Restored
            | Self::Leftovers
            | Self::Secrets
            | Self::Terminates
            | Self::RoutesEqual
            | Self::Canary => World::ALL,
            Self::Differential => &[World::Virtual],
        }
    }
}
