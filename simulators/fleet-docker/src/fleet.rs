//! The fleet contract on a Docker engine.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use grenadier_agent::protocol::{FromAgent, SampleRow, Seen, ToAgent, WatchOrder};
use grenadier_clock::Time;
use grenadier_fleet::Mac;
use grenadier_fleet::{
    Boot, Fleet, FleetEvent, FleetView, GuestReport, Machine, MachineId, MachineSpec, Observation, Operation,
    OperationError, OperationId, OperationOutput, Power, Reconfiguration, ServedBy, Snapshot, SnapshotId, Watch,
    WatchId, WatchKind,
};
use tokio::sync::Mutex;

use crate::admission::{check, is_exclusive, machine_of};
use crate::claims::Claims;
use crate::container::Container;
use crate::handle::DockerHandle;
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
    machines: BTreeMap<MachineId, Private>,
    watches: BTreeMap<WatchId, Watching>,
    claims: Claims,
    events: Vec<FleetEvent>,
    machine_count: u32,
    operation_count: u64,
    snapshot_count: u32,
    watch_count: u32,
    epoch_count: u64,
}

/// What nobody outside sees of a machine.
#[derive(Debug, Default)]
struct Private {
    container: Arc<Mutex<Container>>,
    busy: bool,
    /// The number of its present life, or of its last one.
    epoch: u64,
    snapshots: BTreeMap<SnapshotId, SnapshotContent>,
}

#[derive(Debug)]
struct SnapshotContent {
    spec: MachineSpec,
    image: Option<String>,
}

#[derive(Debug)]
struct Watching {
    watch: Watch,
    /// The last moment that the prober told anything about; none while it does not look.
    heard: Option<Time>,
}

