//! EventManager, TaskManager and their collectors: what happened, and who did it.

use std::collections::{BTreeMap, VecDeque};

use grenadier_clock::Time;
use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::inventory::{CLUSTER, DATACENTER, Inventory};
use crate::moref::MoRef;
use crate::task::Task;
use crate::value::{Data, Value, int};

/// How many events are kept; the oldest go first. A vCenter keeps those of 30 days (assumed alike for what a client asks).
const MOST_EVENTS: usize = 10_000;
/// How many entries a collector's latest page has at first (vSphere Web Services API, HistoryCollector).
const PAGE: usize = 10;

/// What happened, and who looks through it.
#[derive(Debug, Default)]
pub(crate) struct History {
    events: VecDeque<Event>,
    last: u64,
    pub(crate) collectors: BTreeMap<u64, Collector>,
}

/// Something that happened.
#[derive(Clone, Debug)]
struct Event {
    key: u64,
    kind: &'static str,
    at: Time,
    user: String,
    machine: Option<(MoRef, String)>,
    message: String,
}

/// A collector of a session: a place in the history.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    pub(crate) session: String,
    of_tasks: bool,
    filter: Filter,
    /// Everything up to this key was read.
    read: u64,
    page: usize,
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
struct Filter {
    entity: Option<MoRef>,
    /// What hangs below the entity counts too.
    below: bool,
    kinds: Vec<String>,
    states: Vec<String>,
    user: Option<String>,
}

impl Collector {
    /// Its type.
    pub(crate) fn kind(&self) -> &'static str {
        if self.of_tasks { "TaskHistoryCollector" } else { "EventHistoryCollector" }
    }
}

impl History {
    /// Writes down what happened.
    pub(crate) fn note(
        &mut self,
        at: Time,
        kind: &'static str,
        user: &str,
        machine: Option<(MoRef, String)>,
        message: String,
    ) {
        self.last += 1;
        self.events.push_back(Event { key: self.last, kind, at, user: user.to_owned(), machine, message });
        if self.events.len() > MOST_EVENTS {
            self.events.pop_front();
        }
    }

    /// Forgets the collectors of a session.
    pub(crate) fn close_session(&mut self, token: &str) {
        self.collectors.retain(|_, collector| collector.session != token);
    }
}

impl Event {
    fn data(&self) -> Data {
        let argument = |kind, field, name: &str, mo: MoRef| Data::new(kind).with("name", name).with(field, mo);
        let machine = self.machine.as_ref();
        let vm = machine.map(|(mo, name)| argument("VmEventArgument", "vm", name, mo.clone()));
        let datacenter = machine.map(|_| argument("DatacenterEventArgument", "datacenter", "DC0", DATACENTER));
        let cluster = machine.map(|_| argument("ComputeResourceEventArgument", "computeResource", "DC0_C0", CLUSTER));
        let data = Data::derived(self.kind)
            .with("key", int(self.key))
            .with("chainId", int(self.key))
            .with("createdTime", self.at)
            .with("userName", self.user.as_str())
            .maybe("datacenter", datacenter)
            .maybe("computeResource", cluster)
            .maybe("vm", vm)
            .with("fullFormattedMessage", self.message.as_str());
        match self.kind {
            "UserLoginSessionEvent" => data.with("ipAddress", "").with("locale", "en").with("sessionId", ""),
            "UserLogoutSessionEvent" => data,
            "VmRenamedEvent" => data.with("template", false).with("oldName", "").with("newName", ""),
            _ => data.with("template", false),
        }
    }
}

impl Filter {
    fn of_events(inventory: Inventory<'_>, call: &Call<'_>) -> Result<Filter, Fault> {
        let mut filter = Filter::common(inventory, call)?;
        if let Some(spec) = call.args.child("filter") {
            filter.kinds = spec.texts_of("eventTypeId").into_iter().chain(spec.texts_of("type")).collect();
            // Full names are accepted too: `vim.event.VmPoweredOnEvent`.
            for kind in &mut filter.kinds {
                *kind = kind.rsplit('.').next().unwrap_or_default().to_owned();
            }
        }
        Ok(filter)
    }

    fn of_tasks(inventory: Inventory<'_>, call: &Call<'_>) -> Result<Filter, Fault> {
        let mut filter = Filter::common(inventory, call)?;
        if let Some(spec) = call.args.child("filter") {
            filter.states = spec.texts_of("state");
        }
        Ok(filter)
    }

    fn common(inventory: Inventory<'_>, call: &Call<'_>) -> Result<Filter, Fault> {
        let mut filter = Filter::default();
        let Some(spec) = call.args.child("filter") else { return Ok(filter) };
        if let Some(by) = spec.child("entity") {
            let asked = by.required_moref("entity")?;
            filter.entity = Some(inventory.resolve(&asked.id).ok_or_else(|| Fault::not_found(&asked))?);
            filter.below = matches!(by.text_of("recursion"), Some("all" | "children"));
        }
        filter.user = spec.child("userName").and_then(|by| by.owned_of("userList"));
        Ok(filter)
    }

    fn takes_entity(&self, inventory: Inventory<'_>, entity: Option<&MoRef>) -> bool {
        let Some(wanted) = &self.entity else { return true };
        let mut at = entity.cloned();
        while let Some(own) = at {
            if own == *wanted {
                return true;
            }
            at = if self.below { inventory.parent(&own) } else { None };
        }
        false
    }

    fn takes_event(&self, inventory: Inventory<'_>, event: &Event) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.kind))
            && self.user.as_ref().is_none_or(|user| *user == event.user)
            && self.takes_entity(inventory, event.machine.as_ref().map(|(mo, _)| mo))
    }

