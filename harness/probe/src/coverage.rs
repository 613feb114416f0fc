//! When nobody looked.

use std::collections::BTreeMap;

use grenadier_clock::Time;
use grenadier_events::{Event, Kind, ProbeKind, ProberState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Part, Window};

/// A time in which a prober did not look, or all of it where it cannot look here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unseen {
    /// What it should have looked at.
    pub target: String,
    /// Who should have looked.
    pub client: String,
    /// How.
    pub probe: ProbeKind,
    /// The part of the run.
    pub part: Part,
    /// From when on nobody looked.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// Why.
    pub reason: String,
    /// Whether this kind of probe cannot look here at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_not_covered: bool,
}

impl Unseen {
    /// How long nobody looked, in nanoseconds.
    pub fn length_ns(&self) -> u64 {
        self.to.as_ns().saturating_sub(self.from.as_ns())
    }
}

/// One time in which a prober did not look.
struct Hole {
    from: Time,
    to: Option<Time>,
    reason: String,
    is_not_covered: bool,
}

/// For how long a prober may stand still, beside the time between two samples, before it has missed something: what it calls a gap.
const STILL_NS: u64 = 100_000_000;

/// What probers did not see within `windows`, in order of target, client, kind and time.
///
/// Between two samples nobody looks, and between the last one and the end of the last window nobody does either: that is how
/// finely a prober sees, and no hole, as long as it is no longer than what a prober itself calls a gap.
///
/// Where no prober tells of itself, as in the virtual world, whatever is known is known exactly, and nothing was missed.
pub fn unseen(events: &[Event], windows: &[Window]) -> Vec<Unseen> {
    let mut probers: BTreeMap<(&str, &str, ProbeKind), Vec<Hole>> = BTreeMap::new();
    let mut intervals: BTreeMap<(&str, &str, ProbeKind), u64> = BTreeMap::new();
    for event in events {
        let Kind::Prober { target, client, probe, now } = &event.kind else { continue };
        let never = || Hole { from: Time::ZERO, to: None, reason: "not begun yet".to_owned(), is_not_covered: false };
        let holes = probers.entry((target, client, *probe)).or_insert_with(|| vec![never()]);
        match now {
            ProberState::Started { at_ns, every_ns } => {
                close(holes, *at_ns);
                intervals.insert((target, client, *probe), *every_ns);
            }
            ProberState::Stopped { at_ns, reason, .. } => {
                close(holes, *at_ns);
                let reason = reason.clone().unwrap_or_else(|| "the prober was told to stop".to_owned());
                holes.push(Hole { from: *at_ns, to: None, reason, is_not_covered: false });
            }
            ProberState::Gap { from_ns, to_ns, reason, .. } => {
                holes.push(Hole { from: *from_ns, to: Some(*to_ns), reason: reason.clone(), is_not_covered: false });
            }
            ProberState::NotCovered { reason } => {
                *holes = vec![Hole { from: Time::ZERO, to: None, reason: reason.clone(), is_not_covered: true }];
            }
            // Samples were late, and they were sent.
            ProberState::Late { .. } => {}
        }
    }
    let mut all = Vec::new();
    let end = windows.iter().map(|window| window.to).max().unwrap_or(Time::ZERO);
    for ((target, client, probe), holes) in probers {
        let interval = intervals.get(&(target, client, probe));
        let finely = |from: Time, to: Option<Time>| {
            let reaches_the_end = to.is_none_or(|to| to >= end);
            reaches_the_end && interval.is_some_and(|every| end.as_ns() <= from.as_ns() + every + STILL_NS)
        };
        for window in windows {
            for hole in &holes {
                let (from, to) = (hole.from.max(window.from), hole.to.unwrap_or(window.to).min(window.to));
                if from < to && !finely(hole.from, hole.to) {
                    all.push(Unseen {
                        target: target.to_owned(),
                        client: client.to_owned(),
                        probe,
                        part: window.part,
                        from,
                        to,
                        reason: hole.reason.clone(),
                        is_not_covered: hole.is_not_covered,
                    });
                }
            }
        }
    }
    all
}

