//! Shares, as people write them.

use std::fmt;
use std::str::FromStr;

/// A share of a whole, from 1% to 99%: what is neither nothing nor everything.
///
/// ```
/// use grenadier_catalog::Percent;
///
/// let share: Percent = "20%".parse()?;
/// assert_eq!((share.get(), share.to_string().as_str()), (20, "20%"));
/// assert!("100%".parse::<Percent>().is_err() && "0.2".parse::<Percent>().is_err());
/// # Ok::<(), grenadier_catalog::PercentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

/// A text is not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a share from 1% to 99%; got `{text}`")]
pub struct PercentError {
    /// The text as it was given.
    pub text: String,
}

impl Percent {
    /// One in five.
    pub const TWENTY: Percent = Percent(20);

    /// The number before the sign.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_suffix('%')
            .filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|number| number.parse().ok())
            .filter(|number| (1..100).contains(number))
            .map(Percent)
            .ok_or_else(|| PercentError { text: text.to_owned() })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}
