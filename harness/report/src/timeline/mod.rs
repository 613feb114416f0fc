//! A run on one time axis, for whoever draws it: lanes of items, in groups.

mod calls;
mod machines;
mod operators;
mod phases;
mod states;
mod targets;

use grenadier_clock::Time;
use grenadier_events::Event;
use serde::Serialize;

use crate::tone::Tone;

/// A run on one time axis.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Timeline {
    /// The end of the axis.
    pub end_ns: Time,
    /// The part that is worth looking at first: the upgrade and what follows from it.
    pub view_ns: (Time, Time),
    /// Lanes that belong together.
    pub groups: Vec<Group>,
}

/// Lanes that belong together.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Group {
    /// What they have in common.
    pub name: &'static str,
    /// Whether they are worth showing before somebody asks.
    pub shown: bool,
    /// They, from above.
    pub lanes: Vec<Lane>,
}

/// What the items of a lane are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LaneKind {
    /// They begin and end, or are moments.
    Spans,
    /// States of which one holds at a time, of a thing that is well or not.
    States,
}

/// One line of the picture.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Lane {
    /// What it shows.
    pub name: String,
    /// What its items are.
    pub kind: LaneKind,
    /// Its items, in order of their beginning.
    pub items: Vec<Item>,
}

impl Lane {
    fn new(name: impl Into<String>, kind: LaneKind) -> Lane {
        Lane { name: name.into(), kind, items: Vec::new() }
    }
}

/// Something that lasted, or a moment where both ends are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// When it began.
    pub from: Time,
    /// When it ended.
    pub to: Time,
    /// How good it is.
    pub tone: Tone,
    /// Whether it is to stand out: a fault acted on it.
    pub is_marked: bool,
    /// The place in the log of the event that says most about it.
    pub seq: u64,
    /// What stands on it.
    pub label: String,
}

impl Serialize for Item {
    /// As a list, because there are many: from, to, tone, marked, seq, label.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Item { from, to, tone, is_marked, seq, label } = self;
        (from, to, tone, u8::from(*is_marked), seq, label).serialize(serializer)
    }
}

impl Timeline {
    /// Reads it from a log. `end` is when the run ended.
    pub(crate) fn of(events: &[Event], end: Time) -> Timeline {
        let end = events.last().map_or(end, |event| event.t_ns.max(end));
        let (run, mut view_ns) = phases::of(events, end);
        let targets = targets::of(events, end);
        // An outage is worth seeing whole, unless it has no end.
        let lost = targets.iter().flat_map(|lane| &lane.items).filter(|item| item.tone == Tone::Bad && item.to < end);
        view_ns.1 = lost.map(|item| item.to).fold(view_ns.1, Time::max);
        let machines = machines::of(events, end);
        let groups = [
            Group { name: "Run", shown: true, lanes: run },
            Group { name: "Availability", shown: true, lanes: targets },
            Group { name: "Machines", shown: true, lanes: machines.involved },
            Group { name: "Calls", shown: true, lanes: calls::of(events) },
            Group { name: "Operators", shown: true, lanes: operators::of(events, end) },
            Group { name: "Other machines", shown: false, lanes: machines.bystanders },
        ];
        Timeline { end_ns: end, view_ns, groups: groups.into_iter().filter(|group| !group.lanes.is_empty()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn drawn(timeline: &Timeline) -> String {
        let mut text = String::new();
        for group in &timeline.groups {
            for lane in &group.lanes {
                text += &format!("{} / {}\n", group.name, lane.name);
                for item in &lane.items {
                    let mark = if item.is_marked { " !" } else { "" };
                    text += &format!("    {} – {} {}{mark} {}\n", item.from, item.to, item.tone.name(), item.label);
                }
            }
        }
        text
    }

    #[test]
    fn a_run_in_lanes() {
        let events = testing::events();
        insta::assert_snapshot!(drawn(&Timeline::of(&events, Time::ZERO)), @"");
    }

    #[test]
    fn an_empty_log_has_no_lanes() {
        let timeline = Timeline::of(&[], Time::ZERO);
        assert!(timeline.groups.is_empty());
        assert_eq!(timeline.view_ns, (Time::ZERO, Time::ZERO));
    }
}
