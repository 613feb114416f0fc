//! Generations of HAProxy.

/// A version of HAProxy, as far as the model's behaviour hangs on it: its first two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation {
    major: u32,
    minor: u32,
}

impl Generation {
    pub(super) const fn new(major: u32, minor: u32) -> Generation {
        Generation { major, minor }
    }

    /// The generation of a version such as `2.6.12`. What is no number counts as 0.
    pub(super) fn of(version: &str) -> Generation {
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or_default());
        Generation { major: numbers.next().unwrap_or_default(), minor: numbers.next().unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_ordered_by_number() {
        let [oldest, middle, newest] = ["2.2.9", "2.10.1", "3.0.11"].map(Generation::of);
        assert_eq!(oldest, Generation::new(2, 2));
        assert!(oldest < middle && middle < newest);
    }
}
