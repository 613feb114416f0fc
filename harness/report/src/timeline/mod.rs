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
        insta::assert_snapshot!(drawn(&Timeline::of(&events, Time::ZERO)), @r"
        Run / Phases
            0s – 52.31s strong base
            52.31s – 52.94s strong early-create
            52.94s – 56.12s strong create
            56.12s – 1m06s strong verify
            1m06s – 1m06s quiet shutdown skipped
            1m06s – 2m21s strong upgrade
            2m21s – 2m51s strong verify-upgraded
            2m51s – 3m07s strong rollback
            3m07s – 10m00s strong compare
        Run / Steps
            1m06s – 1m06s strong check-prerequisites
            1m06s – 1m06s strong copy-certificates
            1m06s – 1m37s strong deploy-new
            1m37s – 1m43s strong power-off-old
            1m43s – 2m02s strong power-on-new
            2m02s – 2m21s strong verify-routes
            2m51s – 2m54s notice undo power-on-new
            2m54s – 3m07s notice undo power-off-old
        Availability / shop
            53.1s – 55.9s quiet down: nobody answers for 198.18.2.20
            55.9s – 1m39s good up: haproxy answers, from shop-1 and shop-2
            1m39s – 2m00s bad down: machine haproxy is off
            2m00s – 2m19s bad down: nothing listens on port 443
            2m19s – 2m53s good up: haproxy-v0.2.0 answers, from shop-1 and shop-2
            2m53s – 3m06s bad down: machine haproxy-v0.2.0 is off
            3m06s – 10m00s good up: haproxy answers, from shop-1 and shop-2
        Availability / api
            53.1s – 55.9s quiet down: nobody answers for 198.18.2.20
            55.9s – 1m39s good up: haproxy answers, from api-1 and api-2
            1m39s – 2m21s bad down: machine haproxy is off
            2m21s – 2m53s good up: haproxy-v0.2.0 answers, from api-1 and api-2
            2m53s – 3m06s bad down: machine haproxy-v0.2.0 is off
            3m06s – 10m00s good up: haproxy answers, from api-1 and api-2
        Availability / canary
            53.1s – 55.9s quiet down: nobody answers for 198.18.2.20
            55.9s – 10m00s good up: haproxy answers, from canary-1 and canary-2
        Machines / haproxy owns
            53s – 1m39s strong 1 address: 198.18.2.16/28
            3m05s – 10m00s strong 1 address: 198.18.2.16/28
        Machines / haproxy-v0.2.0 owns
            2m01s – 2m53s strong 1 address: 198.18.2.16/28
        ");
    }

    #[test]
    fn faults_fights_and_bounds_stand_out() {
        let events = testing::log(&[
            (0, r#"{"kind":"machine-created","machine":"new"}"#),
            (5, r#"{"kind":"phase-started","phase":"upgrade"}"#),
            (10, r#"{"kind":"power-changed","machine":"new","power":"on"}"#),
            (12, r#"{"kind":"address-owners","segment":"s","address":"198.18.2.1/32","owners":["old"]}"#),
            (15, r#"{"kind":"address-owners","segment":"s","address":"198.18.2.1/32","owners":["new","old"]}"#),
            (20, r#"{"kind":"step-started","step":"off","verb":"apply"}"#),
            (30, r#"{"kind":"fault-injected","at":"off/vsphere.PowerOffVM_Task#1","fault":"lost-reply"}"#),
            (
                40,
                r#"{"kind":"call","address":"off/vsphere.PowerOffVM_Task#1","endpoint":"vc:443","began_ns":25000000,"result":"connection dropped","fault":"lost-reply"}"#,
            ),
            (
                45,
                r#"{"kind":"call","address":"off/vsphere.Login#1","endpoint":"vc:443","began_ns":41000000,"result":"503"}"#,
            ),
            (50, r#"{"kind":"step-finished","step":"off","verb":"apply","error":"no answer"}"#),
            (52, r#"{"kind":"operator","cluster":"tenant","state":"in-sync","attempt":0,"detail":""}"#),
            (54, r#"{"kind":"operator","cluster":"tenant","state":"in-sync","attempt":0,"detail":""}"#),
            (56, r#"{"kind":"operator","cluster":"tenant","state":"retrying","attempt":1,"detail":"503"}"#),
            (58, r#"{"kind":"operator","cluster":"tenant","state":"in-sync","attempt":1,"detail":""}"#),
            (60, r#"{"kind":"engine-finished","verb":"upgrade","exit_code":30,"outcome":"stuck","message":""}"#),
            (
                70,
                r#"{"kind":"availability","target":"shop","client":"c","probe":"http-new","at":{"earliest_ns":1000000,"latest_ns":6000000},"state":"up","machine":"old","backends":[]}"#,
            ),
            (
                90,
                r#"{"kind":"availability","target":"shop","client":"c","probe":"http-new","at":{"earliest_ns":80000000,"latest_ns":90000000},"state":"down","reason":"off"}"#,
            ),
        ]);
        let timeline = Timeline::of(&events, Time::from_ns(100_000_000));
        insta::assert_snapshot!(drawn(&timeline), @r"
        Run / Phases
            5ms – 100ms strong upgrade
        Run / Steps
            20ms – 50ms bad off
            60ms – 60ms notice upgrade ends, exit 30
        Run / Faults
            30ms – 30ms bad ! lost-reply at off/vsphere.PowerOffVM_Task#1
        Availability / shop
            6ms – 80ms good up: old answers
            80ms – 90ms notice changes at some moment in here
            90ms – 100ms bad down: off
        Machines / new
            0s – 10ms quiet off
            10ms – 100ms good on
        Machines / new owns
            15ms – 100ms bad 1 address others answer for too: 198.18.2.1/32
        Machines / old owns
            12ms – 15ms strong 1 address: 198.18.2.1/32
            15ms – 100ms bad 1 address others answer for too: 198.18.2.1/32
        Calls / engine vsphere
            25ms – 40ms bad ! vsphere.PowerOffVM_Task#1
            41ms – 45ms notice vsphere.Login#1
        Operators / tenant
            52ms – 56ms good in-sync
            56ms – 58ms notice retrying
            58ms – 100ms good in-sync
        ");
        assert_eq!(timeline.view_ns, (Time::from_ns(5_000_000), Time::from_ns(100_000_000)));
    }

    #[test]
    fn an_empty_log_has_no_lanes() {
        let timeline = Timeline::of(&[], Time::ZERO);
        assert!(timeline.groups.is_empty());
        assert_eq!(timeline.view_ns, (Time::ZERO, Time::ZERO));
    }
}
