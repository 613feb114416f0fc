//! The inventory: which managed objects there are, and how they hang together.
//!
//! Its shape is fixed (one datacenter, one cluster, one host, one pool, one datastore); only networks and machines vary.

use grenadier_clock::Time;
use grenadier_fleet::{FleetView, Machine, Snapshot};

use crate::VSphere;
use crate::moref::MoRef;
use crate::value::Value;
use crate::virtual_machine::record::Record;

pub(crate) const SERVICE_INSTANCE: MoRef = MoRef::fixed("ServiceInstance", "ServiceInstance");
pub(crate) const SESSION_MANAGER: MoRef = MoRef::fixed("SessionManager", "SessionManager");
pub(crate) const PROPERTY_COLLECTOR: MoRef = MoRef::fixed("PropertyCollector", "propertyCollector");
pub(crate) const VIEW_MANAGER: MoRef = MoRef::fixed("ViewManager", "ViewManager");
pub(crate) const SEARCH_INDEX: MoRef = MoRef::fixed("SearchIndex", "SearchIndex");
pub(crate) const OVF_MANAGER: MoRef = MoRef::fixed("OvfManager", "OvfManager");
pub(crate) const FILE_MANAGER: MoRef = MoRef::fixed("FileManager", "FileManager");
pub(crate) const AUTHORIZATION_MANAGER: MoRef = MoRef::fixed("AuthorizationManager", "AuthorizationManager");
pub(crate) const ROOT_FOLDER: MoRef = MoRef::fixed("Folder", "group-d1");
pub(crate) const DATACENTER: MoRef = MoRef::fixed("Datacenter", "datacenter-2");
pub(crate) const VM_FOLDER: MoRef = MoRef::fixed("Folder", "group-v3");
pub(crate) const HOST_FOLDER: MoRef = MoRef::fixed("Folder", "group-h4");
pub(crate) const DATASTORE_FOLDER: MoRef = MoRef::fixed("Folder", "group-s5");
pub(crate) const NETWORK_FOLDER: MoRef = MoRef::fixed("Folder", "group-n6");
pub(crate) const CLUSTER: MoRef = MoRef::fixed("ClusterComputeResource", "domain-c7");
pub(crate) const POOL: MoRef = MoRef::fixed("ResourcePool", "resgroup-8");
pub(crate) const HOST: MoRef = MoRef::fixed("HostSystem", "host-9");
pub(crate) const DATASTORE: MoRef = MoRef::fixed("Datastore", "datastore-10");
pub(crate) const DATASTORE_BROWSER: MoRef = MoRef::fixed("HostDatastoreBrowser", "datastoreBrowser-10");
/// Networks are numbered from here, machines from 101.
const FIRST_NETWORK: usize = 11;

/// The datastore's name.
pub(crate) const DATASTORE_NAME: &str = "LocalDS_0";
/// The datacenter's name.
pub(crate) const DATACENTER_NAME: &str = "DC0";

pub(crate) const EVENT_MANAGER: MoRef = MoRef::fixed("EventManager", "EventManager");
pub(crate) const TASK_MANAGER: MoRef = MoRef::fixed("TaskManager", "TaskManager");
pub(crate) const GUEST_MANAGER: MoRef = MoRef::fixed("GuestOperationsManager", "guestOperationsManager");
pub(crate) const GUEST_FILES: MoRef = MoRef::fixed("GuestFileManager", "guestOperationsFileManager");
pub(crate) const GUEST_PROCESSES: MoRef = MoRef::fixed("GuestProcessManager", "guestOperationsProcessManager");

