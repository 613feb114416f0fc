//! Task: work that takes its time.
//!
//! A method that begins one answers at once with a reference. The task is queued, runs and ends in success or error. What can
//! be refused without looking at the object's state (privileges, arguments) is a fault of the call; what hangs on its state
//! (power, another task, capacity) is the task's error, because a vCenter looks at that when the task runs.
//!
//! A call that the wire marks (`asked_of_simulator`) passes the same checks; then its task ends in `SystemError` half way, or
//! runs for ever, and for every method nothing has been submitted to the fleet and no datastore file has changed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use grenadier_clock::Time;
use grenadier_events::Kind;
use grenadier_fleet::{CloudHost, MachineId, MachineSpec, Operation, OperationError, OperationOutput, SnapshotId};
use grenadier_wire::FaultKind;

use crate::call::{Call, Outcome, Reply};
use crate::datastore_browser::Search;
use crate::fault::Fault;
use crate::fidelity;
use crate::file_manager::Transfer;
use crate::inventory::{DATASTORE_NAME, Inventory};
use crate::moref::MoRef;
use crate::value::{Data, Value, int};
use crate::virtual_machine::reconfigure::ConfigChange;
use crate::vsphere::{Alarm, Purpose};
use crate::{VSphere, datastore_browser, file_manager, folder, virtual_machine};

pub(crate) const PROPERTIES: &[&str] = &["value", "availableField", "info"];

/// How long a task waits in the queue (assumed).
const QUEUED: Duration = Duration::from_millis(20);
/// The same where that assumption is turned over.
const QUEUED_LONG: Duration = Duration::from_secs(5);
/// How long work takes that is none of the fleet's: a search, a deleted file (assumed).
const OWN_WORK: Duration = Duration::from_millis(200);
/// When a task that is made to fail does so (assumed).
const HALF_WAY: Duration = Duration::from_millis(500);

/// How many tasks are kept. A vCenter keeps ended ones for 30 days; no client of ours makes so many.
const MOST_TASKS: usize = 100_000;

/// What a task does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Work {
    PowerOn,
    PowerOff,
    Reset,
    Reconfigure(Box<ConfigChange>),
    Rename(String),
    CreateSnapshot {
        name: String,
        description: String,
        memory: bool,
    },
    /// To the given snapshot, or to the current one.
    Revert {
        snapshot: Option<u32>,
        suppress_power_on: bool,
    },
    /// One, with its children or without.
    RemoveSnapshot {
        snapshot: u32,
        children: bool,
    },
    RemoveAllSnapshots,
    Destroy,
    Search(Search),
    DeleteFile(String),
    /// Moves a file or directory, or copies one.
    Transfer(Transfer),
    /// Makes a machine; with `source`, as a copy of another.
    Create(Box<Newborn>),
    /// Moves machines and folders into a folder.
    MoveInto {
        folder: MoRef,
        things: Vec<MoRef>,
    },
}

/// A machine that a task makes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Newborn {
    /// Its reference.
    pub(crate) moref: MoRef,
    /// What it is made from.
    pub(crate) spec: MachineSpec,
    /// The machine that it is a copy of, and the snapshot.
    pub(crate) source: Option<(MachineId, Option<SnapshotId>)>,
    /// The folder it is in.
    pub(crate) folder: MoRef,
    /// Whether it is turned on.
    pub(crate) power_on: bool,
}

/// A task to begin.
#[derive(Debug)]
pub(crate) struct NewTask {
    /// What it works on.
    pub(crate) entity: MoRef,
    /// The method by its other name: `VirtualMachine.powerOn`.
    pub(crate) description: &'static str,
    /// What it does.
    pub(crate) work: Work,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Queued,
    Running { progress: i32 },
    Success(Option<Value>),
    Error(Fault),
}

impl State {
    const fn name(&self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running { .. } => "running",
            State::Success(_) => "success",
            State::Error(_) => "error",
        }
    }
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    number: u64,
    method: String,
    description: &'static str,
    entity: MoRef,
    entity_name: String,
    user: String,
    work: Work,
    /// What the wire asks of it: to fail, or never to end.
    asked: Option<FaultKind>,
    cancelled: bool,
    state: State,
    queued: Time,
    started: Option<Time>,
    completed: Option<Time>,
    /// What is still to be submitted to the fleet.
    remaining: VecDeque<Operation>,
    /// The machine it made.
    made: Option<MachineId>,
    /// How many operations there are in all.
    operations: usize,
    /// What the last operation gave.
    output: Option<OperationOutput>,
}

/// All tasks by number.
#[derive(Debug, Default)]
pub(crate) struct Tasks(BTreeMap<u64, Task>);