    fn takes_task(&self, inventory: Inventory<'_>, task: &Task) -> bool {
        (self.states.is_empty() || self.states.iter().any(|state| state == task.state_name()))
            && self.user.as_deref().is_none_or(|user| user == task.user())
            && self.takes_entity(inventory, Some(task.entity()))
    }
}

/// The properties of each type.
pub(crate) fn properties(kind: &str) -> &'static [&'static str] {
    match kind {
        "EventManager" => &["description", "latestEvent", "maxCollector"],
        "TaskManager" => &["recentTask", "description", "maxCollector"],
        "EventHistoryCollector" => &["filter", "latestPage", "initialized"],
        _ => &["filter", "latestPage"],
    }
}

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let history = &inventory.sim.history;
    match (&*mo.kind, name) {
        ("EventManager", "latestEvent") => Some(history.events.back()?.data().into()),
        ("EventManager" | "TaskManager", "maxCollector") => Some(Value::Int(1_000)),
        ("TaskManager", "recentTask") => {
            let mut recent: Vec<MoRef> = inventory.sim.tasks.iter().rev().take(PAGE).map(Task::mo).collect();
            recent.reverse();
            Some(Value::refs(recent))
        }
        ("EventHistoryCollector" | "TaskHistoryCollector", "latestPage") => {
            let collector = history.collectors.get(&mo.number("history-")?)?;
            let mut all = entries(inventory, collector);
            let page = all.split_off(all.len().saturating_sub(collector.page));
            let kind = if collector.of_tasks { "TaskInfo" } else { "Event" };
            Some(Value::list(kind, page.into_iter().rev().map(|(_, data)| data)))
        }
        ("EventHistoryCollector", "initialized") => Some(Value::Bool(true)),
        _ => None,
    }
}

/// Everything a collector is about, with keys, oldest first.
fn entries(inventory: Inventory<'_>, collector: &Collector) -> Vec<(u64, Data)> {
    if collector.of_tasks {
        let tasks = inventory.sim.tasks.iter().filter(|task| collector.filter.takes_task(inventory, task));
        return tasks.map(|task| (task.number(), task.info())).collect();
    }
    let events = inventory.sim.history.events.iter();
    let events = events.filter(|event| collector.filter.takes_event(inventory, event));
    events.map(|event| (event.key, event.data())).collect()
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match (&*call.target.kind, call.method) {
        ("EventManager", "QueryEvents") => query(sim, call, host),
        ("EventManager", "CreateCollectorForEvents") => create(sim, call, host, false),
        ("TaskManager", "CreateCollectorForTasks") => create(sim, call, host, true),
        ("EventHistoryCollector", "ReadNextEvents") | ("TaskHistoryCollector", "ReadNextTasks") => {
            read(sim, call, host, true)
        }
        ("EventHistoryCollector", "ReadPreviousEvents") | ("TaskHistoryCollector", "ReadPreviousTasks") => {
            read(sim, call, host, false)
        }
        ("EventHistoryCollector" | "TaskHistoryCollector", method) => place(sim, call, method)?,
        _ => return None,
    })
}

fn query(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let filter = Filter::of_events(inventory, call)?;
    let events = inventory.sim.history.events.iter().filter(|event| filter.takes_event(inventory, event));
    Ok(Reply::Many(events.map(|event| event.data().into()).collect()))
}

fn create(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost, of_tasks: bool) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let filter = if of_tasks { Filter::of_tasks(inventory, call)? } else { Filter::of_events(inventory, call)? };
    let session = call.session()?.to_owned();
    let collector = Collector { session, of_tasks, filter, read: 0, page: PAGE };
    let kind = collector.kind();
    let number = sim.ids.next("history");
    sim.history.collectors.insert(number, collector);
    Ok(Reply::One(MoRef::new(kind, format!("history-{number}")).into()))
}

/// The next entries behind the collector's place, or those in front of it, nearest first.
fn read(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost, forward: bool) -> Outcome {
    let number = call.target.number("history-").unwrap_or_default();
    let most = call.args.number_of::<usize>("maxCount")?.unwrap_or(PAGE).min(1_000);
    let inventory = sim.inventory(host, call.session.as_deref());
    let collector = inventory.sim.history.collectors.get(&number).ok_or_else(|| Fault::not_found(&call.target))?;
    let (seen, ahead): (Vec<_>, Vec<_>) =
        entries(inventory, collector).into_iter().partition(|(key, _)| *key <= collector.read);
    let page: Vec<(u64, Data)> =
        if forward { ahead.into_iter().take(most).collect() } else { seen.into_iter().rev().take(most).collect() };
    let place = page.last().map(|(key, _)| if forward { *key } else { key - 1 });
    if let (Some(place), Some(collector)) = (place, sim.history.collectors.get_mut(&number)) {
        collector.read = place;
    }
    Ok(Reply::Many(page.into_iter().map(|(_, data)| data.into()).collect()))
}

/// Moves a collector's place, changes its page, or ends it.
fn place(sim: &mut VSphere, call: &Call<'_>, method: &str) -> Option<Outcome> {
    let number = call.target.number("history-").unwrap_or_default();
    let last = u64::MAX;
    let collector = sim.history.collectors.get_mut(&number)?;
    match method {
        // The oldest entry is the next to be read.
        "RewindCollector" => collector.read = 0,
        // The newest is the next to be read backwards.
        "ResetCollector" => collector.read = last,
        "SetCollectorPageSize" => match call.args.number_of::<usize>("maxCount") {
            Ok(count) => collector.page = count.unwrap_or(PAGE).clamp(1, 1_000),
            Err(fault) => return Some(Err(fault)),
        },
        "DestroyCollector" => {
            sim.history.collectors.remove(&number);
        }
        _ => return None,
    }
    Some(Ok(Reply::Void))
}
