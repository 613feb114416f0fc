//! Points in the time of a run.

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in time: nanoseconds since the run began.
///
/// In the virtual world the event queue moves it; in the docker world it is a monotonic clock's distance from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Time(u64);

impl Time {
    /// The moment the run began.
    pub const ZERO: Time = Time(0);

    /// The point `ns` nanoseconds after the beginning.
    pub const fn from_ns(ns: u64) -> Time {
        Time(ns)
    }

    /// Nanoseconds since the beginning.
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero where it lies in the future.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, length: Duration) -> Time {
        let ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(ns))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;

    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_duration(Duration::from_nanos(self.0)))
    }
}

/// A length of time as people write it: `850ns`, `12µs`, `3.5ms`, `41.25s`, `6m05s`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(grenadier_clock::format_duration(Duration::from_millis(41_250)), "41.25s");
/// assert_eq!(grenadier_clock::format_duration(Duration::from_secs(365)), "6m05s");
/// ```
pub fn format_duration(length: Duration) -> String {
    let ns = length.as_nanos();
    let scaled = |unit: u128, name: &str| {
        let thousandths = ns * 1000 / unit;
        let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match ns {
        0 => "0s".to_owned(),
        1..1_000 => format!("{ns}ns"),
        1_000..1_000_000 => scaled(1_000, "µs"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => scaled(1_000_000_000, "s"),
        _ => {
            let seconds = ns / 1_000_000_000;
            let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            if hours > 0 { format!("{hours}h{minutes:02}m{seconds:02}s") } else { format!("{minutes}m{seconds:02}s") }
        }
    }
}

/// A future that is ready when its moment has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock of a world, for asynchronous code (the engine, the runner, carriers).
///
/// Synchronous state machines do not need it: they are told the time with every input.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Time;

    /// Waits until `length` has passed.
    fn sleep(&self, length: Duration) -> Sleep;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (ns, text) in [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5µs"),
            (20_000_000, "20ms"),
            (1_000_000_001, "1s"),
            (59_999_000_000, "59.999s"),
            (60_000_000_000, "1m00s"),
            (3_725_000_000_000, "1h02m05s"),
        ] {
            assert_eq!(format_duration(Duration::from_nanos(ns)), text);
        }
    }

    #[test]
    fn time_saturates_instead_of_wrapping() {
        assert_eq!(Time::from_ns(u64::MAX) + Duration::from_secs(1), Time::from_ns(u64::MAX));
        assert_eq!(Time::ZERO - Time::from_ns(5), Duration::ZERO);
    }
}
