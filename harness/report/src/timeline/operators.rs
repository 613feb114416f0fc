//! What the operators of the clusters are at.

use std::collections::BTreeMap;

use grenadier_clock::Time;
use grenadier_events::{Event, Kind};

use super::Lane;
use super::states::States;
use crate::tone::Tone;

/// The states in which an operator has nothing to wait for.
const DONE: [&str; 2] = ["programmed", "in-sync"];

pub(super) fn of(events: &[Event], end: Time) -> Vec<Lane> {
    let mut lanes: BTreeMap<&str, States> = BTreeMap::new();
    for event in events {
        let Kind::Operator { cluster, state, .. } = &event.kind else { continue };
        let states = lanes.entry(cluster).or_insert_with(|| States::new(cluster));
        let is_done = DONE.contains(&state.as_str());
        let tone = if is_done { Tone::Good } else { Tone::Notice };
        // It looks every so often and mostly finds nothing to do: that is one state, not many. Of attempts each one counts.
        if !is_done || states.now() != Some((tone, state)) {
            states.turn(event, tone, state.as_str());
        }
    }
    lanes.into_values().map(|states| states.finish(end)).collect()
}
