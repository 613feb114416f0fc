//! What many cases add up to, in bounded memory: counts, and each distinct failure once.

use std::collections::BTreeMap;

use crate::coverage::Cell;
use crate::perform::Performed;
use crate::plan::{Plan, kind, template};
use crate::signature::{Failure, Signature};

/// Where a case stands in an exploration: its part and its number there. The first case of a failure stands for it.
pub(crate) type Place = (u8, u64);

/// One distinct failure.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub cases: u64,
    pub first: Place,
    pub plan: Plan,
    pub message: String,
    pub also: Vec<String>,
}

/// What cases add up to. Adding is commutative and associative: who ran which case when leaves no trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub cases: u64,
    pub failed: u64,
    pub ended: BTreeMap<String, u64>,
    pub coverage: BTreeMap<(String, String), Cell>,
    pub failures: BTreeMap<Signature, Found>,
}

impl Findings {
    /// Adds a case.
    pub(crate) fn add(&mut self, place: Place, plan: Plan, performed: Performed) {
        let Performed { failure, ended, acted } = performed;
        self.cases += 1;
        self.failed += u64::from(failure.is_some());
        *self.ended.entry(ended.to_owned()).or_default() += 1;
        for (fault, acted) in plan.faults.iter().zip(acted) {
            let cell = Cell {
                cases: u64::from(acted),
                failed: u64::from(acted && failure.is_some()),
                not_injectable: u64::from(!acted),
            };
            self.coverage.entry((template(fault), kind(fault))).or_default().add(cell);
        }
        if let Some(Failure { signature, message, also }) = failure {
            self.found(signature, Found { cases: 1, first: place, plan, message, also });
        }
    }

    /// Adds a failure.
    pub(crate) fn found(&mut self, signature: Signature, found: Found) {
        match self.failures.get_mut(&signature) {
            None => {
                self.failures.insert(signature, found);
            }
            Some(known) => {
                let cases = known.cases + found.cases;
                if found.first < known.first {
                    *known = found;
                }
                known.cases = cases;
            }
        }
    }

    /// Adds what others found.
    pub(crate) fn merge(&mut self, other: Findings) {
        self.cases += other.cases;
        self.failed += other.failed;
        for (ended, count) in other.ended {
            *self.ended.entry(ended).or_default() += count;
        }
        for (key, cell) in other.coverage {
            self.coverage.entry(key).or_default().add(cell);
        }
        for (signature, found) in other.failures {
            self.found(signature, found);
        }
    }
}
