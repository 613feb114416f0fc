//! How long something lasted, as far as it is known.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use grenadier_clock::format_duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time between two bounds, in nanoseconds. They are equal where the world knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Length {
    /// It lasted at least this long.
    pub lower_ns: u64,
    /// It lasted at most this long. Budgets are judged by it.
    pub upper_ns: u64,
}

impl Length {
    /// Known exactly.
    pub const fn exact(ns: u64) -> Length {
        Length { lower_ns: ns, upper_ns: ns }
    }

    /// Whether it is known to be nothing.
    pub const fn is_zero(self) -> bool {
        self.upper_ns == 0
    }

    /// Whether both bounds agree.
    pub const fn is_exact(self) -> bool {
        self.lower_ns == self.upper_ns
    }
}

impl AddAssign for Length {
    fn add_assign(&mut self, other: Length) {
        self.lower_ns = self.lower_ns.saturating_add(other.lower_ns);
        self.upper_ns = self.upper_ns.saturating_add(other.upper_ns);
    }
}

impl fmt::Display for Length {
    /// `41.25s`, or `41.24s to 41.26s` where only bounds are known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let upper = format_duration(Duration::from_nanos(self.upper_ns));
        if self.is_exact() {
            f.pad(&upper)
        } else {
            f.pad(&format!("{} to {upper}", format_duration(Duration::from_nanos(self.lower_ns))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_shown_only_where_they_differ() {
        assert_eq!(Length::exact(41_250_000_000).to_string(), "41.25s");
        assert_eq!(Length { lower_ns: 980_000_000, upper_ns: 1_000_000_000 }.to_string(), "980ms to 1s");
        assert_eq!(format!("{:>8}", Length::exact(1_000_000)), "     1ms");
    }
}
