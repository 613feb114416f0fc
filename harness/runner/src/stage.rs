//! What a phase needs of a world, whichever it is.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use grenadier_clock::Clock;
use grenadier_events::EventLog;
use grenadier_fleet::{FleetView, MachineId, MachineSpec, Operation, OperationError, OperationOutput, Watch, WatchId};
use grenadier_scenario::Blocks;
use grenadier_wire::Wire;

use crate::options::EngineProgram;

/// A future of the one that runs the phases; it stays on its thread.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// An operation on its way.
pub(crate) type Performing = Pin<Box<dyn Future<Output = Result<OperationOutput, OperationError>> + Send>>;

/// The world a scenario runs in.
pub(crate) trait Stage: Send + Sync {
    /// Its clock.
    fn clock(&self) -> &dyn Clock;

    /// The wire into it, connected.
    fn wire(&self) -> &Wire;

    /// The log of the run.
    fn log(&self) -> &EventLog;

    /// Where the segments of this run are.
    fn blocks(&self) -> &Blocks;

    /// How long guests and operators take here.
    fn pace(&self) -> &Pace;

    /// Host and port of the vCenter, and its certificate's fingerprint.
    fn vcenter(&self) -> (String, Option<String>);

    /// Begins an operation on the fleet.
    fn perform(&self, operation: Operation) -> Performing;

    /// Begins to make a machine.
    fn create(&self, spec: MachineSpec) -> (MachineId, Performing);

    /// Shows the fleet as it is now.
    fn look(&self, look: &mut dyn FnMut(&FleetView));

    /// Starts to watch a target, under these names in the log.
    fn watch(&self, watch: Watch, target: &str, client: &str) -> WatchId;

    /// Stops to.
    fn unwatch(&self, watch: WatchId);

    /// The ids of the assumptions that the run relied on so far: rows of `docs/fidelity.md`. None where real things run.
    fn assumptions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether its clock is its own, and not this machine's.
    fn time_is_virtual(&self) -> bool;

    /// Where the engine is a process of its own; none where it runs in this one.
    fn engine_program(&self) -> Option<&EngineProgram> {
        None
    }

    /// What only the cloud owns.
    fn cloud_state(&self) -> serde_json::Value;

    /// Upgrades the vCenter around the appliance.
    fn upgrade_cloud(&self, version: &str);
}

impl dyn Stage + '_ {
    /// What `look` makes of the fleet as it is now.
    pub(crate) fn view<T>(&self, look: impl FnOnce(&FleetView) -> T) -> T {
        let (mut look, mut seen) = (Some(look), None);
        self.look(&mut |view| seen = look.take().map(|look| look(view)));
        seen.expect("a stage shows its fleet once")
    }

    /// The machine of this name, where there is one.
    pub(crate) fn machine(&self, name: &str) -> Option<MachineId> {
        self.view(|view| view.by_name(name).map(|machine| machine.id))
    }
}

/// How long guests and operators take in a world. The fleet's own timing is the fleet's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The Data Plane API's reload window; none leaves the version's own.
    pub reload_delay_ms: Option<u64>,
    /// An operator's first pause after a failure.
    pub backoff_initial_ms: u64,
    /// Its longest.
    pub backoff_max_ms: u64,
    /// How often it looks whether its routes are still there.
    pub resync_ms: u64,
    /// How often the runner looks whether what it waits for has come.
    pub poll_ms: u64,
    /// How long routes may take before the runner stops to wait for them.
    pub routes_within: Duration,
    /// Neighbour (ARP) timers for guests, where they are not the kernel's.
    pub neighbour: Option<&'static str>,
    /// Whether the run lasts to its horizon. Real time does not: there it ends when the system is quiet.
    pub lasts_to_horizon: bool,
}
