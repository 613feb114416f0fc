//! When samples are due, and how late they were.
//!
//! The schedule is fixed by its first moment: a sample that is late does not shift the others. One that is a little late is
//! sent all the same, so that every scheduled sample is sent. Where the prober stood still for longer, the samples it owes are
//! not sent in a burst, which would tell of the present alone, but are missing, and said to be.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use grenadier_fleet::ProberFigures;

/// A sample that is overdue by more than this is not sent any more.
pub const MISSED_AFTER: Duration = Duration::from_millis(100);

/// Nothing below this counts as late: a timer of the runtime goes off at whole milliseconds.
const LATE_AT_LEAST: Duration = Duration::from_millis(10);

/// Resolution and range of the figures about lateness.
const BUCKET: Duration = Duration::from_micros(100);
const BUCKETS: usize = 10_000;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A sample.
    Sample,
    /// So many that will not be sent.
    Missed(u64),
}

/// A time in which samples were late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// When the first of them was due.
    pub from: Instant,
    /// When the last of them was sent.
    pub to: Instant,
    /// How many.
    pub samples: u64,
    /// The latest.
    pub worst: Duration,
}

/// When samples are due.
#[derive(Debug)]
pub struct Schedule {
    start: Instant,
    every: Duration,
    figures: ProberFigures,
    /// How many samples were late by how many [`BUCKET`]s.
    buckets: Vec<u64>,
    lateness: Option<Lateness>,
    /// When the prober should have looked and did not, latest last.
    still: VecDeque<(Instant, Instant)>,
}

impl Schedule {
    /// A sample every so often, the first one at `start`.
    pub fn new(start: Instant, every: Duration) -> Schedule {
        let figures = ProberFigures::default();
        let buckets = vec![0; BUCKETS];
        Schedule { start, every, figures, buckets, lateness: None, still: VecDeque::new() }
    }

    /// When the next sample is due.
    pub fn due(&self) -> Instant {
        let number = self.figures.scheduled.try_into().unwrap_or(u32::MAX);
        self.start + self.every * number
    }

    /// Takes out what is due by `now`; to be called until nothing is.
    pub fn take(&mut self, now: Instant) -> Option<Due> {
        let late = now.checked_duration_since(self.due())?;
        let is_late = late > self.every.max(LATE_AT_LEAST);
        if is_late {
            self.stood_still(self.due(), now);
        }
        if late > self.every.max(MISSED_AFTER) {
            // All but the last: that one shows the present.
            let missed = u64::try_from(late.as_nanos() / self.every.as_nanos().max(1)).unwrap_or(u64::MAX);
            self.figures.scheduled += missed;
            return Some(Due::Missed(missed));
        }
        if is_late {
            let from = self.due();
            let lateness = self.lateness.get_or_insert(Lateness { from, to: now, samples: 0, worst: Duration::ZERO });
            *lateness =
                Lateness { to: now, samples: lateness.samples + 1, worst: lateness.worst.max(late), ..*lateness };
            self.figures.late += 1;
        }
        let bucket = usize::try_from(late.as_nanos() / BUCKET.as_nanos()).unwrap_or(usize::MAX).min(BUCKETS - 1);
        self.buckets[bucket] += 1;
        self.figures.scheduled += 1;
        self.figures.sent += 1;
        self.figures.worst_late_ns = self.figures.worst_late_ns.max(late.as_nanos().try_into().unwrap_or(u64::MAX));
        Some(Due::Sample)
    }

    /// The lateness since this was asked last.
    pub fn take_lateness(&mut self) -> Option<Lateness> {
        self.lateness.take()
    }

    fn stood_still(&mut self, from: Instant, to: Instant) {
        match self.still.back_mut() {
            Some(last) if from <= last.1 => last.1 = to,
            _ => self.still.push_back((from, to)),
        }
        // Samples do not live long enough to have known more of them.
        if self.still.len() > 100 {
            self.still.pop_front();
        }
    }

    /// For how much of a time the prober stood still: a sample's failure to see an answer in it is its own.
    pub fn still_within(&self, from: Instant, to: Instant) -> Duration {
        let overlap = |(began, ended): &(Instant, Instant)| {
            (*ended).min(to).checked_duration_since((*began).max(from)).unwrap_or_default()
        };
        self.still.iter().map(overlap).sum()
    }

    /// How well it was kept.
    pub fn figures(&self) -> ProberFigures {
        let beyond = self.figures.sent / 100;
        let mut seen = 0;
        let p99 = self.buckets.iter().rposition(|count| {
            seen += count;
            seen > beyond
        });
        let upper = p99.map_or(0, |bucket| (bucket as u64 + 1) * BUCKET.as_nanos() as u64);
        ProberFigures { p99_late_ns: upper.min(self.figures.worst_late_ns), ..self.figures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Everything that is due by `now`.
    fn taken(schedule: &mut Schedule, now: Instant) -> Vec<Due> {
        std::iter::from_fn(|| schedule.take(now)).collect()
    }

    #[test]
    fn a_late_sample_is_sent_and_does_not_shift_the_others() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, ms(10));
        assert_eq!(taken(&mut schedule, start), [Due::Sample]);
        assert_eq!(taken(&mut schedule, start + ms(9)), []);
        assert_eq!(taken(&mut schedule, start + ms(35)), [Due::Sample, Due::Sample, Due::Sample]);
        assert_eq!(schedule.due(), start + ms(40));
        let lateness = schedule.take_lateness().expect("two were late");
        assert_eq!(lateness, Lateness { from: start + ms(10), to: start + ms(35), samples: 2, worst: ms(25) });
        assert_eq!(schedule.take_lateness(), None);
        let figures = schedule.figures();
        assert_eq!((figures.scheduled, figures.sent, figures.late), (4, 4, 2));
        assert_eq!(figures.worst_late_ns, 25_000_000);
    }

    #[test]
    fn after_a_long_stop_samples_are_missing_and_the_present_is_looked_at() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, ms(10));
        taken(&mut schedule, start);
        assert_eq!(taken(&mut schedule, start + ms(505)), [Due::Missed(49), Due::Sample]);
        assert_eq!(schedule.due(), start + ms(510));
        let figures = schedule.figures();
        assert_eq!((figures.scheduled, figures.sent), (51, 2));
        assert_eq!(schedule.still_within(start, start + ms(600)), ms(495));
        assert_eq!(schedule.still_within(start + ms(500), start + ms(600)), ms(5));
        assert_eq!(schedule.still_within(start + ms(510), start + ms(600)), ms(0));
    }

    #[test]
    fn a_slow_schedule_is_not_late_before_the_next_sample() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, ms(1000));
        taken(&mut schedule, start);
        assert_eq!(taken(&mut schedule, start + ms(1900)), [Due::Sample]);
        assert_eq!(schedule.take_lateness(), None);
    }

    #[test]
    fn figures_tell_what_99_of_100_kept() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, ms(10));
        for number in 0..200 {
            let late = if number >= 198 { ms(9) } else { Duration::from_micros(250) };
            schedule.take(start + ms(10) * number + late);
        }
        assert_eq!(schedule.figures().p99_late_ns, 300_000);
        schedule.take(start + ms(2000) + ms(9));
        assert_eq!(schedule.figures().p99_late_ns, 9_000_000);
    }
}
