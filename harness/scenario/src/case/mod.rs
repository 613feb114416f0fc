//! One run as a document that replays it: `case.yaml`.

mod read;
mod write;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use read::{load_case, parse_case};

use crate::{Fault, Scenario};

/// One run: a scenario, and all that a run of it may hang on beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Where the scenario comes from, as the document says it.
    pub origin: Origin,
    /// The scenario as its origin has it, for the procedure of the case.
    pub declared: Scenario,
    /// The scenario as it is to be run: with the seed, the faults and the jitter of the case.
    pub scenario: Scenario,
    /// The seed by which events of one moment are permuted; without one they keep their order.
    pub ties: Option<u64>,
    /// The ids of simulated behaviours that do not hold in it (`docs/fidelity.md`).
    pub overturned: BTreeSet<String>,
    /// By what it is judged.
    pub judged: JudgedBy,
    /// The failure it shows, where it was kept for one.
    pub shows: Option<String>,
}

/// Where the scenario of a case comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A scenario that comes with the product, by name.
    Name(String),
    /// A file, by its path; a relative one is meant from where the case's file is.
    Path(String),
    /// The document itself, as the text it was read from.
    Document(String),
}

/// By what a run is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// By what the scenario expects.
    #[default]
    Scenario,
    /// As in an exploration: going back is as good an end, and the end is compared with that of an undisturbed run.
    Exploration,
}

impl Case {
    /// The run of `scenario` alone, as `origin` tells of it.
    pub fn of(origin: Origin, scenario: Scenario) -> Case {
        Case {
            origin,
            declared: scenario.clone(),
            scenario,
            ties: None,
            overturned: BTreeSet::new(),
            judged: JudgedBy::default(),
            shows: None,
        }
    }

    /// The faults, in order.
    pub fn faults(&self) -> &[Fault] {
        &self.scenario.faults
    }
}
