//! VirtualMachineSnapshot.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::task::{NewTask, Work};
use crate::value::Value;
use crate::virtual_machine::snapshots;

/// Its properties. `config` is never shown: the fleet does not tell what a snapshot holds before it is brought back.
pub(crate) const PROPERTIES: &[&str] = &["value", "availableField", "config", "childSnapshot", "vm"];

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let (vm, machine, snapshot) = inventory.snapshot(&mo.id)?;
    match name {
        "childSnapshot" => {
            Some(Value::refs(snapshots::children(machine, Some(snapshot.id)).map(|child| snapshots::moref(child.id))))
        }
        "vm" => Some(vm.into()),
        _ => None,
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "RevertToSnapshot_Task" => revert(sim, call, host),
        "RemoveSnapshot_Task" => remove(sim, call, host),
        "RenameSnapshot" => rename(sim, call, host),
        _ => return None,
    })
}

/// The task is about the machine, not about the snapshot.
fn subject(sim: &VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Result<(MoRef, u32), Fault> {
    let inventory = sim.inventory(host, call.session.as_deref());
    let (vm, _, snapshot) = inventory.snapshot(&call.target.id).ok_or_else(|| Fault::not_found(&call.target))?;
    Ok((vm, snapshot.id.0))
}

fn revert(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let (entity, snapshot) = subject(sim, call, host)?;
    let suppress_power_on = call.args.flag_of("suppressPowerOn")?;
    let work = Work::Revert { snapshot: Some(snapshot), suppress_power_on };
    sim.begin_task(call, host, NewTask { entity, description: "VirtualMachine.revertToSnapshot", work })
}

fn rename(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let (_, number) = subject(sim, call, host)?;
    let inventory = sim.inventory(host, None);
    let (_, _, snapshot) = inventory.snapshot(&call.target.id).ok_or_else(|| Fault::not_found(&call.target))?;
    let (name, description) = snapshots::words(inventory, snapshot);
    let name = call.args.owned_of("name").filter(|name| !name.is_empty()).unwrap_or(name);
    let description = call.args.owned_of("description").unwrap_or(description);
    sim.snapshot_names.insert(number, (name, description));
    Ok(Reply::Void)
}

fn remove(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let (entity, snapshot) = subject(sim, call, host)?;
    let children = call.args.flag_of("removeChildren")?;
    let work = Work::RemoveSnapshot { snapshot, children };
    sim.begin_task(call, host, NewTask { entity, description: "VirtualMachine.removeSnapshot", work })
}
