//! ResourcePool: the one pool, into which machines are imported.

use std::collections::VecDeque;
use std::time::Duration;

use grenadier_fleet::{CloudHost, MachineSpec};
use grenadier_wire::FaultKind;

use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::http_nfc_lease::{Device, Lease, Phase};
use crate::inventory::{CLUSTER, Inventory};
use crate::moref::MoRef;
use crate::ovf::import::import_key;
use crate::value::{Data, Value};
use crate::virtual_machine::create::{Described, Taken};
use crate::virtual_machine::record::Record;
use crate::vsphere::{Alarm, Purpose};
use crate::{VSphere, folder};

pub(crate) const PROPERTIES: &[&str] =
    &["summary", "runtime", "owner", "resourcePool", "vm", "config", "namespace", "childConfiguration"];

/// When an import that is made to fail does (assumed).
const HALF_WAY: Duration = Duration::from_millis(500);

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    match name {
        "owner" => Some(CLUSTER.into()),
        "resourcePool" => Some(Value::refs([])),
        "vm" => Some(inventory.machine_refs()),
        "summary" => Some(Data::derived("ResourcePoolSummary").with("name", "Resources").unset(&["quickStats"]).into()),
        _ => None,
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "ImportVApp" => import_vapp(sim, call, host),
        _ => return None,
    })
}

/// Begins an import. The machine is made while the lease initialises; that the datastore is full shows there.
fn import_vapp(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let spec = call.args.required_child("spec")?;
    if spec.kind().is_some_and(|kind| kind != "VirtualMachineImportSpec") {
        return Err(Fault::not_supported("only single machines can be imported"));
    }
    let folder = call.args.moref_of("folder").map(|folder| folder::of_machines(inventory, &folder)).transpose()?;
    let imported = Described::parse(inventory, spec.required_child("configSpec")?)?;
    if let Some(other) = inventory.machine_named(&imported.name) {
        return Err(Fault::duplicate_name(&imported.name, other));
    }
    let mut taken = Taken::look(inventory);
    let (record, spec) = sim.furnish(&imported, &mut taken, host);
    let entity = MoRef::new("VirtualMachine", record.moref.clone());
    let number = sim.ids.next("lease");
    let ticket = sim.uuids.uuid();
    let devices = devices(&imported, &record, &spec);
    let mut lease = Lease::new(entity, ticket, devices);
    match call.asked {
        Some(FaultKind::TaskFails) => sim.set_alarm(Alarm::LeaseFails(number), HALF_WAY, host),
        // The lease stays as it is for ever: `initializing`.
        Some(FaultKind::TaskStuck) => {}
        _ => {
            let (machine, operation) = host.fleet().submit_create(spec);
            lease.machine = Some(machine);
            sim.operations.insert(operation, Purpose::Lease(number));
        }
    }
    if let Some(folder) = folder {
        sim.move_into(&folder, std::slice::from_ref(&lease.entity));
    }
    lease.phase = Phase::Creating;
    sim.leases.insert(number, lease);
    Ok(Reply::One(MoRef::new("HttpNfcLease", format!("lease-{number}")).into()))
}

fn devices(imported: &Described, record: &Record, spec: &MachineSpec) -> VecDeque<Device> {
    let each = imported.disks.iter().zip(&spec.disks).enumerate();
    each.map(|(index, ((bus, unit, _), disk))| Device {
        key: format!("/{}/{}{bus}:{unit}", record.moref, imported.controller),
        import_key: import_key(&imported.name, imported.controller, *bus, *unit),
        file: format!("disk-{index}.vmdk"),
        disk: disk.key,
        capacity_mib: disk.capacity_mib,
        uploaded: None,
    })
    .collect()
}