impl DockerFleet {
    pub(crate) fn new(shared: Arc<Shared>, view: FleetView, run_dir: PathBuf) -> DockerFleet {
        DockerFleet {
            shared,
            view,
            run_dir,
            supervisor: None,
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
    pub async fn shutdown(mut self) -> SweepReport {
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

    fn machine(&mut self, id: MachineId) -> Result<&mut Machine, OperationError> {
        self.view.machines.get_mut(&id).ok_or(OperationError::NoSuchMachine(id))
    }

    /// Applies what an operation changed; the output that only this side can give.
    fn change(&mut self, id: MachineId, change: Change) -> Result<Option<OperationOutput>, OperationError> {
        match change {
            Change::None => {}
            Change::Created(spec) => {
                // Another machine may have been given the name since the operation was submitted.
                check(&self.view, &Operation::Create { id, spec: spec.clone() })?;
                self.add(id, *spec);
            }
            Change::Destroyed => {
                let machine = self.view.machines.remove(&id).ok_or(OperationError::NoSuchMachine(id))?;
                self.machines.remove(&id);
                self.events.push(FleetEvent::Destroyed { machine: id, name: machine.spec.name });
            }
            Change::Power { power: Power::On, epoch } => self.on(id, epoch)?,
            Change::Power { power: Power::Off, .. } => self.off(id),
            Change::Reset { epoch } => {
                self.off(id);
                self.on(id, epoch)?;
            }
            Change::Reconfigured(change) => reconfigure(self.machine(id)?, *change),
            Change::DiskWritten { disk, image } => {
                for other in self.machine(id)?.spec.disks.iter_mut().filter(|other| other.key == disk) {
                    other.image = Some(Arc::clone(&image));
                }
            }
            Change::SnapshotTaken { name, description, image } => {
                return self.snapshot_taken(id, name, description, image).map(Some);
            }
            Change::Reverted { snapshot } => self.reverted(id, snapshot)?,
            Change::SnapshotsRemoved(gone) => {
                for snapshot in gone {
                    self.snapshot_removed(id, snapshot)?;
                }
            }
        }
        Ok(None)
    }

    fn add(&mut self, id: MachineId, spec: MachineSpec) {
        let machine = Machine {
            id,
            spec,
            power: Power::Off,
            boot: Boot::Off,
            hostname: None,
            addresses: BTreeMap::new(),
            snapshots: Vec::new(),
            current_snapshot: None,
        };
        self.view.machines.insert(id, machine);
        self.machines.insert(id, Private::default());
        self.events.push(FleetEvent::Created { machine: id });
    }

    fn on(&mut self, id: MachineId, epoch: u64) -> Result<(), OperationError> {
        let machine = self.machine(id)?;
        machine.power = Power::On;
        machine.boot = Boot::Booting;
        self.machines.get_mut(&id).expect("a machine in the view has its private side").epoch = epoch;
        self.events.push(FleetEvent::PowerChanged { machine: id, power: Power::On });
        let watches: Vec<WatchId> =
            self.watches.iter().filter(|(_, watching)| watching.watch.client == id).map(|(id, _)| *id).collect();
        for watch in watches {
            self.look(watch);
        }
        Ok(())
    }

    fn off(&mut self, id: MachineId) {
        let Some(machine) = self.view.machines.get_mut(&id).filter(|machine| machine.power == Power::On) else {
            return;
        };
        machine.power = Power::Off;
        machine.boot = Boot::Off;
        machine.hostname = None;
        machine.addresses.clear();
        self.claims.set(id, Vec::new());
        self.events.push(FleetEvent::PowerChanged { machine: id, power: Power::Off });
        let latest = self.shared.clock.now();
        for (watch, watching) in self.watches.iter_mut().filter(|(_, watching)| watching.watch.client == id) {
            if let Some(earliest) = watching.heard.take() {
                let observation = Observation::Down { reason: "prober lost".to_owned() };
                self.events.push(FleetEvent::Watch { watch: *watch, earliest, latest, observation });
            }
        }
    }

    fn snapshot_taken(
        &mut self,
        id: MachineId,
        name: String,
        description: String,
        image: Option<String>,
    ) -> Result<OperationOutput, OperationError> {
        self.snapshot_count += 1;
        let (number, taken_ns) = (SnapshotId(self.snapshot_count), self.shared.clock.now());
        let machine = self.machine(id)?;
        let (parent, power) = (machine.current_snapshot, machine.power);
        let content = SnapshotContent { spec: machine.spec.clone(), image };
        machine.snapshots.push(Snapshot {
            id: number,
            name: name.clone(),
            description,
            parent,
            taken_ns,
            power,
            memory: false,
        });
        machine.current_snapshot = Some(number);
        self.machines
            .get_mut(&id)
            .expect("a machine in the view has its private side")
            .snapshots
            .insert(number, content);
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot: name, action: "created" });
        Ok(OperationOutput::Snapshot(number))
    }

    /// Hardware, configuration, records, disks and NICs come back. The name is the inventory's and stays.
    fn reverted(&mut self, id: MachineId, number: SnapshotId) -> Result<(), OperationError> {
        self.off(id);
        let missing = || OperationError::NotFound(format!("snapshot {}", number.0));
        let content = self.machines.get(&id).and_then(|private| private.snapshots.get(&number));
        let spec = content.ok_or_else(missing)?.spec.clone();
        let machine = self.machine(id)?;
        let display_name = std::mem::take(&mut machine.spec.name);
        machine.spec = MachineSpec { name: display_name, ..spec };
        machine.current_snapshot = Some(number);
        let snapshot =
            machine.snapshots.iter().find(|snapshot| snapshot.id == number).ok_or_else(missing)?.name.clone();
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot, action: "reverted" });
        Ok(())
    }

    fn snapshot_removed(&mut self, id: MachineId, number: SnapshotId) -> Result<(), OperationError> {
        let machine = self.machine(id)?;
        let missing = || OperationError::NotFound(format!("snapshot {}", number.0));
        let index = machine.snapshots.iter().position(|snapshot| snapshot.id == number).ok_or_else(missing)?;
        let gone = machine.snapshots.remove(index);
        for other in machine.snapshots.iter_mut().filter(|other| other.parent == Some(number)) {
            other.parent = gone.parent;
        }
        if machine.current_snapshot == Some(number) {
            machine.current_snapshot = gone.parent;
        }
        if let Some(private) = self.machines.get_mut(&id) {
            private.snapshots.remove(&number);
        }
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot: gone.name, action: "removed" });
        Ok(())
    }

    /// Takes in what an agent told.
    fn told(&mut self, id: MachineId, message: FromAgent) {
        match message {
            FromAgent::Report { report } => {
                let Ok(machine) = self.machine(id) else { return };
                match &report {
                    GuestReport::Up => machine.boot = Boot::Up,
                    GuestReport::BootFailed(reason) => machine.boot = Boot::Failed(reason.clone()),
                    GuestReport::Tools { hostname, addresses } => {
                        machine.hostname = Some(hostname.clone());
                        machine.addresses = addresses.iter().cloned().collect();
                    }
                    GuestReport::Service { .. }
                    | GuestReport::Log { .. }
                    | GuestReport::Operator { .. }
                    | GuestReport::Config { .. } => {}
                }
                self.events.push(FleetEvent::Guest { machine: id, report });
            }
            FromAgent::Config { key, value } => {
                let Ok(machine) = self.machine(id) else { return };
                set(&mut machine.spec.config, key.clone(), value);
                self.events.push(FleetEvent::Guest { machine: id, report: GuestReport::Config { key } });
            }
            FromAgent::Claims { claims } => self.claims.set(id, claims),
            FromAgent::Neighbour { address, mac } => self.neighbour(id, address, mac),
            FromAgent::Observation { watch, earliest, latest, seen } => {
                let watch = WatchId(watch);
                let Some(watching) = self.watches.get_mut(&watch) else { return };
                watching.heard = watching.heard.max(Some(latest));
                let observation = match seen {
                    Seen::Up(backends) => Observation::Up(ServedBy { machine: None, backends, certificate: None }),
                    Seen::Down(reason) => Observation::Down { reason },
                };
                self.events.push(FleetEvent::Watch { watch, earliest, latest, observation });
            }
            FromAgent::Samples { watch, rows } => self.keep(WatchId(watch), &rows),
            // The session keeps these to itself.
            FromAgent::Hello | FromAgent::Answer { .. } | FromAgent::State { .. } => {}
        }
    }

    fn neighbour(&mut self, client: MachineId, address: IpAddr, mac: Option<Mac>) {
        let has = |machine: &&Machine| machine.spec.nics.iter().any(|nic| Some(nic.mac) == mac);
        // Two machines may have one address while one of them is off: the one that is on answered.
        let holders = || self.view.machines.values().filter(has);
        let owner = holders().find(|machine| machine.power == Power::On).or_else(|| holders().next());
        let owner = owner.map(|machine| machine.id);
        self.events.push(FleetEvent::Neighbour { client, address, owner });
    }

    /// Appends raw samples to the watch's side file. What cannot be written is missing from the evidence, and said so.
    fn keep(&mut self, watch: WatchId, rows: &[SampleRow]) {
        let Some(watching) = self.watches.get_mut(&watch) else { return };
        watching.heard = watching.heard.max(rows.last().map(|row| row.began_ns));
        let client = watching.watch.client;
        let path = self.samples_path(watch);
        let write = || {
            let text: String = rows.iter().map(grenadier_agent::protocol::line).collect();
            std::fs::create_dir_all(&self.run_dir)?;
            std::fs::OpenOptions::new().create(true).append(true).open(&path)?.write_all(text.as_bytes())
        };
        if let Err(error) = write() {
            let line = format!("failed to keep samples in {}: {error}", path.display());
            let report = GuestReport::Log { service: "agent".to_owned(), line };
            self.events.push(FleetEvent::Guest { machine: client, report });
        }
    }

    /// Where the raw samples of a watch are kept, one JSON object a line ([`SampleRow`]).
    pub fn samples_path(&self, watch: WatchId) -> PathBuf {
        self.run_dir.join(format!("samples-{}.jsonl", watch.0))
    }

    /// Has the client's agent begin to look. Without one, nothing is looked at, and that is what the watch sees.
    fn look(&mut self, id: WatchId) {
        let now = self.shared.clock.now();
        let Some(watching) = self.watches.get_mut(&id) else { return };
        let watch = &watching.watch;
        let pinned = watch.kind == WatchKind::HttpPinned;
        let client = self.shared.present().get(&watch.client).map(|present| present.session.clone());
        let problem = match client {
            Some(_) if pinned && watch.tls => "this world cannot pin a TLS connection",
            Some(client) => {
                watching.heard = Some(now);
                let every_ms = watch.every.as_millis().try_into().unwrap_or(u64::MAX);
                let order = WatchOrder { watch: id.0, target: watch.target, tls: watch.tls, pinned, every_ms };
                return client.say(ToAgent::Watch(order));
            }
            None => "the prober is off",
        };
        let observation = Observation::Down { reason: problem.to_owned() };
        self.events.push(FleetEvent::Watch { watch: id, earliest: now, latest: now, observation });
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
        self.watches.insert(id, Watching { watch, heard: None });
        self.look(id);
        id
    }

    fn unwatch(&mut self, watch: WatchId) {
        let Some(watching) = self.watches.remove(&watch) else { return };
        if let Some(client) = self.shared.present().get(&watching.watch.client) {
            client.session.say(ToAgent::Unwatch { watch: watch.0 });
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

fn reconfigure(machine: &mut Machine, change: Reconfiguration) {
    machine.spec.nics = crate::worker::nics_after(machine, &change);
    let spec = &mut machine.spec;
    if let Some(name) = change.name {
        spec.name = name;
    }
    if let Some(hardware) = change.hardware {
        spec.hardware = hardware;
    }
    for (key, value) in change.config {
        set(&mut spec.config, key, value);
    }
    for (key, value) in change.record {
        if value.is_null() {
            spec.record.remove(&key);
        } else {
            spec.record.insert(key, value);
        }
    }
}

/// Sets a configuration key; an empty value removes it.
fn set(config: &mut BTreeMap<String, String>, key: String, value: String) {
    if value.is_empty() {
        config.remove(&key);
    } else {
        config.insert(key, value);
    }
}
