//! What a run relied on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Behaviour;

#[derive(Debug, Default)]
struct Inner {
    overturned: BTreeSet<String>,
    relied_on: BTreeMap<&'static str, &'static Behaviour>,
}

/// What a run relied on, and what it was told to do otherwise. Clones are the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Inner>>);

impl Ledger {
    /// A ledger of a run in which the behaviours of these ids do not hold.
    pub fn overturning(ids: impl IntoIterator<Item = String>) -> Ledger {
        let inner = Inner { overturned: ids.into_iter().collect(), ..Inner::default() };
        Ledger(Arc::new(Mutex::new(inner)))
    }

    /// Whether the simulator is to do what the behaviour says; that it asked is noted. A behaviour that cannot be turned over
    /// always holds.
    pub fn holds(&self, behaviour: &'static Behaviour) -> bool {
        let mut inner = self.lock();
        inner.relied_on.insert(behaviour.id, behaviour);
        behaviour.otherwise.is_none() || !inner.overturned.contains(behaviour.id)
    }

    /// The behaviours that mattered, in order of id.
    pub fn relied_on(&self) -> Vec<&'static Behaviour> {
        self.lock().relied_on.values().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Basis;

    static FIRM: Behaviour =
        Behaviour { id: "firm", says: "Says.", basis: Basis::Documented("manual"), otherwise: None };
    static SOFT: Behaviour =
        Behaviour { id: "soft", says: "Says.", basis: Basis::Assumed("why not"), otherwise: Some("Does not.") };

    #[test]
    fn what_is_asked_is_noted_and_only_what_can_be_is_overturned() {
        let ledger = Ledger::overturning(["firm".to_owned(), "soft".to_owned()]);
        assert!(ledger.relied_on().is_empty());
        assert!(ledger.clone().holds(&FIRM));
        assert!(!ledger.holds(&SOFT));
        assert_eq!(ledger.relied_on(), [&FIRM, &SOFT]);
        assert!(Ledger::default().holds(&SOFT));
    }
}
