//! One seed for a run, one random stream per component and kind.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The seed of a run. The same scenario and seed give the same event log, byte for byte, in the virtual world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of one component for one kind of draw.
    ///
    /// Streams are independent: one more draw from one shifts no other.
    pub fn stream(self, component: &str, kind: &str) -> Stream {
        Stream(ChaCha8Rng::from_seed(self.bytes(component, kind)))
    }

    /// Thirty-two bytes that follow from the seed and a name: key material for Ed25519.
    pub fn bytes(self, component: &str, kind: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        // Lengths keep ("ab", "c") apart from ("a", "bc").
        hash.update((component.len() as u64).to_le_bytes());
        hash.update(component.as_bytes());
        hash.update(kind.as_bytes());
        hash.finalize().into()
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Seed {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Seed, Self::Err> {
        text.parse().map(Seed)
    }
}

/// A stream of random draws.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`; zero where `bound` is zero.
    ///
    /// The multiply-shift reduction is biased by less than 2⁻³² for the small bounds used here, which no outcome hangs on.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }

    /// A length between `low` and `high`, both included.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = high.saturating_sub(low).as_nanos() as u64;
        low + Duration::from_nanos(self.below(span.saturating_add(1)))
    }

    /// `length`, made longer or shorter by up to `percent` per cent. Draws nothing where `percent` is zero.
    pub fn jitter(&mut self, length: Duration, percent: u8) -> Duration {
        if percent == 0 {
            return length;
        }
        let swing = length * u32::from(percent) / 100;
        self.between(length.saturating_sub(swing), length + swing)
    }

    /// A version-4 UUID in its text form.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_follow_from_seed_and_name_alone() {
        let draws = |seed: u64, component: &str, kind: &str| {
            let mut stream = Seed(seed).stream(component, kind);
            [stream.draw(), stream.draw()]
        };
        assert_eq!(draws(1, "vsphere", "uuid"), draws(1, "vsphere", "uuid"));
        assert_ne!(draws(1, "vsphere", "uuid"), draws(2, "vsphere", "uuid"));
        assert_ne!(draws(1, "vsphere", "uuid"), draws(1, "vsphere", "task"));
        assert_ne!(draws(1, "ab", "c"), draws(1, "a", "bc"));
    }

    #[test]
    fn jitter_stays_within_its_percentage_and_zero_draws_nothing() {
        let mut stream = Seed(7).stream("test", "jitter");
        let untouched = stream.clone();
        let second = Duration::from_secs(1);
        assert_eq!(stream.jitter(second, 0), second);
        assert_eq!(stream.draw(), untouched.clone().draw());
        for _ in 0..1000 {
            let length = stream.jitter(second, 10);
            assert!(length >= Duration::from_millis(900) && length <= Duration::from_millis(1100), "{length:?}");
        }
    }

    #[test]
    fn uuids_carry_version_and_variant() {
        let uuid = Seed(1).stream("test", "uuid").uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
    }
}
