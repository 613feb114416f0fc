//! Phases and steps as spans of the log, and which of them a moment belongs to.

use grenadier_clock::Time;
use grenadier_events::{Bounds, Event, Kind, PhaseStatus, StepVerb};

/// A point of the log: a time, and the place among the events of that time.
///
/// The place matters in the virtual world, where the end of one step, the outage it causes and the start of the next one may
/// carry the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// The `seq` of the event.
    pub seq: u64,
}

impl Moment {
    /// The moment of an event.
    pub const fn of(event: &Event) -> Moment {
        Moment { at: event.t_ns, seq: event.seq }
    }
}

/// A phase or a step of the engine, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The phase's or step's name.
    pub name: String,
    /// What the engine did with the step; none for a phase.
    pub verb: Option<StepVerb>,
    /// When it began.
    pub from: Moment,
    /// When it ended; none where it had not by the end of the log.
    pub to: Option<Moment>,
    /// How the phase ended; none for a step, and where it had not ended.
    pub status: Option<PhaseStatus>,
}

impl Span {
    fn holds(&self, moment: Moment) -> bool {
        self.from <= moment && self.to.is_none_or(|to| moment < to)
    }

    /// How much of `bounds` lies within the span, in nanoseconds.
    fn overlap_ns(&self, bounds: Bounds) -> u64 {
        let from = self.from.at.max(bounds.earliest_ns);
        let to = self.to.map_or(bounds.latest_ns, |to| to.at.min(bounds.latest_ns));
        to.as_ns().saturating_sub(from.as_ns())
    }
}

/// The phases and steps of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// The phases that began, in order. A phase that was skipped without having begun is not among them.
    pub phases: Vec<Span>,
    /// The engine's steps, in order, one for each time a verb was applied to one.
    pub steps: Vec<Span>,
}

impl Spans {
    /// Reads them from a log. A phase ends at the latest when the next one begins, a step when the engine ends.
    pub fn of(events: &[Event]) -> Spans {
        let mut spans = Spans::default();
        for event in events {
            let now = Moment::of(event);
            match &event.kind {
                Kind::PhaseStarted { phase } => {
                    close(&mut spans.phases, now);
                    spans.phases.push(open(phase, None, now));
                }
                Kind::PhaseFinished { phase, status, .. } => {
                    let began = spans.phases.iter_mut().rfind(|span| span.name == *phase && span.to.is_none());
                    if let Some(span) = began {
                        (span.to, span.status) = (Some(now), Some(*status));
                    }
                }
                Kind::StepStarted { step, verb } => spans.steps.push(open(step, Some(*verb), now)),
                Kind::StepFinished { step, verb, .. } => {
                    let began = spans
                        .steps
                        .iter_mut()
                        .rfind(|span| span.name == *step && span.verb == Some(*verb) && span.to.is_none());
                    if let Some(span) = began {
                        span.to = Some(now);
                    }
                }
                Kind::EngineFinished { .. } => close(&mut spans.steps, now),
                _ => {}
            }
        }
        spans
    }

    /// The last phase of this name that was really run.
    pub fn phase(&self, name: &str) -> Option<&Span> {
        self.phases.iter().rfind(|span| span.name == name && span.status != Some(PhaseStatus::Skipped))
    }

    /// The phase something that happened within `bounds`, and was told by event `seq`, belongs to.
    pub fn phase_of(&self, bounds: Bounds, seq: u64) -> Option<&Span> {
        belongs(&self.phases, bounds, seq)
    }

    /// The engine's step something that happened within `bounds`, and was told by event `seq`, belongs to.
    pub fn step_of(&self, bounds: Bounds, seq: u64) -> Option<&Span> {
        belongs(&self.steps, bounds, seq)
    }
}

fn open(name: &str, verb: Option<StepVerb>, from: Moment) -> Span {
    Span { name: name.to_owned(), verb, from, to: None, status: None }
}

fn close(spans: &mut [Span], now: Moment) {
    for span in spans.iter_mut().filter(|span| span.to.is_none()) {
        span.to = Some(now);
    }
}

/// An exact moment belongs to the innermost span that holds it. One known by bounds belongs to the span that covers most of
/// them: a sample's width is small against a step's, so only a step boundary within the bounds leaves a doubt at all.
fn belongs(spans: &[Span], bounds: Bounds, seq: u64) -> Option<&Span> {
    if bounds.earliest_ns < bounds.latest_ns {
        let most = spans.iter().map(|span| span.overlap_ns(bounds)).max().filter(|ns| *ns > 0)?;
        return spans.iter().rfind(|span| span.overlap_ns(bounds) == most);
    }
    spans.iter().rfind(|span| span.holds(Moment { at: bounds.latest_ns, seq }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outage::tests::Story;

    fn name(span: Option<&Span>) -> Option<&str> {
        span.map(|span| span.name.as_str())
    }

    #[test]
    fn events_of_one_time_are_told_apart_by_their_place() {
        let mut story = Story::default();
        story.step(5, "power-off-old");
        story.step_end(10, "power-off-old");
        let between = story.phase(10, "filler");
        story.step(10, "power-on-new");
        let within = story.phase(10, "filler");
        let spans = Spans::of(&story.events);
        let at = Bounds::exact(Time::from_ns(10));
        assert_eq!(name(spans.step_of(at, 0)), Some("power-off-old"));
        assert_eq!(name(spans.step_of(at, between)), None);
        assert_eq!(name(spans.step_of(at, within)), Some("power-on-new"));
    }

    #[test]
    fn bounds_belong_to_the_step_that_covers_most_of_them() {
        let mut story = Story::default();
        story.step(0, "copy-certificates");
        story.step_end(100, "copy-certificates");
        story.step(102, "power-off-old");
        let spans = Spans::of(&story.events);
        let within = |from, to| Bounds { earliest_ns: Time::from_ns(from), latest_ns: Time::from_ns(to) };
        assert_eq!(name(spans.step_of(within(95, 110), 9)), Some("power-off-old"));
        assert_eq!(name(spans.step_of(within(80, 105), 9)), Some("copy-certificates"));
        assert_eq!(name(spans.step_of(within(100, 102), 9)), None);
    }

    #[test]
    fn a_step_of_a_dead_engine_ends_with_the_engine() {
        let mut story = Story::default();
        story.step(5, "power-off-old");
        story.engine_end(10);
        let spans = Spans::of(&story.events);
        assert_eq!(name(spans.step_of(Bounds::exact(Time::from_ns(7)), 9)), Some("power-off-old"));
        assert_eq!(name(spans.step_of(Bounds::exact(Time::from_ns(11)), 9)), None);
    }

    #[test]
    fn a_skipped_phase_was_not_run() {
        let mut story = Story::default();
        story.phase(1, "rollback");
        story.skip(2, "rollback");
        assert_eq!(Spans::of(&story.events).phase("rollback"), None);
    }
}