const FIXED: [MoRef; 24] = [
    EVENT_MANAGER,
    TASK_MANAGER,
    GUEST_MANAGER,
    GUEST_FILES,
    GUEST_PROCESSES,
    SERVICE_INSTANCE,
    SESSION_MANAGER,
    PROPERTY_COLLECTOR,
    VIEW_MANAGER,
    SEARCH_INDEX,
    OVF_MANAGER,
    FILE_MANAGER,
    AUTHORIZATION_MANAGER,
    ROOT_FOLDER,
    DATACENTER,
    VM_FOLDER,
    HOST_FOLDER,
    DATASTORE_FOLDER,
    NETWORK_FOLDER,
    CLUSTER,
    POOL,
    HOST,
    DATASTORE,
    DATASTORE_BROWSER,
];

/// Everything there is at one moment, for reading.
#[derive(Clone, Copy)]
pub(crate) struct Inventory<'a> {
    /// What the simulator owns.
    pub(crate) sim: &'a VSphere,
    /// What the fleet owns.
    pub(crate) fleet: &'a FleetView,
    /// The moment.
    pub(crate) now: Time,
    /// Who looks, where somebody is logged in.
    pub(crate) session: Option<&'a str>,
}

impl<'a> Inventory<'a> {
    /// The object with this id, whatever type the client believes it has.
    pub(crate) fn resolve(self, id: &str) -> Option<MoRef> {
        if let Some(fixed) = FIXED.iter().find(|mo| mo.id == id) {
            return Some(fixed.clone());
        }
        let (prefix, rest) = id.split_once('-').unwrap_or((id, ""));
        let number = || rest.parse::<u64>().ok();
        match prefix {
            "vm" => self.machine(id).map(|_| MoRef::new("VirtualMachine", id)),
            "network" => self.networks().into_iter().find(|mo| mo.id == id),
            "snapshot" => self.snapshot(id).map(|_| MoRef::new("VirtualMachineSnapshot", id)),
            "task" => self.sim.tasks.get(number()?).map(|_| MoRef::new("Task", id)),
            "lease" => self.sim.leases.contains_key(&number()?).then(|| MoRef::new("HttpNfcLease", id)),
            "view" => {
                let view = self.sim.views.get(&number()?)?;
                (Some(view.session()) == self.session).then(|| MoRef::new(view.kind(), id))
            }
            "group" => self.sim.folders.contains_key(id).then(|| MoRef::new("Folder", id)),
            "history" => {
                let collector = self.sim.history.collectors.get(&number()?)?;
                (Some(collector.session.as_str()) == self.session).then(|| MoRef::new(collector.kind(), id))
            }
            "filter" | "collector" => self.sim.collectors.resolve(id, self.session?),
            _ => None,
        }
    }

    /// The machines that belong to this vCenter: those that carry its record, in order of id.
    pub(crate) fn machines(self) -> impl Iterator<Item = (MoRef, &'a Machine)> {
        self.fleet.machines.values().filter_map(|machine| Some((Record::moref(machine)?, machine)))
    }

