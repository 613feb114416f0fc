//! Sizes as people write them: `512MiB`, `32GiB`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Units, largest first.
const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// A text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a size such as 512MiB or 32GiB; got `{text}`")]
pub struct SizeError {
    /// The text as it was given.
    pub text: String,
}

impl ByteSize {
    /// A size of that many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// A size of that many GiB.
    ///
    /// # Panics
    ///
    /// When that is more than a `u64` of bytes.
    pub const fn from_gib(gib: u64) -> Self {
        Self(gib.checked_mul(1 << 30).expect("a size below 16 EiB"))
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || SizeError { text: text.to_owned() };
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, unit) = text.split_at(end);
        let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        let number: u64 = number.parse().map_err(|_| error())?;
        number.checked_mul(1 << shift).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitting = UNITS.iter().find(|(_, shift)| self.0 >= 1 << shift && self.0.trailing_zeros() >= *shift);
        match fitting {
            Some((unit, shift)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print_alike() {
        for (text, bytes) in [("1KiB", 1024), ("512MiB", 536_870_912), ("32GiB", 34_359_738_368), ("3TiB", 3 << 40)] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, text));
        }
        assert_eq!(ByteSize::from_gib(2048).to_string(), "2TiB");
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "32", "GiB", "32GB", "32 GiB", "-1GiB", "1.5GiB", "99999999999999999999GiB", "99999999TiB"] {
            let message = text.parse::<ByteSize>().unwrap_err().to_string();
            assert_eq!(message, format!("expected a size such as 512MiB or 32GiB; got `{text}`"));
        }
    }
}
