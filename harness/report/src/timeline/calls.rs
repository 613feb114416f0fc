//! Calls on the wire, by who makes them and in which protocol.

use std::collections::BTreeMap;

use grenadier_events::{Actor, Event, Kind};

use super::{Item, Lane, LaneKind};
use crate::tone::Tone;

pub(super) fn of(events: &[Event]) -> Vec<Lane> {
    let mut lanes: BTreeMap<(Actor, &str), Lane> = BTreeMap::new();
    for event in events {
        let Kind::Call { address, began_ns, result, fault, .. } = &event.kind else { continue };
        // `step/template#k`, and a template is `protocol.call`.
        let named = address.split_once('/').filter(|(step, _)| !step.contains('.')).map_or(address.as_str(), |it| it.1);
        let protocol = named.split_once('.').map_or("other", |(protocol, _)| protocol);
        let actor = event.actor;
        let lane = lanes
            .entry((actor, protocol))
            .or_insert_with(|| Lane::new(format!("{} {protocol}", actor.name()), LaneKind::Spans));
        let tone = match fault {
            Some(_) => Tone::Bad,
            None if is_success(result) => Tone::Strong,
            None => Tone::Notice,
        };
        lane.items.push(Item {
            from: *began_ns,
            to: event.t_ns,
            tone,
            is_marked: fault.is_some(),
            seq: event.seq,
            label: named.to_owned(),
        });
    }
    let mut lanes: Vec<Lane> = lanes.into_values().collect();
    for lane in &mut lanes {
        // The log has them in the order in which they ended.
        lane.items.sort_by_key(|item| (item.from, item.seq));
    }
    lanes
}

/// Whether a call was answered as its caller must have hoped.
fn is_success(result: &str) -> bool {
    result.starts_with('2') || result.starts_with('3') || result == "exit 0"
}
