//! Folder: where entities hang, and where machines are made.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::inventory::{DATACENTER, Inventory, ROOT_FOLDER, VM_FOLDER};
use crate::moref::MoRef;
use crate::task::{NewTask, Newborn, Work};
use crate::value::Value;
use crate::virtual_machine::check_name;
use crate::virtual_machine::create::{Described, Taken};

pub(crate) const PROPERTIES: &[&str] = &["childType", "childEntity", "namespace", "externallyManagedFolderInfo"];

/// How deep folders may stand inside of each other (assumed; nobody needs more).
const MOST_DEPTH: usize = 64;

/// A folder that somebody made, for machines.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// Its name.
    pub(crate) name: String,
    /// What it hangs below.
    pub(crate) parent: MoRef,
}

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    match name {
        "childType" => Some(Value::texts(child_types(inventory, mo).iter().copied())),
        "childEntity" => Some(Value::refs(inventory.children(mo))),
        _ => None,
    }
}

fn child_types(inventory: Inventory<'_>, mo: &MoRef) -> &'static [&'static str] {
    if *mo == ROOT_FOLDER {
        return &["Folder", "Datacenter"];
    }
    if *mo == VM_FOLDER || inventory.sim.folders.contains_key(&*mo.id) {
        return &["Folder", "VirtualMachine", "VirtualApp"];
    }
    match &*mo.id {
        "group-h4" => &["Folder", "ComputeResource"],
        "group-s5" => &["Folder", "Datastore", "StoragePod"],
        _ => &["Folder", "Network", "DistributedVirtualSwitch"],
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "CreateFolder" => create_folder(sim, call, host),
        "CreateVM_Task" => create_machine(sim, call, host),
        "MoveIntoFolder_Task" => move_into(sim, call, host),
        _ => return None,
    })
}

/// The folder `asked`, where machines can be in it.
pub(crate) fn of_machines(inventory: Inventory<'_>, asked: &MoRef) -> Result<MoRef, Fault> {
    let folder = inventory.resolve(&asked.id).ok_or_else(|| Fault::not_found(asked))?;
    if folder == VM_FOLDER || inventory.sim.folders.contains_key(&*folder.id) {
        return Ok(folder);
    }
    Err(Fault::invalid_argument("folder", "machines live below DC0/vm"))
}

fn create_folder(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let name = call.args.required_owned("name")?;
    check_name(&name)?;
    if of_machines(inventory, &call.target).is_err() {
        return Err(Fault::not_supported("only folders for machines can be made"));
    }
    let mut above = call.target.clone();
    let mut depth = 0;
    while let Some(parent) = inventory.parent(&above) {
        (above, depth) = (parent, depth + 1);
    }
    if depth > MOST_DEPTH {
        return Err(Fault::not_supported("folders stand too deep inside of each other"));
    }
    let taken =
        inventory.children(&call.target).into_iter().find(|child| inventory.name(child).as_ref() == Some(&name));
    if let Some(taken) = taken {
        return Err(Fault::duplicate_name(&name, taken));
    }
    let id = format!("group-v{}", 100 + sim.ids.next("folder"));
    sim.folders.insert(id.clone(), Folder { name, parent: call.target.clone() });
    Ok(Reply::One(MoRef::new("Folder", id).into()))
}

fn create_machine(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let folder = of_machines(inventory, &call.target)?;
    let pool = call.args.required_moref("pool")?;
    if !inventory.resolve(&pool.id).is_some_and(|found| found.is_a("ResourcePool")) {
        return Err(Fault::not_found(&pool));
    }
    let described = Described::parse(inventory, call.args.required_child("config")?)?;
    if let Some(other) = inventory.machine_named(&described.name) {
        return Err(Fault::duplicate_name(&described.name, other));
    }
    let mut taken = Taken::look(inventory);
    let (record, spec) = sim.furnish(&described, &mut taken, host);
    let moref = MoRef::new("VirtualMachine", record.moref);
    let newborn = Newborn { moref, spec, source: None, folder: folder.clone(), power_on: false };
    let work = Work::Create(Box::new(newborn));
    sim.begin_task(call, host, NewTask { entity: folder, description: "Folder.createVm", work })
}

fn move_into(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let folder = of_machines(inventory, &call.target)?;
    let mut things = Vec::new();
    for node in call.args.children("list") {
        let asked = node.moref();
        let thing = inventory.resolve(&asked.id).ok_or_else(|| Fault::not_found(&asked))?;
        let moves = thing.kind == "VirtualMachine" || inventory.sim.folders.contains_key(&*thing.id);
        if !moves {
            return Err(Fault::not_supported("only machines and their folders move"));
        }
        things.push(thing);
    }
    let work = Work::MoveInto { folder: folder.clone(), things };
    sim.begin_task(call, host, NewTask { entity: folder, description: "Folder.moveInto", work })
}

/// Whether the things can move there: a folder does not go into itself, and names stay unique.
pub(crate) fn check_move(inventory: Inventory<'_>, folder: &MoRef, things: &[MoRef]) -> Result<(), Fault> {
    let mut above = folder.clone();
    while above != DATACENTER {
        if things.contains(&above) {
            return Err(Fault::invalid_argument("list", "a folder does not go into itself"));
        }
        let Some(parent) = inventory.parent(&above) else { break };
        above = parent;
    }
    let inside = inventory.children(folder);
    for thing in things.iter().filter(|thing| !inside.contains(thing)) {
        let name = inventory.name(thing).ok_or_else(|| Fault::not_found(thing))?;
        if let Some(other) = inside.iter().find(|other| inventory.name(other).as_ref() == Some(&name)) {
            return Err(Fault::duplicate_name(&name, other.clone()));
        }
    }
    Ok(())
}

impl VSphere {
    /// Puts machines and folders into a folder.
    pub(crate) fn move_into(&mut self, folder: &MoRef, things: &[MoRef]) {
        for thing in things {
            let id = thing.id.clone().into_owned();
            if let Some(own) = self.folders.get_mut(&id) {
                own.parent = folder.clone();
            } else if *folder == VM_FOLDER {
                self.placed.remove(&id);
            } else {
                self.placed.insert(id, folder.clone());
            }
        }
    }
}
