//! The fleet contract on a Docker engine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use grenadier_agent::protocol::ToAgent;
use grenadier_clock::Time;
use grenadier_fleet::{
    Fleet, FleetEvent, FleetView, GuestReport, Machine, MachineId, MachineSpec, Operation, OperationError, OperationId,
    OperationOutput, Power, Snapshot, SnapshotId, Watch, WatchId,
};
use tokio::sync::Mutex;

use crate::admission::{check, is_exclusive, machine_of};
use crate::claims::Claims;
use crate::container::Container;
use crate::handle::DockerHandle;
use crate::interference::Interference;
use crate::shared::{Change, Note, Shared};
use crate::supervisor::Supervisor;
use crate::sweep::{Scope, SweepReport, sweep};
use crate::worker::{Job, perform};

/// A fleet whose machines are containers.
///
/// Operations are performed by tasks of the runtime it was started on. What they change appears in the view when events are
/// taken ([`Fleet::take_events`]), never in between; [`DockerFleet::wait_for_events`] waits until there are some.
#[derive(Debug)]
pub struct DockerFleet {
    pub(crate) shared: Arc<Shared>,
    pub(crate) view: FleetView,
    pub(crate) run_dir: PathBuf,
    pub(crate) supervisor: Option<Supervisor>,
    pub(crate) interference: Option<Interference>,
    pub(crate) machines: BTreeMap<MachineId, Private>,
    pub(crate) watches: BTreeMap<WatchId, Watching>,
    pub(crate) claims: Claims,
    pub(crate) events: Vec<FleetEvent>,
    machine_count: u32,
    operation_count: u64,
    pub(crate) snapshot_count: u32,
    watch_count: u32,
    epoch_count: u64,
}

/// What nobody outside sees of a machine.
#[derive(Debug, Default)]
pub(crate) struct Private {
    container: Arc<Mutex<Container>>,
    busy: bool,
    /// The number of its present life, or of its last one.
    pub(crate) epoch: u64,
    pub(crate) snapshots: BTreeMap<SnapshotId, SnapshotContent>,
}

#[derive(Debug)]
pub(crate) struct SnapshotContent {
    pub(crate) spec: MachineSpec,
    pub(crate) image: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Watching {
    pub(crate) watch: Watch,
    /// The last moment that the prober told anything about; none while it does not look.
    pub(crate) heard: Option<Time>,
    /// Nobody wants it any more, and its prober has yet to say how it kept its schedule.
    pub(crate) is_ending: bool,
}

impl DockerFleet {
    pub(crate) fn new(shared: Arc<Shared>, view: FleetView, run_dir: PathBuf) -> DockerFleet {
        DockerFleet {
            shared,
            view,
            run_dir,
            supervisor: None,
            interference: None,
            machines: BTreeMap::new(),
            watches: BTreeMap::new(),
            claims: Claims::default(),
            events: Vec::new(),
            machine_count: 0,
            operation_count: 0,
            snapshot_count: 0,
            watch_count: 0,
            epoch_count: 0,
        }
    }

    /// A handle for calls to machines.
    pub fn handle(&self) -> DockerHandle {
        DockerHandle::new(Arc::clone(&self.shared))
    }

    /// Waits until [`Fleet::take_events`] has something to give or to take in.
    pub async fn wait_for_events(&self) {
        if self.events.is_empty() {
            self.shared.notes.wait().await;
        }
    }

    /// Removes everything of the run from the engine. The fleet is of no use afterwards.
    ///
    /// What is on its way on the engine is waited for, and nothing new begins: an engine that starts a container while it
    /// removes it loses count of its network's endpoints, and then keeps the network until it is restarted (seen with 20.10).
    pub async fn shutdown(mut self) -> SweepReport {
        let _nothing_begins = self.shared.changing.write().await;
        let report = sweep(&self.shared.docker, Scope::Run(self.shared.run().to_owned())).await;
        // Where something is left, the supervisor tries again after our end.
        if report.is_clean()
            && let Some(supervisor) = self.supervisor.take()
        {
            supervisor.dismiss();
        }
        report
    }

    fn begin(&mut self, operation: &Operation) -> Result<(), OperationError> {
        check(&self.view, operation)?;
        if is_exclusive(operation)
            && let Some(private) = self.machines.get_mut(&machine_of(operation))
        {
            if private.busy {
                let name = self.view.machines[&machine_of(operation)].spec.name.clone();
                return Err(OperationError::Busy(name));
            }
            private.busy = true;
        }
        Ok(())
    }