fn close(holes: &mut [Hole], at: Time) {
    for hole in holes.iter_mut().filter(|hole| hole.to.is_none()) {
        hole.to = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use grenadier_events::{Actor, VERSION};

    use super::*;

    /// Times here are in seconds, which is long for a prober.
    const UNIT: u64 = 1_000_000_000;

    fn at(seconds: u64) -> Time {
        Time::from_ns(seconds * UNIT)
    }

    fn told_by_the_prober(now: ProberState) -> Event {
        let kind = Kind::Prober { target: "shop".into(), client: "c".into(), probe: ProbeKind::HttpNew, now };
        Event { v: VERSION, t_ns: Time::ZERO, seq: 0, actor: Actor::Probe, kind }
    }

    fn told(states: Vec<ProberState>) -> Vec<(u64, u64, String, bool)> {
        let events: Vec<Event> = states.into_iter().map(told_by_the_prober).collect();
        let window = Window { part: Part::Upgrade, from: at(100), to: at(200) };
        let all = unseen(&events, &[window]);
        all.into_iter()
            .map(|hole| (hole.from.as_ns() / UNIT, hole.to.as_ns() / UNIT, hole.reason, hole.is_not_covered))
            .collect()
    }

    fn started(from: u64) -> ProberState {
        ProberState::Started { at_ns: at(from), every_ns: 10_000_000 }
    }

    fn stopped(from: u64, reason: Option<&str>) -> ProberState {
        ProberState::Stopped { at_ns: at(from), reason: reason.map(str::to_owned), figures: None }
    }

    fn gap(from: u64, to: u64) -> ProberState {
        let (from_ns, to_ns) = (at(from), at(to));
        ProberState::Gap { from_ns, to_ns, missed: 1, reason: "slow".into() }
    }

    #[test]
    fn a_prober_that_looked_all_the_time_missed_nothing() {
        assert_eq!(told(vec![started(90), gap(92, 95), stopped(210, None)]), []);
        assert_eq!(told(vec![]), [], "in the virtual world nobody has to look");
    }

    #[test]
    fn gaps_count_where_they_lie_within_the_window() {
        let slow = || "slow".to_owned();
        let holes = told(vec![started(90), gap(95, 105), gap(150, 160), gap(190, 300)]);
        assert_eq!(holes, [(100, 105, slow(), false), (150, 160, slow(), false), (190, 200, slow(), false)]);
    }

    #[test]
    fn one_that_did_not_run_saw_nothing() {
        assert_eq!(told(vec![started(120)]), [(100, 120, "not begun yet".to_owned(), false)]);
        let lost = told(vec![started(90), stopped(130, Some("lost")), started(150)]);
        assert_eq!(lost, [(130, 150, "lost".to_owned(), false)]);
        let stop = told(vec![started(90), stopped(130, None)]);
        assert_eq!(stop, [(130, 200, "the prober was told to stop".to_owned(), false)]);
    }

    #[test]
    fn a_kind_that_makes_no_sense_here_saw_nothing_at_all() {
        let holes = told(vec![ProberState::NotCovered { reason: "no datagrams".into() }]);
        assert_eq!(holes, [(100, 200, "no datagrams".to_owned(), true)]);
    }

    #[test]
    fn what_lies_behind_the_last_sample_is_no_hole_unless_it_is_as_long_as_a_gap() {
        const MS: u64 = 1_000_000;
        let until = |end_ms: u64| {
            let stopped = ProberState::Stopped { at_ns: Time::from_ns(500 * MS), reason: None, figures: None };
            let events = [started(0), stopped].map(told_by_the_prober);
            let window = Window { part: Part::Upgrade, from: Time::ZERO, to: Time::from_ns(end_ms * MS) };
            unseen(&events, &[window]).iter().map(Unseen::length_ns).collect::<Vec<_>>()
        };
        assert_eq!((until(509), until(610)), (Vec::new(), Vec::new()));
        assert_eq!(until(611), [111 * MS]);
    }
}
