//! VirtualMachine.

mod cdrom;
pub(crate) mod clone;
mod config;
pub(crate) mod create;
mod guest;
pub(crate) mod hardware;
mod layout;
pub(crate) mod prepare;
pub(crate) mod reconfigure;
pub(crate) mod record;
mod runtime;
pub(crate) mod snapshots;
pub(crate) mod vapp;

use grenadier_fleet::{Boot, CloudHost, Operation, Power};

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::{Fault, tools_unavailable};
use crate::inventory::{DATASTORE, Inventory, POOL};
use crate::moref::MoRef;
use crate::task::{NewTask, Work};
use crate::value::Value;
use crate::vsphere::Purpose;

pub(crate) use guest::tools_run;
pub(crate) use prepare::prepare;

pub(crate) const PROPERTIES: &[&str] = &[
    "capability",
    "config",
    "layout",
    "layoutEx",
    "storage",
    "environmentBrowser",
    "resourcePool",
    "parentVApp",
    "resourceConfig",
    "runtime",
    "guest",
    "summary",
    "datastore",
    "network",
    "snapshot",
    "rootSnapshot",
    "guestHeartbeatStatus",
];

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let machine = inventory.machine(&mo.id)?;
    match name {
        "config" => Some(config::info(inventory, machine)?.into()),
        "layoutEx" => Some(layout::layout(inventory, machine).into()),
        "resourcePool" => Some(POOL.into()),
        "runtime" => Some(runtime::info(inventory, machine).into()),
        "guest" => Some(guest::info(machine)?.into()),
        "summary" => Some(runtime::summary(inventory, machine, mo)?.into()),
        "datastore" => Some(Value::refs([DATASTORE])),
        "network" => {
            let mut networks: Vec<MoRef> = Vec::new();
            for network in machine.spec.nics.iter().filter_map(|nic| inventory.network_named(&nic.segment)) {
                if !networks.contains(&network) {
                    networks.push(network);
                }
            }
            Some(Value::refs(networks))
        }
        // Unset where there is none (govmomi #968): an empty structure would claim a current snapshot.
        "snapshot" => snapshots::info(inventory, machine, mo).map(Value::Data),
        "rootSnapshot" => Some(Value::refs(snapshots::roots(machine))),
        "guestHeartbeatStatus" => {
            let status = if guest::tools_run(machine) { "green" } else { "gray" };
            Some(Value::Enum("ManagedEntityStatus", status))
        }
        _ => None,
    }
}

/// The parts of `config` that most questions are about; [`config_part`] makes them without the rest.
pub(crate) const CONFIG_PARTS: &[&str] = &["hardware", "extraConfig", "vAppConfig"];

/// One of [`CONFIG_PARTS`].
pub(crate) fn config_part(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    config::part(inventory, inventory.machine(&mo.id)?, name)
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    let (description, work) = match call.method {
        "ShutdownGuest" | "RebootGuest" => return Some(shutdown_guest(sim, call, host)),
        "MarkAsTemplate" | "MarkAsVirtualMachine" => return Some(mark(sim, call, host)),
        "CloneVM_Task" => return Some(clone::clone(sim, call, host)),
        "PowerOnVM_Task" => ("VirtualMachine.powerOn", Ok(Work::PowerOn)),
        "PowerOffVM_Task" => ("VirtualMachine.powerOff", Ok(Work::PowerOff)),
        "ResetVM_Task" => ("VirtualMachine.reset", Ok(Work::Reset)),
        "Destroy_Task" => ("VirtualMachine.destroy", Ok(Work::Destroy)),
        "Rename_Task" => ("VirtualMachine.rename", call.args.required_owned("newName").and_then(rename)),
        "ReconfigVM_Task" => ("VirtualMachine.reconfigure", reconfigure_work(sim, call, host)),
        "CreateSnapshot_Task" | "CreateSnapshotEx_Task" => ("VirtualMachine.createSnapshot", create_snapshot(call)),
        "RevertToCurrentSnapshot_Task" => {
            let suppress = call.args.flag_of("suppressPowerOn");
            let work = suppress.map(|suppress_power_on| Work::Revert { snapshot: None, suppress_power_on });
            ("VirtualMachine.revertToCurrentSnapshot", work)
        }
        "RemoveAllSnapshots_Task" => ("VirtualMachine.removeAllSnapshots", Ok(Work::RemoveAllSnapshots)),
        _ => return None,
    };
    let entity = call.target.clone();
    Some(work.and_then(|work| sim.begin_task(call, host, NewTask { entity, description, work })))
}

fn reconfigure_work(sim: &VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Result<Work, Fault> {
    let inventory = sim.inventory(host, call.session.as_deref());
    let spec = call.args.required_child("spec")?;
    Ok(Work::Reconfigure(Box::new(reconfigure::parse(inventory, spec)?)))
}

fn rename(name: String) -> Result<Work, Fault> {
    check_name(&name)?;
    Ok(Work::Rename(name))
}

/// Refuses what cannot be a machine's name.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    if name.trim().is_empty() || name.contains('/') || name.len() > 80 {
        return Err(Fault::new("InvalidName", format!("The name '{name}' is not valid.")).with("name", name));
    }
    Ok(())
}

fn create_snapshot(call: &Call<'_>) -> Result<Work, Fault> {
    Ok(Work::CreateSnapshot {
        name: call.args.required_owned("name")?,
        description: call.args.owned_of("description").unwrap_or_default(),
        memory: call.args.flag_of("memory")?,
    })
}

/// Makes a machine a template, or a template a machine again.
fn mark(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let machine = inventory.machine(&call.target.id).ok_or_else(|| Fault::not_found(&call.target))?.clone();
    let mut record = record::Record::of(&machine).ok_or_else(|| Fault::not_found(&call.target))?;
    if machine.power == Power::On {
        return Err(Fault::power_state(Some("poweredOff"), "poweredOn"));
    }
    let method = if call.method == "MarkAsTemplate" { "MarkAsTemplate" } else { "MarkAsVirtualMachine" };
    let template = method == "MarkAsTemplate";
    if record.template == template {
        return Err(Fault::not_supported("it is one already"));
    }
    record.template = template;
    let change = grenadier_fleet::Reconfiguration { record: record.entry(), ..Default::default() };
    let id = host.fleet().submit(Operation::Reconfigure { machine: machine.id, change });
    sim.operations.insert(id, Purpose::Method { reply: call.reply, method, machine: call.target.clone() });
    Ok(Reply::Later)
}

/// Asks the guest to shut down, or to start again: no task, and no wait until it is off. A guest that starts again is reset
/// (assumed: what it does on its way down is not seen).
fn shutdown_guest(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let machine = inventory.machine(&call.target.id).ok_or_else(|| Fault::not_found(&call.target))?;
    if machine.power == Power::Off {
        return Err(Fault::power_state(Some("poweredOn"), "poweredOff"));
    }
    if machine.boot != Boot::Up {
        return Err(tools_unavailable());
    }
    let (method, operation) = if call.method == "RebootGuest" {
        ("RebootGuest", Operation::Reset { machine: machine.id })
    } else {
        ("ShutdownGuest", Operation::ShutdownGuest { machine: machine.id })
    };
    let id = host.fleet().submit(operation);
    sim.operations.insert(id, Purpose::Method { reply: call.reply, method, machine: call.target.clone() });
    Ok(Reply::Later)
}
