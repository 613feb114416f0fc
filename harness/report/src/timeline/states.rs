//! A lane of which one state holds at a time.

use grenadier_clock::Time;
use grenadier_events::{Bounds, Event};

use super::{Item, Lane, LaneKind};
use crate::tone::Tone;

/// A lane in the making: each state lasts until the next one.
pub(super) struct States {
    lane: Lane,
    open: Option<Item>,
}

impl States {
    pub(super) fn new(name: impl Into<String>) -> States {
        States { lane: Lane::new(name, LaneKind::States), open: None }
    }

    /// From the moment of `event` on it is like this.
    pub(super) fn turn(&mut self, event: &Event, tone: Tone, label: impl Into<String>) {
        self.turn_within(Bounds::exact(event.t_ns), event.seq, tone, label);
    }

    /// From some moment on it is like this; where its bounds differ, what lies between them is a state of its own.
    pub(super) fn turn_within(&mut self, at: Bounds, seq: u64, tone: Tone, label: impl Into<String>) {
        self.stop(at.earliest_ns);
        if at.earliest_ns < at.latest_ns && !self.lane.items.is_empty() {
            let label = "changes at some moment in here".to_owned();
            let (from, to) = (at.earliest_ns, at.latest_ns);
            self.lane.items.push(Item { from, to, tone: Tone::Notice, is_marked: false, seq, label });
        }
        let from = at.latest_ns;
        self.open = Some(Item { from, to: from, tone, is_marked: false, seq, label: label.into() });
    }

    /// Nothing holds any more.
    pub(super) fn stop(&mut self, at: Time) {
        if let Some(item) = self.open.take().filter(|item| item.from < at) {
            self.lane.items.push(Item { to: at, ..item });
        }
    }

    /// The lane, whose last state lasts until `end`.
    pub(super) fn finish(mut self, end: Time) -> Lane {
        self.stop(end);
        self.lane
    }

    /// The label and tone that hold now.
    pub(super) fn now(&self) -> Option<(Tone, &str)> {
        self.open.as_ref().map(|item| (item.tone, item.label.as_str()))
    }
}