impl Tasks {
    /// The task with this number.
    pub(crate) fn get(&self, number: u64) -> Option<&Task> {
        self.0.get(&number)
    }

    /// Forgets the oldest tasks that have ended, where there are too many.
    fn forget_oldest(&mut self) {
        while self.0.len() > MOST_TASKS {
            let ended = |task: &&Task| matches!(task.state, State::Success(_) | State::Error(_));
            let Some(oldest) = self.0.values().find(ended).map(|task| task.number) else { return };
            self.0.remove(&oldest);
        }
    }

    /// All tasks, in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.0.values()
    }

    /// The tasks that worked on an entity, in order.
    pub(crate) fn of_entity(&self, entity: &MoRef) -> Vec<MoRef> {
        self.0.values().filter(|task| task.entity == *entity).map(Task::mo).collect()
    }

    /// The task that runs on an entity.
    fn running_on(&self, entity: &MoRef) -> Option<&Task> {
        self.0.values().find(|task| task.entity == *entity && matches!(task.state, State::Running { .. }))
    }

    /// All tasks for captures: no times, which are not what a comparison is about.
    pub(crate) fn state(&self) -> serde_json::Value {
        let task = |task: &Task| {
            let error = if let State::Error(fault) = &task.state { Some(fault.kind) } else { None };
            serde_json::json!({
                "task": task.mo().id, "method": task.method, "entity": task.entity.id, "entityName": task.entity_name,
                "user": task.user, "state": task.state.name(), "error": error,
            })
        };
        self.0.values().map(task).collect()
    }
}

impl Task {
    pub(crate) fn mo(&self) -> MoRef {
        MoRef::new("Task", format!("task-{}", self.number))
    }

    /// The number that its events have too.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What it works on.
    pub(crate) fn entity(&self) -> &MoRef {
        &self.entity
    }

    /// Who began it.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// `queued`, `running`, `success` or `error`.
    pub(crate) fn state_name(&self) -> &'static str {
        self.state.name()
    }

    /// `TaskInfo`.
    pub(crate) fn info(&self) -> Data {
        let mut info = Data::new("TaskInfo")
            .with("key", self.mo().id.into_owned())
            .with("task", self.mo())
            .with("name", self.method.as_str())
            .with("descriptionId", self.description)
            .with("entity", self.entity.clone())
            .with("entityName", self.entity_name.as_str())
            .with("state", Value::Enum("TaskInfoState", self.state.name()))
            .with("cancelled", self.cancelled)
            .with("cancelable", self.state == State::Queued || self.asked == Some(FaultKind::TaskStuck));
        let (mut error, mut result, mut progress) = (None, None, None);
        match &self.state {
            State::Queued => {}
            State::Running { progress: percent } => progress = Some(*percent),
            State::Success(value) => result = value.clone().map(|value| Value::Any(Box::new(value))),
            State::Error(fault) => error = Some(fault.localized()),
        }
        info = info.maybe("error", error).maybe("result", result).maybe("progress", progress);
        info.with("reason", Data::derived("TaskReasonUser").with("userName", self.user.as_str()))
            .with("queueTime", self.queued)
            .maybe("startTime", self.started)
            .maybe("completeTime", self.completed)
            .with("eventChainId", int(self.number))
            .unset(&[
                "description",
                "locked",
                "progressDetails",
                "changeTag",
                "parentTaskKey",
                "rootTaskKey",
                "activationId",
            ])
    }
}

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let task = inventory.sim.tasks.get(mo.number("task-")?)?;
    (name == "info").then(|| task.info().into())
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "CancelTask" => cancel(sim, call, host),
        _ => return None,
    })
}

/// A queued task can be cancelled; a running one says that it cannot (`cancelable`), one that ended is in the wrong state.
fn cancel(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let number = call.target.number("task-").unwrap_or_default();
    let Some(task) = sim.tasks.0.get_mut(&number) else { return Err(Fault::not_found(&call.target)) };
    match task.state {
        State::Queued => {
            task.cancelled = true;
            sim.end_task(number, Err(Fault::new("RequestCanceled", "The task was canceled by a user.")), host);
            Ok(Reply::Void)
        }
        // Nothing of it has begun.
        State::Running { .. } if task.asked == Some(FaultKind::TaskStuck) => {
            task.cancelled = true;
            sim.end_task(number, Err(Fault::new("RequestCanceled", "The task was canceled by a user.")), host);
            Ok(Reply::Void)
        }
        State::Running { .. } => Err(Fault::not_supported("the task cannot be canceled")),
        State::Success(_) | State::Error(_) => Err(Fault::invalid_state("The task has already completed.")),
    }
}

