//! The run's time inside a container.

use std::time::{Duration, Instant};

use grenadier_clock::Time;

/// Translates moments of this machine's monotonic clock into the run's time, with bounds.
///
/// The fleet said its time at some moment between our question and the arrival of its answer; nothing is assumed about where
/// between. Two bounds of a moment therefore differ by that round trip, a fraction of a millisecond on one machine.
#[derive(Clone, Copy, Debug)]
pub struct TimeBase {
    said: Time,
    asked: Instant,
    arrived: Instant,
}

impl TimeBase {
    /// The fleet's clock showed `said` somewhere between `asked` and `arrived`.
    pub fn new(said: Time, asked: Instant, arrived: Instant) -> TimeBase {
        TimeBase { said, asked, arrived }
    }

    /// How far apart the two bounds of a moment are.
    pub fn uncertainty(&self) -> Duration {
        self.arrived - self.asked
    }

    /// The moment is not earlier than this in the run's time.
    pub fn earliest(&self, moment: Instant) -> Time {
        shift(self.said, self.arrived, moment)
    }

    /// The moment is not later than this in the run's time.
    pub fn latest(&self, moment: Instant) -> Time {
        shift(self.said, self.asked, moment)
    }

    /// The present moment, for what needs no bounds.
    pub fn now(&self) -> Time {
        self.earliest(Instant::now())
    }
}

/// The run's time at `moment`, where it was `said` at `reference`. A moment before the run is the run's beginning.
fn shift(said: Time, reference: Instant, moment: Instant) -> Time {
    match moment.checked_duration_since(reference) {
        Some(after) => said + after,
        None => Time::ZERO + said.since(Time::ZERO).saturating_sub(reference - moment),
    }
}

impl Default for TimeBase {
    /// A run that begins now.
    fn default() -> TimeBase {
        let now = Instant::now();
        TimeBase::new(Time::ZERO, now, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_whenever_the_fleet_looked_at_its_clock() {
        let asked = Instant::now();
        let arrived = asked + Duration::from_millis(4);
        let said = Time::from_ns(1_000_000_000);
        let base = TimeBase::new(said, asked, arrived);
        let moment = asked + Duration::from_millis(10);
        assert_eq!(base.earliest(moment), said + Duration::from_millis(6));
        assert_eq!(base.latest(moment), said + Duration::from_millis(10));
        assert_eq!(base.earliest(asked), Time::from_ns(996_000_000));
        assert_eq!(TimeBase::new(Time::from_ns(5), arrived, arrived).earliest(asked), Time::ZERO);
    }
}
