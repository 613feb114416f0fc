//! VirtualMachine.

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
        "snapshot" => snapshots::info(machine, mo).map(Value::Data),
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
        "ShutdownGuest" => return Some(shutdown_guest(sim, call, host)),
        "PowerOnVM_Task" => ("VirtualMachine.powerOn", Ok(Work::PowerOn)),
        "PowerOffVM_Task" => ("VirtualMachine.powerOff", Ok(Work::PowerOff)),
        "ResetVM_Task" => ("VirtualMachine.reset", Ok(Work::Reset)),
        "Destroy_Task" => ("VirtualMachine.destroy", Ok(Work::Destroy)),
        "Rename_Task" => ("VirtualMachine.rename", call.args.required_owned("newName").and_then(rename)),
        "ReconfigVM_Task" => ("VirtualMachine.reconfigure", reconfigure_work(sim, call, host)),
        "CreateSnapshot_Task" => ("VirtualMachine.createSnapshot", create_snapshot(call)),
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

/// Asks the guest to shut down: no task, and no wait until it is off.
fn shutdown_guest(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let machine = inventory.machine(&call.target.id).ok_or_else(|| Fault::not_found(&call.target))?;
    if machine.power == Power::Off {
        return Err(Fault::power_state(Some("poweredOn"), "poweredOff"));
    }
    if machine.boot != Boot::Up {
        return Err(tools_unavailable());
    }
    let operation = Operation::ShutdownGuest { machine: machine.id };
    let id = host.fleet().submit(operation);
    sim.operations.insert(id, Purpose::Shutdown { reply: call.reply, machine: call.target.clone() });
    Ok(Reply::Later)
}