impl VSphere {
    /// Queues a task and answers with its reference.
    pub(crate) fn begin_task(&mut self, call: &Call<'_>, host: &mut dyn CloudHost, new: NewTask) -> Outcome {
        let number = self.ids.next("task");
        let entity_name = self.inventory(host, None).name(&new.entity).unwrap_or_default();
        let task = Task {
            number,
            method: call.method.to_owned(),
            description: new.description,
            entity: new.entity,
            entity_name,
            user: call.user.clone(),
            work: new.work,
            asked: call.asked,
            cancelled: false,
            state: State::Queued,
            queued: host.now(),
            started: None,
            completed: None,
            remaining: VecDeque::new(),
            made: None,
            operations: 0,
            output: None,
        };
        let mo = task.mo();
        self.tasks.0.insert(number, task);
        self.tasks.forget_oldest();
        self.tell_task(number, host);
        let queued = if host.holds(&fidelity::TASK_QUEUE) { QUEUED } else { QUEUED_LONG };
        self.set_alarm(Alarm::TaskStarts(number), queued, host);
        Ok(Reply::One(mo.into()))
    }

    /// A queued task's turn has come.
    pub(crate) fn start_task(&mut self, number: u64, host: &mut dyn CloudHost) {
        let Some(task) = self.tasks.0.get(&number) else { return };
        if task.state != State::Queued {
            return;
        }
        let (entity, work, asked) = (task.entity.clone(), task.work.clone(), task.asked);
        let prepared = self.prepare(&entity, &work, host);
        let task = self.tasks.0.get_mut(&number).expect("it was there a moment ago");
        task.started = Some(host.now());
        match prepared {
            Err(fault) => {
                host.holds(&fidelity::STATE_FAULT_IN_TASK);
                self.end_task(number, Err(fault), host);
            }
            Ok(prepared) => {
                task.state = State::Running { progress: 0 };
                task.operations = prepared.len();
                task.remaining = prepared.into();
                self.tell_task(number, host);
                #[cfg(feature = "mutants")]
                let asked = asked.filter(|it| *it != FaultKind::TaskFails || host.holds(&crate::mutants::TASKS_FAIL));
                match asked {
                    Some(FaultKind::TaskFails) => {
                        let after = if host.holds(&fidelity::TASK_FAILS_HALF_WAY) { HALF_WAY } else { Duration::ZERO };
                        self.set_alarm(Alarm::TaskFails(number), after, host);
                    }
                    Some(FaultKind::TaskStuck) => {}
                    _ if matches!(work, Work::Create(_)) => self.begin_to_make(number, &work, host),
                    _ if self.tasks.0[&number].operations == 0 => {
                        self.set_alarm(Alarm::TaskEnds(number), OWN_WORK, host);
                    }
                    _ => self.continue_task(number, host),
                }
            }
        }
    }

    /// Checks what hangs on the object's state, and says what is to be done.
    fn prepare(&self, entity: &MoRef, work: &Work, host: &mut dyn CloudHost) -> Result<Vec<Operation>, Fault> {
        let inventory = self.inventory(host, None);
        match work {
            Work::Search(_) => return Ok(Vec::new()),
            Work::DeleteFile(path) => return file_manager::check(inventory, path).map(|()| Vec::new()),
            Work::Transfer(transfer) => return file_manager::check_transfer(inventory, transfer).map(|()| Vec::new()),
            Work::Create(newborn) => return virtual_machine::clone::check(inventory, newborn).map(|()| Vec::new()),
            Work::MoveInto { folder, things } => {
                return folder::check_move(inventory, folder, things).map(|()| Vec::new());
            }
            _ => {}
        }
        if let Some(other) = self.tasks.running_on(entity) {
            return Err(Fault::task_in_progress(Some(&other.mo())));
        }
        if self.leases.values().any(|lease| lease.holds(entity)) {
            return Err(Fault::invalid_state(
                "The operation is not allowed in the current state: an import is in progress.",
            ));
        }
        virtual_machine::prepare(inventory, entity, work)
    }

    /// Makes a task's machine. What is left to do with it follows when it is there.
    fn begin_to_make(&mut self, number: u64, work: &Work, host: &mut dyn CloudHost) {
        let Work::Create(newborn) = work else { return };
        let spec = newborn.spec.clone();
        let (machine, id) = match newborn.source {
            None => host.fleet().submit_create(spec),
            Some((source, snapshot)) => host.fleet().submit_clone(spec, source, snapshot),
        };
        self.operations.insert(id, Purpose::Task(number));
        let Some(task) = self.tasks.0.get_mut(&number) else { return };
        task.made = Some(machine);
        task.operations = 1 + usize::from(newborn.power_on);
        if newborn.power_on {
            task.remaining.push_back(Operation::PowerOn { machine });
        }
    }