    /// Gives an operation that may begin to a task.
    fn dispatch(&mut self, id: OperationId, operation: Operation) {
        let machine = machine_of(&operation);
        if let Operation::Create { spec, .. } = operation {
            // Nothing of it is on the engine before it is needed: the container's image may be written to the disk later.
            let result = Ok((OperationOutput::Done, Change::Created(spec)));
            return self.shared.notes.push(Note::Finished { id, machine, result });
        }
        let begins = matches!(operation, Operation::PowerOn { .. } | Operation::Reset { .. });
        let private = self.machines.get_mut(&machine).expect("a machine in the view has its private side");
        if begins {
            self.epoch_count += 1;
        }
        let epoch = if begins { self.epoch_count } else { private.epoch };
        let wanted: Vec<SnapshotId> = match &operation {
            Operation::Destroy { .. } => private.snapshots.keys().copied().collect(),
            Operation::Revert { snapshot, .. } => vec![*snapshot],
            Operation::RemoveSnapshot { snapshot, children, .. } => {
                with_children(&self.view.machines[&machine].snapshots, *snapshot, *children)
            }
            _ => Vec::new(),
        };
        let image = |snapshot: SnapshotId| private.snapshots.get(&snapshot).and_then(|content| content.image.clone());
        let images = wanted.into_iter().map(|snapshot| (snapshot, image(snapshot))).collect();
        let job = Job {
            id,
            machine: self.view.machines[&machine].clone(),
            operation,
            epoch,
            images,
            container: Arc::clone(&private.container),
        };
        tokio::spawn(perform(Arc::clone(&self.shared), job));
    }

    fn apply(&mut self, note: Note) {
        match note {
            Note::Finished { id, machine, result } => {
                if let Some(private) = self.machines.get_mut(&machine) {
                    private.busy = false;
                }
                let result = result.and_then(|(output, change)| Ok(self.change(machine, change)?.unwrap_or(output)));
                self.events.push(FleetEvent::OperationFinished { id, result });
            }
            Note::Agent { machine, epoch, message } => {
                if self.lives(machine, epoch) {
                    self.told(machine, message);
                }
            }
            Note::Ended { machine, epoch, how } => {
                if self.lives(machine, epoch) {
                    let line = format!("the machine went off: {how}");
                    let report = GuestReport::Log { service: "agent".to_owned(), line };
                    self.events.push(FleetEvent::Guest { machine, report });
                    self.off(machine);
                }
            }
        }
        let changes = self.claims.changes(&self.view);
        self.events.extend(changes);
    }

    /// Whether this is the machine's present life.
    fn lives(&self, machine: MachineId, epoch: u64) -> bool {
        let on = self.view.machines.get(&machine).is_some_and(|machine| machine.power == Power::On);
        on && self.machines.get(&machine).is_some_and(|private| private.epoch == epoch)
    }

    pub(crate) fn machine(&mut self, id: MachineId) -> Result<&mut Machine, OperationError> {
        self.view.machines.get_mut(&id).ok_or(OperationError::NoSuchMachine(id))
    }
}

impl Fleet for DockerFleet {
    fn submit(&mut self, operation: Operation) -> OperationId {
        self.operation_count += 1;
        let id = OperationId(self.operation_count);
        match self.begin(&operation) {
            Ok(()) => self.dispatch(id, operation),
            Err(error) => {
                // Not through `apply`: an operation that was refused frees no machine that another one works on.
                self.events.push(FleetEvent::OperationFinished { id, result: Err(error) });
            }
        }
        id
    }

    fn submit_create(&mut self, spec: MachineSpec) -> (MachineId, OperationId) {
        self.machine_count += 1;
        let id = MachineId(self.machine_count);
        (id, self.submit(Operation::Create { id, spec: Box::new(spec) }))
    }

    fn view(&self) -> &FleetView {
        &self.view
    }

    fn watch(&mut self, watch: Watch) -> WatchId {
        self.watch_count += 1;
        let id = WatchId(self.watch_count);
        self.watches.insert(id, Watching { watch, heard: None, is_ending: false });
        self.look(id);
        id
    }

    fn unwatch(&mut self, watch: WatchId) {
        let Some(watching) = self.watches.get_mut(&watch) else { return };
        watching.is_ending = true;
        if let Some(client) = self.shared.present().get(&watching.watch.client) {
            client.session.say(ToAgent::Unwatch { watch: watch.0 });
        } else {
            self.watches.remove(&watch);
        }
    }

    fn take_events(&mut self) -> Vec<FleetEvent> {
        for note in self.shared.notes.take() {
            self.apply(note);
        }
        std::mem::take(&mut self.events)
    }
}

/// A snapshot and, where asked for, those on top of it. Snapshots are listed oldest first: parents before their children.
fn with_children(snapshots: &[Snapshot], root: SnapshotId, children: bool) -> Vec<SnapshotId> {
    let mut found = BTreeSet::from([root]);
    if children {
        for snapshot in snapshots {
            if snapshot.parent.is_some_and(|parent| found.contains(&parent)) {
                found.insert(snapshot.id);
            }
        }
    }
    found.into_iter().collect()
}
