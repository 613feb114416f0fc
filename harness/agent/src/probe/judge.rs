//! From samples to what a watch sees.
//!
//! Availability is a property of the moment a request is made: a sample that was begun at `s` shows whether a request made at
//! `s` is served, however long the answer or the failure takes. Samples are judged strictly in order of their beginnings, so
//! a slow failure cannot hide behind a quick success. A change lies between two neighbouring samples:
//!
//! - down: after the beginning of the last answered one, not after the first unanswered one was refused or broken off; where
//!   it met silence, not after its beginning, when its request went out to nobody;
//! - up: after the beginning of the last unanswered one, not after the *answer* of the first answered one.
//!
//! An outage from the earliest "down" to the latest "up" therefore contains the interval from the last answer before it to
//! the first answer after it, and one from the latest "down" to the earliest "up" is the least it can have been.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use grenadier_clock::Time;

use crate::TimeBase;
use crate::protocol::{SampleRow, Seen};

/// How long a request may take. A sample that is late is a sample that failed; the next ones do not wait for it.
pub const SAMPLE_TIMEOUT: Duration = Duration::from_secs(1);

/// One request and how it went.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was begun.
    pub began: Instant,
    /// When it was answered or given up.
    pub ended: Instant,
    /// The backend that answered, or why none did.
    pub result: Result<String, String>,
}

impl Sample {
    /// The sample as it is kept for later.
    pub fn row(&self, time: &TimeBase) -> SampleRow {
        let took = self.ended - self.began;
        SampleRow {
            began_ns: time.earliest(self.began),
            took_us: took.as_micros().try_into().unwrap_or(u64::MAX),
            by: self.result.as_ref().ok().cloned(),
            error: self.result.as_ref().err().cloned(),
        }
    }
}

/// A change of what a watch sees: not before, not after, from then on.
pub type Change = (Time, Time, Seen);

/// What a watch has seen so far.
#[derive(Debug)]
pub struct Judge {
    time: TimeBase,
    last: Option<(Instant, State)>,
}

#[derive(Debug, PartialEq)]
enum State {
    Up(BTreeSet<String>),
    Down(String),
}

impl Judge {
    /// A watch that has not seen anything.
    pub fn new(time: TimeBase) -> Judge {
        Judge { time, last: None }
    }

    /// Takes the next sample in order of beginnings; what it changes, if anything.
    ///
    /// The first sample is a change in any case: without one, a watch that sees nothing wrong could not be told from one that
    /// does not look. A backend that was not seen before is a change too.
    pub fn take(&mut self, sample: &Sample) -> Option<Change> {
        let last = self.last.take();
        let since = last.as_ref().map_or(sample.began, |(began, _)| *began);
        let (now, latest) = match &sample.result {
            Ok(backend) => {
                let mut backends = match &last {
                    Some((_, State::Up(backends))) => backends.clone(),
                    _ => BTreeSet::new(),
                };
                backends.insert(backend.clone());
                (State::Up(backends), sample.ended)
            }
            Err(reason) => {
                let silent = sample.ended - sample.began >= SAMPLE_TIMEOUT;
                (State::Down(reason.clone()), if silent { sample.began } else { sample.ended })
            }
        };
        let changed = last.is_none_or(|(_, before)| before != now);
        let seen = match &now {
            State::Up(backends) => Seen::Up(backends.iter().cloned().collect()),
            State::Down(reason) => Seen::Down(reason.clone()),
        };
        self.last = Some((sample.began, now));
        changed.then(|| (self.time.earliest(since), self.time.latest(latest), seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Story {
        start: Instant,
        judge: Judge,
    }

    impl Story {
        fn new() -> Story {
            let start = Instant::now();
            Story { start, judge: Judge::new(TimeBase::new(Time::ZERO, start, start)) }
        }

        /// A sample begun at `at` ms that took `took` ms; the change it makes, in ms.
        fn sample(&mut self, at: u64, took: u64, result: Result<&str, &str>) -> Option<(u64, u64, Seen)> {
            let began = self.start + Duration::from_millis(at);
            let result = result.map(str::to_owned).map_err(str::to_owned);
            let change = self.judge.take(&Sample { began, ended: began + Duration::from_millis(took), result });
            change.map(|(from, to, seen)| (from.as_ns() / 1_000_000, to.as_ns() / 1_000_000, seen))
        }
    }

    fn up(backends: &[&str]) -> Seen {
        Seen::Up(backends.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn an_outage_is_bounded_by_the_samples_around_it() {
        let mut story = Story::new();
        assert_eq!(story.sample(10, 1, Ok("b1")), Some((10, 11, up(&["b1"]))));
        assert_eq!(story.sample(20, 1, Ok("b1")), None);
        // Begun 10 ms after the last answered one, given up a second later: the change is still within those 10 ms.
        assert_eq!(story.sample(30, 1000, Err("timeout")), Some((20, 30, Seen::Down("timeout".into()))));
        assert_eq!(story.sample(40, 1000, Err("timeout")), None);
        assert_eq!(story.sample(50, 1, Err("refused")), Some((40, 51, Seen::Down("refused".into()))));
        assert_eq!(story.sample(60, 7, Ok("b1")), Some((50, 67, up(&["b1"]))));
    }

    #[test]
    fn one_lost_sample_is_an_outage() {
        let mut story = Story::new();
        story.sample(10, 1, Ok("b1"));
        // It was begun while the target was still there, and broken off 4 ms later.
        assert_eq!(story.sample(20, 4, Err("reset")), Some((10, 24, Seen::Down("reset".into()))));
        assert_eq!(story.sample(30, 1, Ok("b1")), Some((20, 31, up(&["b1"]))));
    }

    #[test]
    fn backends_are_collected_since_the_last_outage() {
        let mut story = Story::new();
        story.sample(10, 1, Ok("b2"));
        assert_eq!(story.sample(20, 1, Ok("b1")), Some((10, 21, up(&["b1", "b2"]))));
        assert_eq!(story.sample(30, 1, Ok("b2")), None);
        story.sample(40, 1, Err("refused"));
        assert_eq!(story.sample(50, 1, Ok("b2")), Some((40, 51, up(&["b2"]))));
    }

    #[test]
    fn a_watch_that_never_sees_anything_says_so_at_once() {
        let mut story = Story::new();
        assert_eq!(story.sample(10, 1000, Err("no route")), Some((10, 10, Seen::Down("no route".into()))));
    }
}