    /// The machine with this reference.
    pub(crate) fn machine(self, id: &str) -> Option<&'a Machine> {
        let is = |machine: &&Machine| Record::id(machine) == Some(id);
        let hint = self.sim.found.borrow().get(id).copied();
        if let Some(machine) = hint.and_then(|found| self.fleet.machines.get(&found)).filter(is) {
            return Some(machine);
        }
        let machine = self.fleet.machines.values().find(is)?;
        self.sim.found.borrow_mut().insert(id.to_owned(), machine.id);
        Some(machine)
    }

    /// The machine with this name.
    pub(crate) fn machine_named(self, name: &str) -> Option<MoRef> {
        self.machines().find(|(_, machine)| machine.spec.name == name).map(|(mo, _)| mo)
    }

    /// The snapshot with this reference, and whose it is.
    pub(crate) fn snapshot(self, id: &str) -> Option<(MoRef, &'a Machine, &'a Snapshot)> {
        let number: u32 = id.strip_prefix("snapshot-")?.parse().ok()?;
        self.machines().find_map(|(mo, machine)| {
            let snapshot = machine.snapshots.iter().find(|snapshot| snapshot.id.0 == number)?;
            Some((mo, machine, snapshot))
        })
    }

    /// The networks in the order in which they were declared.
    pub(crate) fn networks(self) -> Vec<MoRef> {
        (0..self.sim.networks.len())
            .map(|index| MoRef::new("Network", format!("network-{}", FIRST_NETWORK + index)))
            .collect()
    }

    /// The network called `name`.
    pub(crate) fn network_named(self, name: &str) -> Option<MoRef> {
        let index = self.sim.networks.iter().position(|network| network == name)?;
        self.networks().into_iter().nth(index)
    }

    /// What the network with this reference is called.
    pub(crate) fn network_name(self, id: &str) -> Option<&'a str> {
        let index = self.networks().iter().position(|mo| mo.id == id)?;
        self.sim.networks.get(index).map(String::as_str)
    }

    /// The machines with a card in the network called `name`.
    pub(crate) fn machines_on(self, name: &str) -> Vec<MoRef> {
        let on = |machine: &Machine| machine.spec.nics.iter().any(|nic| nic.segment == name);
        self.machines().filter(|(_, machine)| on(machine)).map(|(mo, _)| mo).collect()
    }

    /// The name of an entity; none for what is no entity.
    pub(crate) fn name(self, mo: &MoRef) -> Option<String> {
        let fixed = match &*mo.id {
            "group-d1" => "Datacenters",
            "datacenter-2" => DATACENTER_NAME,
            "group-v3" => "vm",
            "group-h4" => "host",
            "group-s5" => "datastore",
            "group-n6" => "network",
            "domain-c7" => "DC0_C0",
            "resgroup-8" => "Resources",
            "host-9" => "DC0_C0_H0",
            "datastore-10" => DATASTORE_NAME,
            id if mo.kind == "Network" => self.network_name(id)?,
            id if mo.kind == "Folder" => &self.sim.folders.get(id)?.name,
            id => return self.machine(id).map(|machine| machine.spec.name.clone()),
        };
        Some(fixed.to_owned())
    }

    /// What an entity hangs below.
    pub(crate) fn parent(self, mo: &MoRef) -> Option<MoRef> {
        match &*mo.kind {
            "Datacenter" => Some(ROOT_FOLDER),
            "ClusterComputeResource" => Some(HOST_FOLDER),
            "ResourcePool" | "HostSystem" => Some(CLUSTER),
            "Datastore" => Some(DATASTORE_FOLDER),
            "Network" => Some(NETWORK_FOLDER),
            "VirtualMachine" => Some(self.sim.placed.get(&*mo.id).cloned().unwrap_or(VM_FOLDER)),
            "Folder" if *mo == ROOT_FOLDER => None,
            "Folder" => Some(self.sim.folders.get(&*mo.id).map_or(DATACENTER, |folder| folder.parent.clone())),
            _ => None,
        }
    }

    /// What hangs below an entity.
    pub(crate) fn children(self, mo: &MoRef) -> Vec<MoRef> {
        match &*mo.id {
            "group-d1" => vec![DATACENTER],
            "datacenter-2" => vec![VM_FOLDER, HOST_FOLDER, DATASTORE_FOLDER, NETWORK_FOLDER],
            "group-h4" => vec![CLUSTER],
            "group-s5" => vec![DATASTORE],
            "group-n6" => self.networks(),
            "domain-c7" => vec![POOL, HOST],
            _ if mo.kind == "Folder" => {
                let folders = self.sim.folders.iter().filter(|(_, folder)| folder.parent == *mo);
                let folders = folders.map(|(id, _)| MoRef::new("Folder", id.clone()));
                let machines = self.machines().map(|(machine, _)| machine);
                folders.chain(machines.filter(|machine| self.parent(machine).as_ref() == Some(mo))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The machines as an array of references.
    pub(crate) fn machine_refs(self) -> Value {
        Value::refs(self.machines().map(|(mo, _)| mo))
    }
}
