//! Pairs of faults: where the second can strike is seen in the run with the first.
//!
//! A pair is left out where its second fault would strike a state that an earlier pair's (or the single fault alone) strikes
//! already: same state, same fault, same place in the engine's work, so the same future. What counts as the same state is said
//! at [`grenadier_runner::Strike`]; what it does not see is what the engine keeps in its own memory.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use grenadier_checks::changes_something;
use grenadier_runner::{Strike, Strikes};
use grenadier_scenario::Fault;

use crate::enumerate::faults_at;
use crate::perform::{Performed, perform_as};
use crate::plan::Plan;
use crate::points::Point;
use crate::signature::Signature;
use crate::subject::Subject;

/// What the runs with one fault showed.
#[derive(Default)]
pub(crate) struct Firsts {
    /// Where a second fault could strike, by the number of the first.
    strikes: BTreeMap<u64, Vec<Strike>>,
    /// What failed with one fault alone, by its number.
    failed: BTreeMap<u64, Signature>,
    /// The states that single faults strike.
    seen: BTreeSet<u64>,
}

impl Firsts {
    /// The states in which the undisturbed run makes its calls.
    pub(crate) fn of_undisturbed(subject: &Subject) -> Firsts {
        let strikes = Strikes::default();
        let recorded = strikes.clone();
        perform_as(subject, &Plan::default(), |options| options.strikes = Some(recorded), |_| ());
        Firsts { seen: strikes.take().iter().map(key).collect(), ..Firsts::default() }
    }

    pub(crate) fn add(&mut self, number: u64, performed: &Performed, strikes: Vec<Strike>) {
        match &performed.failure {
            Some(failure) => {
                self.failed.insert(number, failure.signature.clone());
            }
            None => {
                self.strikes.insert(number, strikes);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Firsts) {
        self.strikes.extend(other.strikes);
        self.failed.extend(other.failed);
        self.seen.extend(other.seen);
    }
}

/// Runs a single fault and sees where a second one could strike: at each call after it that can change something. A fault that
/// strikes where nothing can change makes no pairs.
pub(crate) fn first(subject: &Subject, plan: &Plan) -> (Performed, Vec<Strike>) {
    let place = plan.faults.first().map(|fault| fault.at.to_string()).unwrap_or_default();
    if !changes_something(&place) {
        return (perform_as(subject, plan, |_| (), |_| ()), Vec::new());
    }
    let strikes = Strikes::default();
    let recorded = strikes.clone();
    let performed = perform_as(subject, plan, |options| options.strikes = Some(recorded), |_| ());
    let mut after = strikes.take();
    let struck = after.iter().position(|strike| strike.at == place);
    after.drain(..struck.map_or(after.len(), |struck| struck + 1));
    (performed, after)
}

/// Same state, same place.
fn key(strike: &Strike) -> u64 {
    let mut hasher = DefaultHasher::new();
    (strike.state, &strike.at).hash(&mut hasher);
    hasher.finish()
}

/// All pairs, numbered.
pub(crate) struct Pairs {
    singles: Vec<Plan>,
    failed: BTreeMap<u64, Signature>,
    /// The first fault, and the faults that can be the second at one place after it.
    groups: Vec<(u64, Vec<Fault>)>,
    /// How many pairs there are before each group.
    before: Vec<u64>,
    total: u64,
    /// How many were left out.
    pub pruned: u64,
}

impl Pairs {
    pub(crate) fn new(singles: Vec<Plan>, firsts: Firsts, taken: &[Fault]) -> Pairs {
        let Firsts { strikes, failed, mut seen } = firsts;
        let mut pairs = Pairs { singles, failed, groups: Vec::new(), before: Vec::new(), total: 0, pruned: 0 };
        for (number, strikes) in strikes {
            let mut places = BTreeSet::new();
            for strike in strikes {
                let Ok(at) = strike.at.parse() else { continue };
                let point = Point { at, mutating: true };
                let faults = faults_at(&point, taken);
                if faults.is_empty() || !places.insert(strike.at.clone()) {
                    continue;
                }
                if seen.insert(key(&strike)) {
                    pairs.before.push(pairs.total);
                    pairs.total += faults.len() as u64;
                    pairs.groups.push((number, faults));
                } else {
                    pairs.pruned += faults.len() as u64;
                }
            }
        }
        pairs
    }

    pub(crate) fn len(&self) -> u64 {
        self.total
    }

    /// The pair of this number.
    pub(crate) fn plan(&self, number: u64) -> Plan {
        let group = self.before.partition_point(|before| *before <= number) - 1;
        let (first, seconds) = &self.groups[group];
        let mut plan = self.singles[*first as usize].clone();
        plan.faults.push(seconds[(number - self.before[group]) as usize].clone());
        plan
    }

    /// Where a pair fails as its second fault fails alone, that is the failure it shows.
    pub(crate) fn attribute(&self, plan: &Plan, performed: &mut Performed) {
        let (Some(failure), Some(second)) = (&mut performed.failure, plan.faults.last()) else { return };
        let alone = self.failed.iter().find(|(number, signature)| {
            self.singles[**number as usize].faults.first() == Some(second)
                && signature.same_violation(&failure.signature)
        });
        if let Some((_, signature)) = alone {
            failure.signature = signature.clone();
        }
    }
}