    fn continue_task(&mut self, number: u64, host: &mut dyn CloudHost) {
        let Some(task) = self.tasks.0.get_mut(&number) else { return };
        let Some(operation) = task.remaining.pop_front() else {
            self.complete_task(number, host);
            return;
        };
        let done = task.operations - task.remaining.len() - 1;
        task.state = State::Running { progress: i32::try_from(done * 100 / task.operations).unwrap_or(0) };
        let id = host.fleet().submit(operation);
        self.operations.insert(id, Purpose::Task(number));
    }

    /// An operation that a task submitted has ended.
    pub(crate) fn task_operation(
        &mut self,
        number: u64,
        result: &Result<OperationOutput, OperationError>,
        host: &mut dyn CloudHost,
    ) {
        let Some(task) = self.tasks.0.get_mut(&number) else { return };
        match result {
            Ok(output) => {
                task.output = Some(output.clone());
                self.continue_task(number, host);
            }
            Err(error) => {
                let fault = Fault::of_operation(error, &task.entity, DATASTORE_NAME);
                self.end_task(number, Err(fault), host);
            }
        }
    }

    /// A task that was made to fail does.
    pub(crate) fn fail_task(&mut self, number: u64, host: &mut dyn CloudHost) {
        self.end_task(number, Err(Fault::system("the task failed half way")), host);
    }

    /// All of a task's work is done.
    pub(crate) fn complete_task(&mut self, number: u64, host: &mut dyn CloudHost) {
        let Some(task) = self.tasks.0.get(&number) else { return };
        let result = match (&task.work, &task.output) {
            (Work::Search(search), _) => datastore_browser::run(self.inventory(host, None), search).map(Some),
            (Work::DeleteFile(path), _) => {
                let path = path.clone();
                self.files.remove(&path);
                Ok(None)
            }
            (Work::Transfer(transfer), _) => {
                let (transfer, now) = (transfer.clone(), host.now());
                self.transfer_files(&transfer, now);
                Ok(None)
            }
            (Work::MoveInto { folder, things }, _) => {
                let (folder, things) = (folder.clone(), things.clone());
                self.move_into(&folder, &things);
                Ok(None)
            }
            (Work::Create(newborn), _) => {
                let (moref, folder) = (newborn.moref.clone(), newborn.folder.clone());
                self.move_into(&folder, std::slice::from_ref(&moref));
                Ok(Some(moref.into()))
            }
            (Work::CreateSnapshot { .. }, Some(OperationOutput::Snapshot(id))) => {
                Ok(Some(MoRef::new("VirtualMachineSnapshot", format!("snapshot-{}", id.0)).into()))
            }
            _ => Ok(None),
        };
        self.end_task(number, result, host);
    }

    fn end_task(&mut self, number: u64, result: Result<Option<Value>, Fault>, host: &mut dyn CloudHost) {
        let Some(task) = self.tasks.0.get_mut(&number) else { return };
        task.completed = Some(host.now());
        task.remaining.clear();
        let done = result.is_ok().then(|| task_event(&task.work)).flatten();
        task.state = match result {
            Ok(value) => State::Success(value),
            Err(fault) => State::Error(fault),
        };
        if let Some(kind) = done {
            self.note_task(number, kind, host);
        }
        self.tell_task(number, host);
    }

    /// Writes what a task did into the history.
    fn note_task(&mut self, number: u64, kind: &'static str, host: &mut dyn CloudHost) {
        let Some(task) = self.tasks.0.get(&number) else { return };
        let (user, method) = (task.user.clone(), task.method.clone());
        let (machine, name) = match &task.work {
            Work::Create(newborn) => (newborn.moref.clone(), newborn.spec.name.clone()),
            _ => (task.entity.clone(), task.entity_name.clone()),
        };
        self.history.note(host.now(), kind, &user, Some((machine, name.clone())), format!("{method} on {name}"));
    }

    fn tell_task(&self, number: u64, host: &mut dyn CloudHost) {
        let task = &self.tasks.0[&number];
        let error = if let State::Error(fault) = &task.state {
            Some(format!("{}: {}", fault.kind, fault.message))
        } else {
            None
        };
        host.emit(Kind::Task {
            task: task.mo().id.into_owned(),
            method: task.method.clone(),
            target: task.entity_name.clone(),
            state: task.state.name().to_owned(),
            error,
        });
    }
}

/// The event that a task's end is, where it is one of its own. Power has its events wherever it comes from.
fn task_event(work: &Work) -> Option<&'static str> {
    match work {
        Work::Reconfigure(_) => Some("VmReconfiguredEvent"),
        Work::Rename(_) => Some("VmRenamedEvent"),
        Work::Create(newborn) => Some(if newborn.source.is_some() { "VmClonedEvent" } else { "VmCreatedEvent" }),
        _ => None,
    }
}
