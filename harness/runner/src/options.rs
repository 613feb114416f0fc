//! What a run in the virtual world may be given beside its scenario.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use grenadier_checks::Reference;
use grenadier_clock::{Seed, TieBreak};

use crate::strikes::Strikes;

/// What a run in the virtual world may be given beside its scenario. By default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The seed by which events of one moment are permuted; without one they keep the order of insertion.
    pub ties: Option<u64>,
    /// The step of the engine after which the run stops. Nothing is taken down then, and nothing is known of the upgrade.
    pub until: Option<String>,
    /// For how long the run goes on once the engine has ended and the system works; without it, it lasts to its horizon.
    pub afterwards: Option<Duration>,
    /// How it is judged.
    pub judged: Judged,
    /// The ids of simulated behaviours that do not hold in this run (`docs/fidelity.md`).
    pub overturned: BTreeSet<String>,
    /// Where the engine runs as a process of its own; without it, it runs in this one. Time stands still while it computes.
    pub engine: Option<EngineProgram>,
    /// Where the calls are noted at which a fault could strike. Takes time, and changes nothing.
    pub strikes: Option<Strikes>,
    /// What is wrong with the engine that is called.
    #[cfg(feature = "mutants")]
    pub defect: Option<grenadier_engine::procedures::haproxy_appliance::mutants::Defect>,
}

/// The engine as a process of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineProgram {
    /// The `grenadier` binary.
    pub program: PathBuf,
    /// Where it keeps its journal and its parameters.
    pub folder: PathBuf,
}

/// How a run is judged.
#[derive(Clone, Debug, Default)]
pub enum Judged {
    /// By what the scenario expects.
    #[default]
    AsDeclared,
    /// As one that was disturbed: going back is as good an end as the expected one and is held to what it promises, no outage
    /// budget counts, and the end is compared with that of an undisturbed run.
    UnderFaults(Arc<Reference>),
}

impl Options {
    pub(crate) fn tie_break(&self) -> TieBreak {
        self.ties.map_or(TieBreak::Insertion, |seed| TieBreak::permuted(Seed(seed)))
    }

    pub(crate) fn reference(&self) -> Option<Arc<Reference>> {
        match &self.judged {
            Judged::AsDeclared => None,
            Judged::UnderFaults(reference) => Some(Arc::clone(reference)),
        }
    }
}
