//! Phases, the engine's steps, and faults.

use grenadier_clock::Time;
use grenadier_events::{Event, Kind, PhaseStatus, StepVerb};

use super::{Item, Lane, LaneKind};
use crate::tone::Tone;
use crate::words::step_with_verb;

/// The phases that are worth looking at first.
const FIRST_SEEN: [&str; 4] = ["upgrade", "resume", "verify-upgraded", "rollback"];

/// The lanes, and the part of the run that is worth looking at first.
pub(super) fn of(events: &[Event], end: Time) -> (Vec<Lane>, (Time, Time)) {
    let mut phases = Lane::new("Phases", LaneKind::Spans);
    let mut steps = Lane::new("Steps", LaneKind::Spans);
    let mut faults = Lane::new("Faults", LaneKind::Spans);
    // Begun and not ended: their place among the items.
    let (mut phase, mut step) = (None, None);
    for event in events {
        let (at, seq) = (event.t_ns, event.seq);
        let item = |tone, label: String| Item { from: at, to: at, tone, is_marked: false, seq, label };
        match &event.kind {
            Kind::PhaseStarted { phase: name } => {
                phase = Some(begin(&mut phases, item(Tone::Strong, name.clone()), end));
            }
            Kind::PhaseFinished { phase: name, status, .. } => match (status, phase.take()) {
                (PhaseStatus::Failed, Some(place)) => finish(&mut phases, place, at, seq, Tone::Bad),
                (PhaseStatus::Passed, Some(place)) => finish(&mut phases, place, at, seq, Tone::Strong),
                (PhaseStatus::Skipped, Some(place)) => finish(&mut phases, place, at, seq, Tone::Quiet),
                (PhaseStatus::Failed, None) => phases.items.push(item(Tone::Bad, name.clone())),
                (_, None) => phases.items.push(item(Tone::Quiet, format!("{name} skipped"))),
            },
            Kind::StepStarted { step: name, verb } => {
                let tone = match verb {
                    StepVerb::Apply => Tone::Strong,
                    StepVerb::Undo => Tone::Notice,
                    StepVerb::Verify => Tone::Quiet,
                };
                step = Some(begin(&mut steps, item(tone, step_with_verb(name, *verb)), end));
            }
            Kind::StepFinished { error, .. } => {
                if let Some(place) = step.take() {
                    let tone = if error.is_some() { Tone::Bad } else { steps.items[place].tone };
                    finish(&mut steps, place, at, seq, tone);
                }
            }
            Kind::EngineFinished { verb, exit_code, .. } => {
                if let Some(place) = step.take() {
                    finish(&mut steps, place, at, seq, Tone::Bad);
                }
                let tone = if *exit_code == 0 { Tone::Good } else { Tone::Notice };
                steps.items.push(item(tone, format!("{verb} ends, exit {exit_code}")));
            }
            Kind::FaultInjected { at, fault } => {
                faults.items.push(Item { is_marked: true, ..item(Tone::Bad, format!("{fault} at {at}")) });
            }
            _ => {}
        }
    }
    // Of a look that took no time only a failure is worth a mark.
    steps.items.retain(|item| item.from < item.to || item.tone != Tone::Quiet);
    let seen = || phases.items.iter().filter(|item| item.from < item.to && FIRST_SEEN.contains(&item.label.as_str()));
    let (from, to) = match (seen().next(), seen().next_back()) {
        (Some(first), Some(last)) => (first.from, last.to),
        _ => (Time::ZERO, end),
    };
    (vec![phases, steps, faults].into_iter().filter(|lane| !lane.items.is_empty()).collect(), (from, to))
}

/// Begins an item that lasts until `end`, should nobody finish it; gives its place.
fn begin(lane: &mut Lane, item: Item, end: Time) -> usize {
    lane.items.push(Item { to: end, ..item });
    lane.items.len() - 1
}

/// Ends an item; of its two events the last one says more.
fn finish(lane: &mut Lane, place: usize, at: Time, seq: u64, tone: Tone) {
    let item = &mut lane.items[place];
    (item.to, item.seq, item.tone) = (at, seq, tone);
}
