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
//! A sample that found nothing out, because it was not sent or its prober was at fault, changes nothing and widens the bounds of
//! the next change.
//!
//! An outage from the earliest "down" to the latest "up" therefore contains the interval from the last answer before it to
//! the first answer after it, and one from the latest "down" to the earliest "up" is the least it can have been.

use std::collections::BTreeSet;
use std::time::Instant;

use grenadier_clock::Time;
use grenadier_fleet::FailureClass;

use super::finding::{Answered, Finding, Sample};
use crate::TimeBase;
use crate::protocol::{Seen, SeenBy};

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
    Up {
        backends: BTreeSet<String>,
        /// Of the last answer, without its backend.
        answered: Answered,
    },
    Down(FailureClass, String),
}

impl Judge {
    /// A watch that has not seen anything.
    pub fn new(time: TimeBase) -> Judge {
        Judge { time, last: None }
    }

    /// Takes the next sample in order of beginnings; what it changes, if anything.
    ///
    /// The first sample that found something out is a change in any case: without one, a watch that sees nothing wrong could
    /// not be told from one that does not look. A backend that was not seen before is a change too, and so are another
    /// certificate and another owner.
    pub fn take(&mut self, sample: &Sample) -> Option<Change> {
        let (now, latest) = match &sample.finding {
            Finding::Unknown { .. } => return None,
            Finding::Answered(answered) => (self.up(answered.clone()), sample.ended),
            Finding::Failed(failed) => {
                let latest = if failed.is_silence { sample.began } else { sample.ended };
                (State::Down(failed.class, failed.text.clone()), latest)
            }
        };
        let last = self.last.take();
        let since = last.as_ref().map_or(sample.began, |(began, _)| *began);
        let changed = last.is_none_or(|(_, before)| !before.is_as(&now));
        let seen = now.seen();
        self.last = Some((sample.began, now));
        changed.then(|| (self.time.earliest(since), self.time.latest(latest), seen))
    }

    fn up(&self, mut answered: Answered) -> State {
        let mut backends = match &self.last {
            Some((_, State::Up { backends, .. })) => backends.clone(),
            _ => BTreeSet::new(),
        };
        backends.extend(answered.by.take());
        State::Up { backends, answered }
    }
}

impl State {
    /// Whether nothing worth telling lies between the two. How long a late answer took is not: it differs with each.
    fn is_as(&self, other: &State) -> bool {
        match (self, other) {
            (State::Down(FailureClass::Late, _), State::Down(FailureClass::Late, _)) => true,
            _ => self == other,
        }
    }

    fn seen(&self) -> Seen {
        match self {
            State::Up { backends, answered } => Seen::Up(SeenBy {
                backends: backends.iter().cloned().collect(),
                certificate: answered.certificate.clone(),
                chain: answered.chain.clone(),
                owners: answered.owners.clone(),
            }),
            State::Down(class, reason) => Seen::Down { class: *class, reason: reason.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::finding::Failed;
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
        fn sample(&mut self, at: u64, took: u64, finding: Finding) -> Option<(u64, u64, Seen)> {
            let began = self.start + Duration::from_millis(at);
            let change = self.judge.take(&Sample { began, ended: began + Duration::from_millis(took), finding });
            change.map(|(from, to, seen)| (from.as_ns() / 1_000_000, to.as_ns() / 1_000_000, seen))
        }
    }

    fn by(name: &str) -> Finding {
        Finding::Answered(Answered::by(name))
    }

    fn failed(class: FailureClass) -> Finding {
        Finding::Failed(Failed::new(class, class.name()))
    }

    fn up(backends: &[&str]) -> Seen {
        Seen::Up(SeenBy { backends: backends.iter().map(|name| (*name).to_owned()).collect(), ..SeenBy::default() })
    }

    fn down(class: FailureClass) -> Seen {
        Seen::Down { class, reason: class.name().to_owned() }
    }

    #[test]
    fn an_outage_is_bounded_by_the_samples_around_it() {
        let mut story = Story::new();
        assert_eq!(story.sample(10, 1, by("b1")), Some((10, 11, up(&["b1"]))));
        assert_eq!(story.sample(20, 1, by("b1")), None);
        // Begun 10 ms after the last answered one, given up a second later: the change is still within those 10 ms.
        assert_eq!(story.sample(30, 1000, failed(FailureClass::Silent)), Some((20, 30, down(FailureClass::Silent))));
        assert_eq!(story.sample(40, 1000, failed(FailureClass::Silent)), None);
        assert_eq!(story.sample(50, 1, failed(FailureClass::Refused)), Some((40, 51, down(FailureClass::Refused))));
        assert_eq!(story.sample(60, 7, by("b1")), Some((50, 67, up(&["b1"]))));
    }

    #[test]
    fn one_lost_sample_is_an_outage() {
        let mut story = Story::new();
        story.sample(10, 1, by("b1"));
        // It was begun while the target was still there, and broken off 4 ms later.
        assert_eq!(story.sample(20, 4, failed(FailureClass::Reset)), Some((10, 24, down(FailureClass::Reset))));
        assert_eq!(story.sample(30, 1, by("b1")), Some((20, 31, up(&["b1"]))));
    }

    #[test]
    fn backends_are_collected_since_the_last_outage() {
        let mut story = Story::new();
        story.sample(10, 1, by("b2"));
        assert_eq!(story.sample(20, 1, by("b1")), Some((10, 21, up(&["b1", "b2"]))));
        assert_eq!(story.sample(30, 1, by("b2")), None);
        story.sample(40, 1, failed(FailureClass::Refused));
        assert_eq!(story.sample(50, 1, by("b2")), Some((40, 51, up(&["b2"]))));
    }

    #[test]
    fn a_watch_that_never_sees_anything_says_so_at_once() {
        let mut story = Story::new();
        let silent = failed(FailureClass::Silent);
        assert_eq!(story.sample(10, 1000, silent), Some((10, 10, down(FailureClass::Silent))));
    }

    #[test]
    fn a_sample_that_found_nothing_out_changes_nothing_and_widens_the_next_change() {
        let mut story = Story::new();
        assert_eq!(story.sample(0, 1, Finding::unknown("late")), None);
        assert_eq!(story.sample(10, 1, by("b1")), Some((10, 11, up(&["b1"]))));
        assert_eq!(story.sample(20, 1, Finding::unknown("late")), None);
        assert_eq!(story.sample(30, 2, failed(FailureClass::Reset)), Some((10, 32, down(FailureClass::Reset))));
    }

    #[test]
    fn another_certificate_and_another_owner_are_changes() {
        let mut story = Story::new();
        let shown = |pin: &str| Answered { certificate: Some(pin.into()), ..Answered::default() };
        let seen = |pin: &str| Seen::Up(SeenBy { certificate: Some(pin.into()), ..SeenBy::default() });
        assert_eq!(story.sample(10, 1, Finding::Answered(shown("aa"))), Some((10, 11, seen("aa"))));
        assert_eq!(story.sample(20, 1, Finding::Answered(shown("aa"))), None);
        assert_eq!(story.sample(30, 1, Finding::Answered(shown("bb"))), Some((20, 31, seen("bb"))));
    }

    #[test]
    fn late_answers_are_one_outage_however_late_each_was() {
        let mut story = Story::new();
        let late = |text: &str| Finding::Failed(Failed::new(FailureClass::Late, text));
        story.sample(10, 1, by("b1"));
        assert!(story.sample(20, 700, late("answered after 700 ms")).is_some());
        assert_eq!(story.sample(30, 710, late("answered after 710 ms")), None);
    }
}
