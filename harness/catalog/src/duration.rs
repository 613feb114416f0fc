//! Durations as people write them: `10ms`, `1.5s`, `90s`, `5m`, `1h`.

use std::time::Duration;

use thiserror::Error;

/// Units, their length in nanoseconds, longest first.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationError {
    /// It does not have the form number and unit.
    #[error("expected a duration such as 10ms, 90s, 5m; got `{text}`")]
    Form {
        /// The text as it was given.
        text: String,
    },
    /// It is a number alone.
    #[error("expected a duration with its unit, such as {text}s or {text}ms; got `{text}`")]
    NoUnit {
        /// The text as it was given.
        text: String,
    },
    /// It is finer than a nanosecond or longer than about five centuries.
    #[error("expected a duration of whole nanoseconds below 500 years; got `{text}`")]
    Range {
        /// The text as it was given.
        text: String,
    },
}

/// Reads a duration: one number, possibly with a decimal point, and one unit out of `h`, `m`, `s`, `ms`, `us`, `ns`.
///
/// # Errors
///
/// When the text has another form, no unit, or does not fit into a `u64` of nanoseconds exactly.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let form = || DurationError::Form { text: text.to_owned() };
    let range = || DurationError::Range { text: text.to_owned() };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
    let malformed_fraction = fraction.is_some_and(|rest| rest.is_empty() || rest.contains('.'));
    if whole.is_empty() || malformed_fraction {
        return Err(form());
    }
    if unit.is_empty() {
        return Err(DurationError::NoUnit { text: text.to_owned() });
    }
    let (_, unit_ns) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
    let unit_ns = u128::from(*unit_ns);
    let mut total_ns = whole.parse::<u64>().map(u128::from).map_err(|_| range())? * unit_ns;
    if let Some(rest) = fraction {
        // Sixteen digits are more than an hour has nanoseconds; what is finer cannot be exact.
        let digits = rest.trim_end_matches('0');
        let scale = 10_u128.checked_pow(u32::try_from(digits.len()).map_err(|_| range())?).ok_or_else(range)?;
        let scaled =
            if digits.is_empty() { 0 } else { digits.parse::<u64>().map(u128::from).map_err(|_| range())? } * unit_ns;
        if scaled % scale != 0 {
            return Err(range());
        }
        total_ns += scaled / scale;
    }
    u64::try_from(total_ns).map(Duration::from_nanos).map_err(|_| range())
}

/// Writes a duration in the largest unit that divides it: what [`parse_duration`] reads back to the same value.
pub fn format_duration(duration: Duration) -> String {
    let total_ns = duration.as_nanos();
    if total_ns == 0 {
        return "0s".to_owned();
    }
    // 90 s is how people say it, not 1.5m; so only whole multiples. The last unit divides everything.
    let (unit, unit_ns) = UNITS
        .iter()
        .find(|(_, unit_ns)| total_ns.is_multiple_of(u128::from(*unit_ns)))
        .expect("one nanosecond divides every duration");
    format!("{}{unit}", total_ns / u128::from(*unit_ns))
}

/// `#[serde(with = "duration_serde")]`: a [`Duration`] as the text people write.
pub mod duration_serde {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the duration as text.
    ///
    /// # Errors
    ///
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format_duration(*duration))
    }

    /// Reads the duration from text.
    ///
    /// # Errors
    ///
    /// When the text is not a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        super::parse_duration(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, ns) in [
            ("10ms", 10_000_000),
            ("1.5s", 1_500_000_000),
            ("90s", 90_000_000_000),
            ("5m", 300_000_000_000),
            ("1h", 3_600_000_000_000),
            ("0s", 0),
            ("0.000000001s", 1),
            ("1.50000000000000000000s", 1_500_000_000),
            ("7ns", 7),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn a_written_duration_reads_back() {
        for ns in [0, 1, 999, 1_000, 1_500_000_000, 90_000_000_000, 3_600_000_000_000, u64::MAX] {
            let duration = Duration::from_nanos(ns);
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
        assert_eq!(format_duration(Duration::from_secs(600)), "10m");
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            parse_duration("90 sekunden").unwrap_err().to_string(),
            "expected a duration such as 10ms, 90s, 5m; got `90 sekunden`"
        );
        assert_eq!(
            parse_duration("90").unwrap_err().to_string(),
            "expected a duration with its unit, such as 90s or 90ms; got `90`"
        );
        for text in ["", "s", ".5s", "1.s", "1.2.3s", "-1s", "+1s", "1e3s", "1 s", "10min"] {
            assert!(matches!(parse_duration(text), Err(DurationError::Form { .. })), "{text}");
        }
        for text in ["99999999999999999999h", "9999999999h", "0.0000000001s", "0.3ns"] {
            assert!(matches!(parse_duration(text), Err(DurationError::Range { .. })), "{text}");
        }
    }
}
