//! What the phases do, for each system: one file or folder a system.

use std::time::Duration;

use grenadier_catalog::Machine;
use grenadier_checks::{
    AcknowledgedWrite, Capture, EngineEnd, Exposure, Inventory, Meaning, Pattern, Residual, Roles, Routes, Shown,
    Target, Verb,
};
use grenadier_scenario::ForeignEvent;
use thiserror::Error;

use crate::searcher::Searcher;
use crate::stage::{BoxFuture, Stage};

pub(crate) mod haproxy_appliance;

/// Why a phase did not do what it is for.
#[derive(Debug, Error)]
pub(crate) enum PhaseError {
    /// What the phase waited for did not come.
    #[error("{what} did not come about within {}: {last}", grenadier_clock::format_duration(*.within))]
    NotInTime {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
        /// How it stood last.
        last: String,
    },
    /// The fleet did not do it.
    #[error("the fleet did not {what}")]
    Fleet {
        /// What was asked.
        what: String,
        /// Why not.
        #[source]
        source: grenadier_fleet::OperationError,
    },
    /// A client's call failed.
    #[error("{what}: {reason}")]
    Call {
        /// What was asked.
        what: String,
        /// Why it failed, with its causes.
        reason: String,
    },
    /// The world is not as it must be.
    #[error("{0}")]
    Unfit(String),
}

/// A phase at work.
pub(crate) type Phase<'a> = BoxFuture<'a, Result<(), PhaseError>>;

/// Who stops the control plane before the upgrade.
pub(crate) enum Shutdown {
    /// The runner, in phase `shutdown`.
    Runner,
    /// The procedure, in its own steps; the phase is skipped with this reason.
    #[allow(
        dead_code,
        reason = "the systems whose documents stop services in the procedure come with their own issues"
    )]
    Procedure(&'static str),
}

/// What the world shows at one moment.
pub(crate) struct Observed {
    pub capture: Capture,
    pub shown: Shown,
    pub inventory: Inventory,
    pub meaning: Meaning,
    pub routes: Routes,
    pub certificate: Option<String>,
    /// Secrets on disks where they do not belong.
    pub exposures: Vec<Exposure>,
}

/// What verdicts need to know of a system beside what is observed.
pub(crate) struct Nature {
    pub targets: Vec<Target>,
    /// What the names in a run stand for.
    pub roles: Roles,
    pub product: Inventory,
    pub residuals: Vec<Residual>,
    pub recreated: Vec<Pattern>,
    /// Finds the run's secrets in its log.
    pub searcher: Searcher,
    /// What others write once they have done their part after the step named first.
    pub written_by_others: Vec<(String, AcknowledgedWrite)>,
}

/// What the phases do for one system.
pub(crate) trait System: Send {
    /// Who performs `shutdown`.
    fn shutdown_by(&self) -> Shutdown;

    /// Stands up the base version.
    fn base<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Creates what the resources need: clusters and their operators.
    fn early_create<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Creates the resources and starts the workload.
    fn create<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Looks whether every resource works.
    fn verify<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Stops the control plane.
    fn shutdown<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Looks whether every resource works without the control plane.
    fn verify_noapi<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Makes the base deviate as the scenario says.
    fn deviate<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Calls the engine.
    fn engine<'a>(&'a mut self, stage: &'a dyn Stage, verb: Verb) -> BoxFuture<'a, EngineEnd>;

    /// Looks whether every resource works on what the engine left.
    fn verify_upgraded<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Waits until nothing is left to settle.
    fn settle<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// Looks at everything.
    fn observe<'a>(&'a mut self, stage: &'a dyn Stage, name: &'a str) -> BoxFuture<'a, Result<Observed, PhaseError>>;

    /// Takes everything down.
    fn destroy<'a>(&'a mut self, stage: &'a dyn Stage) -> Phase<'a>;

    /// What the machine of this role is called in the fleet.
    fn machine(&self, machine: Machine) -> String;

    /// What somebody else does. It must not borrow the system: the engine is at work with it.
    /// Each action comes with the step after which it is done.
    fn foreign_actions(&self, event: &ForeignEvent, stage: &dyn Stage) -> Vec<(String, ForeignAction)>;

    /// What verdicts need to know.
    fn nature(&self) -> Nature;
}

/// What somebody else does, ready to be done.
pub(crate) enum ForeignAction {
    /// Powers a machine on.
    PowerOn(String),
    /// Upgrades the vCenter.
    UpgradeCloud(String),
    /// Whatever else.
    Work(Work),
}

/// Something to be done on a stage, to its end.
pub(crate) type Work = Box<dyn for<'s> FnOnce(&'s dyn Stage) -> BoxFuture<'s, ()>>;
