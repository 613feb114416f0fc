//! What one client saw of one target.

use std::collections::BTreeMap;

use grenadier_clock::Time;
use grenadier_events::{Availability, Bounds, Event, Kind, ProbeKind, ServedBy};

use crate::{Moment, Outage, Spans};

/// One change of what a client sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change<'a> {
    /// When it changed.
    pub at: Bounds,
    /// The `seq` of the event that told it.
    pub seq: u64,
    /// What it sees from then on.
    pub now: &'a Availability,
}

impl Change<'_> {
    /// The moment from which the change is known to hold.
    fn known_from(&self) -> Moment {
        Moment { at: self.at.latest_ns, seq: self.seq }
    }
}

/// One client that looks at one target in one way, and what it saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch<'a> {
    /// The load balancer (or the canary).
    pub target: &'a str,
    /// Who looks.
    pub client: &'a str,
    /// How it looks.
    pub probe: ProbeKind,
    /// What it saw, in order.
    pub changes: Vec<Change<'a>>,
}

impl<'a> Watch<'a> {
    /// When it was first answered; none where it never was.
    pub fn first_up(&self) -> Option<Bounds> {
        self.changes.iter().find(|change| matches!(change.now, Availability::Up(_))).map(|change| change.at)
    }

    /// What it saw at `moment`; none before it looked for the first time.
    pub fn state_at(&self, moment: Moment) -> Option<&'a Availability> {
        self.changes.iter().take_while(|change| change.known_from() < moment).last().map(|change| change.now)
    }

    /// Who answered at `moment`; none where nobody did.
    pub fn served_at(&self, moment: Moment) -> Option<&'a ServedBy> {
        match self.state_at(moment)? {
            Availability::Up(served) => Some(served),
            Availability::Down { .. } => None,
        }
    }

    /// What it saw last, up to and including `end`.
    pub fn last_until(&self, end: Time) -> Option<&'a Availability> {
        self.state_at(Moment { at: end, seq: u64::MAX })
    }

    /// The intervals in which it was not answered. What it saw before it was first answered is no outage: nobody had promised
    /// anything yet. A change of the reason does not split an interval.
    pub fn outages(&self, spans: &Spans) -> Vec<Outage> {
        let mut outages: Vec<Outage> = Vec::new();
        let mut seen_up = false;
        for change in &self.changes {
            let open = outages.last_mut().filter(|outage| outage.to.is_none());
            match (change.now, open) {
                (Availability::Up(_), open) => {
                    seen_up = true;
                    if let Some(outage) = open {
                        outage.to = Some(change.at);
                    }
                }
                (Availability::Down { reason, .. }, Some(outage)) => {
                    if outage.reason != *reason && !outage.then.contains(reason) {
                        outage.then.push(reason.clone());
                    }
                }
                (Availability::Down { reason, class }, None) if seen_up => {
                    let step = spans.step_of(change.at, change.seq);
                    outages.push(Outage {
                        target: self.target.to_owned(),
                        client: self.client.to_owned(),
                        probe: self.probe,
                        from: change.at,
                        to: None,
                        step: step.map(|step| step.name.clone()),
                        verb: step.and_then(|step| step.verb),
                        phase: spans.phase_of(change.at, change.seq).map(|phase| phase.name.clone()),
                        reason: reason.clone(),
                        class: *class,
                        then: Vec::new(),
                    });
                }
                (Availability::Down { .. }, None) => {}
            }
        }
        outages
    }
}

/// Every watch of a log, in order of target, client and kind.
pub fn watches(events: &[Event]) -> Vec<Watch<'_>> {
    let mut all: BTreeMap<(&str, &str, ProbeKind), Vec<Change<'_>>> = BTreeMap::new();
    for event in events {
        if let Kind::Availability { target, client, probe, at, now } = &event.kind {
            let changes = all.entry((target, client, *probe)).or_default();
            changes.push(Change { at: *at, seq: event.seq, now });
        }
    }
    all.into_iter().map(|((target, client, probe), changes)| Watch { target, client, probe, changes }).collect()
}
