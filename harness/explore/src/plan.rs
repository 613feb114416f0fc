//! What goes wrong in one run.

use std::collections::BTreeSet;

use grenadier_scenario::{Case, Fault, Jitter, JudgedBy, Origin, Scenario};

/// What goes wrong in one run of a scenario, and what else differs from its undisturbed run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The faults, beside those of the scenario, in the order in which they are to act.
    pub faults: Vec<Fault>,
    /// Another seed than the exploration's.
    pub seed: Option<u64>,
    /// The seed by which events of one moment are permuted.
    pub ties: Option<u64>,
    /// By how much lengths of time vary.
    pub jitter: Option<Jitter>,
    /// The ids of simulated behaviours that do not hold.
    pub overturned: BTreeSet<String>,
}

impl Plan {
    /// One fault and nothing else.
    pub fn single(fault: Fault) -> Plan {
        Plan { faults: vec![fault], ..Plan::default() }
    }

    /// `scenario` with all this.
    pub(crate) fn applied(&self, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        scenario.faults.extend(self.faults.iter().cloned());
        if let Some(jitter) = self.jitter {
            scenario.timing.jitter = jitter;
        }
        if let Some(seed) = self.seed {
            scenario.seed = seed;
        }
        scenario
    }

    /// The case that replays it.
    pub(crate) fn case(&self, origin: &Origin, scenario: &Scenario, shows: Option<String>) -> Case {
        Case {
            origin: origin.clone(),
            declared: scenario.clone(),
            scenario: self.applied(scenario),
            ties: self.ties,
            overturned: self.overturned.clone(),
            judged: JudgedBy::Exploration,
            shows,
        }
    }

    /// The names of its faults' kinds, joined by `+`.
    pub(crate) fn kinds(&self) -> String {
        let mut kinds: Vec<String> = self.faults.iter().map(kind).collect();
        if kinds.is_empty() {
            kinds.extend(self.ties.map(|_| "ties".to_owned()));
            kinds.extend(self.jitter.map(|_| "jitter".to_owned()));
            kinds.extend(self.seed.map(|_| "seed".to_owned()));
            kinds.extend(self.overturned.iter().cloned());
        }
        if kinds.is_empty() { "none".to_owned() } else { kinds.join("+") }
    }

    /// The steps its faults are at, joined by `+`.
    pub(crate) fn steps(&self) -> String {
        let steps: Vec<&str> = self.faults.iter().map(step).collect();
        if steps.is_empty() { "none".to_owned() } else { steps.join("+") }
    }
}

/// What a fault does, without how much of it and for how long: `slow`, `machine-crash:new-appliance`, `crash-after:rollback`.
pub(crate) fn kind(fault: &Fault) -> String {
    Fault { by: None, rate: None, length: None, ..fault.clone() }.what()
}

/// The step a fault is at.
pub(crate) fn step(fault: &Fault) -> &str {
    fault.at.step()
}

/// What a fault happens to: a call without its step, or a step. A row of the coverage table.
pub(crate) fn template(fault: &Fault) -> String {
    fault.at.call().map_or_else(|| fault.at.to_string(), |call| call.template.to_string())
}
