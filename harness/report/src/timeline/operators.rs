//! What the operators of the clusters are at.

use std::collections::BTreeMap;

use grenadier_clock::Time;
use grenadier_events::{Event, Kind};

use super::Lane;
use super::states::States;
use crate::tone::Tone;

pub(super) fn of(events: &[Event], end: Time) -> Vec<Lane> {
    let mut lanes: BTreeMap<&str, States> = BTreeMap::new();
    for event in events {
        let Kind::Operator { cluster, state, attempt, .. } = &event.kind else { continue };
        let states = lanes.entry(cluster).or_insert_with(|| States::new(cluster));
        let tone = if *attempt > 0 { Tone::Notice } else { Tone::Good };
        // It looks every so often and mostly finds nothing to do: that is one state, not many.
        if *attempt > 0 || states.now() != Some((tone, state)) {
            states.turn(event, tone, state.as_str());
        }
    }
    lanes.into_values().map(|states| states.finish(end)).collect()
}
