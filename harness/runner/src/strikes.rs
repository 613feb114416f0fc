//! Where a fault could strike a run, and in which state.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grenadier_checks::changes_something;
use grenadier_events::{EventLog, Kind};
use grenadier_wire::CallAddress;

/// A call of the engine that can change something, and the state in which it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// The call: `step/template#k`.
    pub at: String,
    /// A hash of the state right before the call.
    ///
    /// It covers the world: every machine with its configuration, disks, files, kernel state, neighbour tables and the volatile
    /// state of its guest; what the cloud owns; the operations that are under way; and everything that is due, by how long from
    /// now. It covers the engine's place: the steps it has begun and ended, and whether they failed, which is what its journal
    /// holds. The present moment itself is left out, because nothing in the virtual world hangs on it but the horizon.
    ///
    /// Two equal hashes are the same state as far as the world goes. It is a heuristic in two ways: what the engine keeps in its
    /// own memory (attempts it has left, answers it has read) does not show, and a run that is nearer to its horizon may not
    /// come to its end.
    pub state: u64,
}

/// The strikes of a run, in order. Clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct Strikes(Arc<Mutex<Vec<Strike>>>);

impl Strikes {
    /// What was noted so far; nothing is left.
    pub fn take(&self) -> Vec<Strike> {
        std::mem::take(&mut *self.lock())
    }

    /// Notes a call that is about to be made, where it can change something.
    pub(crate) fn note(&self, address: &CallAddress, log: &EventLog, world: impl FnOnce() -> u64) {
        let at = address.to_string();
        if !changes_something(&at) {
            return;
        }
        let mut hasher = DefaultHasher::new();
        world().hash(&mut hasher);
        log.with(|events| {
            for event in events {
                match &event.kind {
                    Kind::StepStarted { step, verb } => (0, step, *verb as u8).hash(&mut hasher),
                    Kind::StepFinished { step, verb, error } => {
                        (1 + u8::from(error.is_some()), step, *verb as u8).hash(&mut hasher);
                    }
                    Kind::EngineFinished { verb, exit_code, .. } => (verb, exit_code).hash(&mut hasher),
                    _ => {}
                }
            }
        });
        self.lock().push(Strike { at, state: hasher.finish() });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Strike>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
