//! What the log says of the data plane right now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use grenadier_events::{Availability, Event, EventLog, Kind, ProbeKind, ProberState};

/// The last word on each target and each operator, kept up to date by observing the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataPlane(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Who answers each (target, client, probe); none where it is down.
    targets: BTreeMap<(String, String, ProbeKind), Option<Vec<String>>>,
    /// What each operator said last, and whether that was since [`DataPlane::forget_operators`].
    operators: BTreeMap<String, (String, bool)>,
}

impl DataPlane {
    /// Observes `log` from now on.
    pub(crate) fn observing(log: &EventLog) -> DataPlane {
        let plane = DataPlane::default();
        let observer = plane.clone();
        log.observe(Box::new(move |event| observer.take(event)));
        plane
    }

    fn take(&self, event: &Event) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            Kind::Availability { target, client, probe, now, .. } => {
                let served = match now {
                    Availability::Up(served) => Some(served.backends.clone()),
                    Availability::Down { .. } => None,
                };
                state.targets.insert((target.clone(), client.clone(), *probe), served);
            }
            // Where nobody looks, nothing is known to be up.
            Kind::Prober { target, client, probe, now: ProberState::Stopped { .. } } => {
                state.targets.insert((target.clone(), client.clone(), *probe), None);
            }
            Kind::Operator { cluster, state: said, .. } => {
                state.operators.insert(cluster.clone(), (said.clone(), true));
            }
            _ => {}
        }
    }

    /// Of these probes (target, client and kind), those that told nothing yet.
    pub(crate) fn unheard(&self, probes: &[(String, String, ProbeKind)]) -> Vec<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unheard = probes.iter().filter(|probe| !state.targets.contains_key(probe));
        unheard.map(|(target, client, kind)| format!("{} of {client} at {target}", kind.name())).collect()
    }

    /// The targets that are watched and down.
    pub(crate) fn down(&self) -> Vec<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let down = state.targets.iter().filter(|(_, served)| served.is_none());
        let mut names: Vec<String> = down.map(|((target, _, _), _)| target.clone()).collect();
        names.dedup();
        names
    }

    /// The targets that are up for every client.
    pub(crate) fn up(&self) -> Vec<String> {
        let down = self.down();
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = state.targets.keys().map(|(target, _, _)| target.clone()).collect();
        names.dedup();
        names.retain(|name| !down.contains(name));
        names
    }

    /// The backends that answer new connections to a target, as far as was seen since it came up.
    pub(crate) fn backends(&self, target: &str) -> Vec<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_target = |(key, _): &(&(String, String, ProbeKind), _)| key.0 == target && key.2 == ProbeKind::HttpNew;
        state.targets.iter().filter(of_target).find_map(|(_, served)| served.clone()).unwrap_or_default()
    }

    /// The clusters whose operator is not content.
    pub(crate) fn retrying(&self, clusters: &[&str]) -> Vec<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let content = |cluster: &&&str| matches!(state.operators.get(**cluster), Some((said, true)) if matches!(said.as_str(), "programmed" | "in-sync"));
        clusters.iter().filter(|cluster| !content(cluster)).map(|cluster| (*cluster).to_owned()).collect()
    }

    /// From now on only what operators say anew counts.
    pub(crate) fn forget_operators(&self) {
        self.set_heard(false);
    }

    /// What operators said before counts again, where they said nothing since.
    pub(crate) fn recall_operators(&self) {
        self.set_heard(true);
    }

    fn set_heard(&self, heard: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.operators.values_mut().for_each(|(_, counts)| *counts = heard);
    }
}
