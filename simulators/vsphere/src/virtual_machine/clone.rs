//! `CloneVM_Task`: a machine as a copy of another.
//!
//! Copied are hardware, extraConfig, vApp configuration, annotation and what the disks hold; new are reference, UUIDs, directory
//! and hardware addresses (vSphere Virtual Machine Administration, "Clone a Virtual Machine"). Nothing is shared afterwards.

use grenadier_fleet::{CloudHost, Machine, SnapshotId};

use crate::VSphere;
use crate::call::{Call, Outcome};
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::ovf::environment;
use crate::soap::decode::Node;
use crate::task::{NewTask, Newborn, Work};
use crate::virtual_machine::create::{Described, Taken};
use crate::virtual_machine::hardware::controller_type;
use crate::virtual_machine::record::Record;
use crate::{folder, virtual_machine};

pub(super) fn clone(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let machine = inventory.machine(&call.target.id).ok_or_else(|| Fault::not_found(&call.target))?;
    let source = Record::of(machine).ok_or_else(|| Fault::not_found(&call.target))?;
    let name = call.args.required_owned("name")?;
    virtual_machine::check_name(&name)?;
    let asked = call.args.required_moref("folder")?;
    let folder = folder::of_machines(inventory, &asked)?;
    let spec = call.args.required_child("spec")?;
    let location = spec.required_child("location")?;
    if source.template && location.child("pool").is_none() && !spec.flag_of("template")? {
        return Err(Fault::invalid_argument("spec.location.pool", "a machine that is made from a template needs one"));
    }
    for refused in ["customization", "config"] {
        if spec.child(refused).is_some() {
            return Err(Fault::not_supported(&format!("spec.{refused} is not simulated")));
        }
    }
    if let Some(other) = inventory.machine_named(&name) {
        return Err(Fault::duplicate_name(&name, other));
    }
    let snapshot = snapshot(inventory, machine, spec)?;
    let described = copy(machine, &source, name);
    let (id, disks) = (machine.id, machine.spec.disks.clone());
    let mut taken = Taken::look(inventory);
    let (mut record, mut made) = sim.furnish(&described, &mut taken, host);
    record.template = spec.flag_of("template")?;
    made.record = record.entry();
    for (copy, original) in made.disks.iter_mut().zip(&disks) {
        copy.image.clone_from(&original.image);
    }
    let newborn = Newborn {
        moref: MoRef::new("VirtualMachine", record.moref),
        spec: made,
        source: Some((id, snapshot)),
        folder,
        power_on: spec.flag_of("powerOn")? && !record.template,
    };
    let entity = call.target.clone();
    let work = Work::Create(Box::new(newborn));
    sim.begin_task(call, host, NewTask { entity, description: "VirtualMachine.clone", work })
}

/// The snapshot that is copied instead of the present, where the specification names one of this machine.
fn snapshot(inventory: Inventory<'_>, machine: &Machine, spec: Node<'_>) -> Result<Option<SnapshotId>, Fault> {
    let Some(asked) = spec.moref_of("snapshot") else { return Ok(None) };
    let (_, owner, snapshot) = inventory.snapshot(&asked.id).ok_or_else(|| Fault::not_found(&asked))?;
    if owner.id != machine.id {
        return Err(Fault::invalid_argument("spec.snapshot", "it is another machine's"));
    }
    Ok(Some(snapshot.id))
}

fn copy(machine: &Machine, source: &Record, name: String) -> Described {
    let mut config = machine.spec.config.clone();
    // Made anew at each power-on; it names hardware addresses.
    config.remove(environment::KEY);
    Described {
        name,
        hardware: machine.spec.hardware,
        disks: (0..).zip(&machine.spec.disks).map(|(unit, disk)| (0, unit, disk.capacity_mib)).collect(),
        nics: machine.spec.nics.iter().map(|nic| (nic.segment.clone(), None, nic.connected)).collect(),
        cdroms: source.cdroms.clone(),
        controller: controller_type(&source.controller),
        config,
        guest_id: source.guest_id.clone(),
        hardware_version: source.hardware_version.clone(),
        annotation: source.annotation.clone(),
        vapp: source.v_app_config.clone(),
    }
}

/// Whether the machine can still be made when its task's turn has come.
pub(crate) fn check(inventory: Inventory<'_>, newborn: &Newborn) -> Result<(), Fault> {
    if let Some(other) = inventory.machine_named(&newborn.spec.name) {
        return Err(Fault::duplicate_name(&newborn.spec.name, other));
    }
    match newborn.source {
        Some((source, _)) if !inventory.fleet.machines.contains_key(&source) => Err(Fault::not_found(&newborn.moref)),
        _ => Ok(()),
    }
}
