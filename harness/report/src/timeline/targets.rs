//! What each client sees of each target.

use std::collections::BTreeSet;

use grenadier_clock::Time;
use grenadier_events::{Availability, Event};
use grenadier_probe::{Change, Spans, watches, windows};

use super::Lane;
use super::states::States;
use crate::told::seen;
use crate::tone::Tone;
use crate::words::seen_by;

pub(super) fn of(events: &[Event], end: Time) -> Vec<Lane> {
    let windows = windows(&Spans::of(events), end);
    let counts = |from: Time, to: Time| windows.iter().any(|window| from < window.to && window.from < to);
    let all = watches(events);
    let clients: BTreeSet<&str> = all.iter().map(|watch| watch.client).collect();
    let mut lanes: Vec<(u64, Lane)> = Vec::new();
    for watch in &all {
        let name = seen_by(watch.target, watch.probe.name());
        // Most runs have one client; its name is noise then.
        let name = if clients.len() > 1 { format!("{name} from {}", watch.client) } else { name };
        let mut states = States::new(name);
        let first_up = watch.first_up().map_or(end, |bounds| bounds.latest_ns);
        for (place, Change { at, seq, now }) in watch.changes.iter().enumerate() {
            let until = watch.changes.get(place + 1).map_or(end, |next| next.at.latest_ns);
            let tone = match now {
                Availability::Up(_) => Tone::Good,
                Availability::Down { .. } if at.latest_ns >= first_up && counts(at.earliest_ns, until) => Tone::Bad,
                // Not made yet, or taken down on purpose.
                Availability::Down { .. } => Tone::Quiet,
            };
            states.turn_within(*at, *seq, tone, seen(now));
        }
        lanes.push((watch.changes.first().map_or(0, |change| change.seq), states.finish(end)));
    }
    lanes.sort_by_key(|(first, _)| *first);
    lanes.into_iter().map(|(_, lane)| lane).collect()
}
