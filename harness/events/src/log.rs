//! The one ordered log of a run.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grenadier_clock::Time;
use sha2::{Digest, Sha256};

use crate::{Actor, Event, Kind, VERSION};

/// Somebody who is told of every event as it happens: a live terminal, say.
pub type Observer = Box<dyn FnMut(&Event) + Send>;

#[derive(Default)]
struct Inner {
    events: Vec<Event>,
    observers: Vec<Observer>,
    /// Tells observers and keeps nothing.
    forgets: bool,
    count: u64,
}

/// The one ordered log of a run. Clones write to the same log.
#[derive(Clone, Default)]
pub struct EventLog(Arc<Mutex<Inner>>);

impl EventLog {
    /// A log that tells its observers and keeps nothing: for what runs until somebody ends it.
    pub fn forgetful() -> EventLog {
        EventLog(Arc::new(Mutex::new(Inner { forgets: true, ..Inner::default() })))
    }

    /// Tells `observer` of every event from now on.
    pub fn observe(&self, observer: Observer) {
        self.lock().observers.push(observer);
    }

    /// Writes an event.
    pub fn emit(&self, at: Time, actor: Actor, kind: Kind) {
        let inner = &mut *self.lock();
        let event = Event { v: VERSION, t_ns: at, seq: inner.count, actor, kind };
        inner.count += 1;
        for observer in &mut inner.observers {
            observer(&event);
        }
        if !inner.forgets {
            inner.events.push(event);
        }
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.lock().events.len()
    }

    /// Whether nothing happened yet.
    pub fn is_empty(&self) -> bool {
        self.lock().events.is_empty()
    }

    /// What `look` makes of the events so far.
    pub fn with<T>(&self, look: impl FnOnce(&[Event]) -> T) -> T {
        look(&self.lock().events)
    }

    /// A copy of the events so far.
    pub fn events(&self) -> Vec<Event> {
        self.lock().events.clone()
    }

    /// The log as JSON, one event a line.
    pub fn to_jsonl(&self) -> String {
        let mut text = String::new();
        for event in &self.lock().events {
            text.push_str(&serde_json::to_string(event).expect("an event has string keys and finite numbers"));
            text.push('\n');
        }
        text
    }

    /// SHA-256 of [`Self::to_jsonl`] in lowercase hexadecimal: two runs of one seed agree on it.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.to_jsonl()))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // An observer that panicked has not harmed the events.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog").field("events", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_order_and_observers_see_it() {
        let log = EventLog::default();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        log.observe(Box::new(move |event| sink.lock().unwrap().push(event.seq)));
        log.clone().emit(Time::from_ns(1), Actor::Runner, Kind::PhaseStarted { phase: "base".into() });
        log.emit(Time::from_ns(2), Actor::Runner, Kind::PhaseStarted { phase: "create".into() });
        assert_eq!(*seen.lock().unwrap(), [0, 1]);
        assert_eq!(
            log.to_jsonl().lines().next().unwrap(),
            r#"{"v":1,"t_ns":1,"seq":0,"actor":"runner","kind":"phase-started","phase":"base"}"#
        );
        assert_ne!(log.hash(), EventLog::default().hash());
    }

    #[test]
    fn a_forgetful_log_tells_and_keeps_nothing() {
        let (log, seen) = (EventLog::forgetful(), Arc::new(Mutex::new(Vec::new())));
        let sink = Arc::clone(&seen);
        log.observe(Box::new(move |event| sink.lock().unwrap().push(event.seq)));
        log.emit(Time::from_ns(1), Actor::Runner, Kind::PhaseStarted { phase: "base".into() });
        log.emit(Time::from_ns(2), Actor::Runner, Kind::PhaseStarted { phase: "create".into() });
        assert_eq!((seen.lock().unwrap().as_slice(), log.len()), (&[0, 1][..], 0));
    }
}
