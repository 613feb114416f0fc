//! Samples that come back in any order, judged in order of their beginnings.

use std::collections::BTreeMap;
use std::time::Instant;

use grenadier_fleet::ProberState;

use super::finding::{Finding, Sample};
use super::judge::Judge;
use crate::protocol::{FromAgent, SampleRow};
use crate::{Outbox, TimeBase};

/// A sample on its way back, with its place in the order of beginnings.
pub(super) type Ended = (u64, Sample);

/// Samples that found nothing out, since the last one that did.
struct Unknown {
    from: Instant,
    missed: u64,
    reason: String,
}

/// What came back so far.
pub(super) struct Findings {
    watch: u32,
    judge: Judge,
    time: TimeBase,
    outbox: Outbox,
    /// Back, while one that was begun earlier is still out.
    waiting: BTreeMap<u64, Sample>,
    next: u64,
    rows: Vec<SampleRow>,
    /// When the last sample was begun that found something out; until then, when the watch began.
    looked: Instant,
    unknown: Option<Unknown>,
}

impl Findings {
    pub(super) fn new(watch: u32, began: Instant, time: TimeBase, outbox: Outbox) -> Findings {
        let judge = Judge::new(time);
        let (waiting, rows) = (BTreeMap::new(), Vec::new());
        Findings { watch, judge, time, outbox, waiting, next: 0, rows, looked: began, unknown: None }
    }

    pub(super) fn take(&mut self, number: u64, sample: Sample) {
        self.waiting.insert(number, sample);
        while let Some(sample) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.rows.push(sample.row(&self.time));
            match &sample.finding {
                Finding::Unknown { missed, reason } => {
                    let (from, reason) = (self.looked, reason.clone());
                    self.unknown.get_or_insert(Unknown { from, missed: 0, reason }).missed += missed;
                }
                Finding::Answered(_) | Finding::Failed(_) => {
                    self.tell_gap(sample.began);
                    self.looked = sample.began;
                }
            }
            if let Some((earliest, latest, seen)) = self.judge.take(&sample) {
                self.outbox.put(FromAgent::Observation { watch: self.watch, earliest, latest, seen });
            }
        }
    }

    /// The watch ends, and `begun` samples were begun or missing in all: those that are still out have found nothing out.
    pub(super) fn finish(&mut self, begun: u64) {
        let now = Instant::now();
        let out: Vec<u64> = (self.next..begun).filter(|number| !self.waiting.contains_key(number)).collect();
        for number in out {
            let finding = Finding::unknown("the watch ended before it was answered");
            self.take(number, Sample { began: now, ended: now, finding });
        }
        self.tell_gap(now);
        self.flush();
    }

    /// Where nobody looked up to `to`, says so.
    fn tell_gap(&mut self, to: Instant) {
        let Some(Unknown { from, missed, reason }) = self.unknown.take() else { return };
        let (from_ns, to_ns) = (self.time.earliest(from), self.time.latest(to));
        let now = ProberState::Gap { from_ns, to_ns, missed, reason };
        self.outbox.put(FromAgent::Prober { watch: self.watch, now });
    }

    /// Hands the rows on, as far as they are complete.
    pub(super) fn flush(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            self.outbox.put(FromAgent::Samples { watch: self.watch, rows });
        }
    }

    /// The last moment of which anything is known.
    pub(super) fn looked(&self) -> Instant {
        self.looked
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use grenadier_clock::Time;
    use grenadier_fleet::FailureClass;

    use super::super::finding::{Answered, Failed};
    use super::*;
    use crate::protocol::Seen;

    #[test]
    fn findings_wait_for_the_sample_that_was_begun_first() {
        let (outbox, messages) = Outbox::for_tests();
        let began = Instant::now();
        let mut findings = Findings::new(7, began, TimeBase::default(), outbox);
        let sample = |finding| Sample { began, ended: began, finding };
        findings.take(1, sample(Finding::Answered(Answered::by("b"))));
        assert!(messages.try_recv().is_err(), "the first sample is still out");
        findings.take(0, sample(Finding::Failed(Failed::new(FailureClass::Silent, "nothing"))));
        let seen: Vec<bool> = messages
            .try_iter()
            .map(|message| match message {
                FromAgent::Observation { watch: 7, seen, .. } => matches!(seen, Seen::Up(_)),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(seen, [false, true]);
    }

    #[test]
    fn what_is_still_out_at_the_end_is_a_gap_of_its_own() {
        let (outbox, messages) = Outbox::for_tests();
        let start = Instant::now();
        let mut findings = Findings::new(7, start, TimeBase::new(Time::ZERO, start, start), outbox);
        let sample = |finding| Sample { began: start, ended: start, finding };
        findings.take(0, sample(Finding::Answered(Answered::by("b"))));
        findings.take(2, sample(Finding::Unknown { missed: 5, reason: "it stood still".into() }));
        findings.finish(4);
        let missed: Vec<u64> = messages
            .try_iter()
            .filter_map(|message| match message {
                FromAgent::Prober { now: ProberState::Gap { missed, .. }, .. } => Some(missed),
                _ => None,
            })
            .collect();
        assert_eq!(missed, [7], "the five, and two that were out");
    }

    #[test]
    fn samples_that_found_nothing_out_are_a_gap_between_those_that_did() {
        let (outbox, messages) = Outbox::for_tests();
        let start = Instant::now();
        let mut findings = Findings::new(7, start, TimeBase::new(Time::ZERO, start, start), outbox);
        let mut take = |number: u64, finding| {
            let began = start + Duration::from_millis(number * 10);
            findings.take(number, Sample { began, ended: began, finding });
        };
        take(0, Finding::Answered(Answered::by("b")));
        take(1, Finding::Unknown { missed: 3, reason: "it stood still".into() });
        take(2, Finding::unknown("another reason"));
        take(3, Finding::Answered(Answered::by("b")));
        let told: Vec<ProberState> = messages
            .try_iter()
            .filter_map(|message| match message {
                FromAgent::Prober { now, .. } => Some(now),
                _ => None,
            })
            .collect();
        let at = |ms: u64| Time::from_ns(ms * 1_000_000);
        let gap = ProberState::Gap { from_ns: at(0), to_ns: at(30), missed: 4, reason: "it stood still".into() };
        assert_eq!(told, [gap]);
    }
}
