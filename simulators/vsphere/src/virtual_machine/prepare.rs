//! What a machine's tasks have the fleet do, and when they refuse.

use std::collections::BTreeMap;

use grenadier_fleet::{Machine, Operation, Power, Reconfiguration, SnapshotId};

use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::ovf::environment;
use crate::task::Work;
use crate::virtual_machine::cdrom;
use crate::virtual_machine::reconfigure;
use crate::virtual_machine::record::Record;
use crate::virtual_machine::snapshots;

/// How many snapshots can stand on top of each other (vSphere Virtual Machine Administration, "Snapshot Limitations").
const MOST_LEVELS: usize = 32;

/// The operations for `work`, after a look at the machine as it is now.
pub(crate) fn prepare(inventory: Inventory<'_>, entity: &MoRef, work: &Work) -> Result<Vec<Operation>, Fault> {
    let machine = inventory.machine(&entity.id).ok_or_else(|| Fault::not_found(entity))?;
    let id = machine.id;
    match work {
        Work::PowerOn => {
            let record = Record::of(machine).ok_or_else(|| Fault::not_found(entity))?;
            if record.template {
                return Err(Fault::not_supported("a template cannot be powered on"));
            }
            need_power(machine, Power::Off, "poweredOn")?;
            cdrom::check(inventory, &record)?;
            inventory
                .fleet
                .admit(machine)
                .map_err(|error| Fault::of_operation(&error, entity, crate::inventory::DATASTORE_NAME))?;
            let mut operations = Vec::new();
            if let Some(vapp) = record.v_app_config.as_ref().filter(|vapp| vapp.by_guest_info()) {
                let text = environment::render(inventory, machine, &record, vapp);
                if machine.spec.config.get(environment::KEY) != Some(&text) {
                    let config = BTreeMap::from([(environment::KEY.to_owned(), text)]);
                    let change = Reconfiguration { config, ..Reconfiguration::default() };
                    operations.push(Operation::Reconfigure { machine: id, change });
                }
            }
            operations.push(Operation::PowerOn { machine: id });
            Ok(operations)
        }
        Work::PowerOff => {
            need_power(machine, Power::On, "poweredOff")?;
            Ok(vec![Operation::PowerOff { machine: id }])
        }
        Work::Reset => {
            need_power(machine, Power::On, "poweredOn")?;
            Ok(vec![Operation::Reset { machine: id }])
        }
        Work::Destroy => {
            need_power(machine, Power::Off, "poweredOff")?;
            Ok(vec![Operation::Destroy { machine: id }])
        }
        Work::Rename(name) => {
            reconfigure::check_name_free(inventory, entity, name)?;
            let change = Reconfiguration { name: Some(name.clone()), ..Reconfiguration::default() };
            Ok(vec![Operation::Reconfigure { machine: id, change }])
        }
        Work::Reconfigure(change) => {
            let change = reconfigure::reconfiguration(inventory, machine, entity, change)?;
            Ok(vec![Operation::Reconfigure { machine: id, change }])
        }
        Work::CreateSnapshot { name, description, memory } => {
            if snapshots::depth(machine, machine.current_snapshot) >= MOST_LEVELS {
                let message = "The snapshot chain is too long.";
                return Err(Fault::new("TooManySnapshotLevels", message));
            }
            // Memory of a machine that is off is nothing to keep.
            let memory = *memory && machine.power == Power::On;
            let (name, description) = (name.clone(), description.clone());
            Ok(vec![Operation::Snapshot { machine: id, name, description, memory }])
        }
        Work::Revert { snapshot, suppress_power_on } => {
            let snapshot = match snapshot {
                Some(number) => known(machine, *number)?,
                None => {
                    machine.current_snapshot.ok_or_else(|| Fault::new("NotFound", "There is no current snapshot."))?
                }
            };
            Ok(vec![Operation::Revert { machine: id, snapshot, suppress_power_on: *suppress_power_on }])
        }
        Work::RemoveSnapshot { snapshot, children } => {
            let snapshot = known(machine, *snapshot)?;
            Ok(vec![Operation::RemoveSnapshot { machine: id, snapshot, children: *children }])
        }
        Work::RemoveAllSnapshots => {
            let remove = |snapshot| Operation::RemoveSnapshot { machine: id, snapshot, children: true };
            Ok(snapshots::children(machine, None).map(|root| remove(root.id)).collect())
        }
        Work::Search(_) | Work::DeleteFile(_) | Work::Transfer(_) | Work::Create(_) | Work::MoveInto { .. } => {
            unreachable!("this work is on no machine that is there")
        }
    }
}

fn need_power(machine: &Machine, needed: Power, requested: &'static str) -> Result<(), Fault> {
    if machine.power == needed {
        return Ok(());
    }
    Err(Fault::power_state(Some(requested), crate::virtual_machine::runtime::power_state(machine.power)))
}

fn known(machine: &Machine, number: u32) -> Result<SnapshotId, Fault> {
    let id = SnapshotId(number);
    let exists = machine.snapshots.iter().any(|snapshot| snapshot.id == id);
    if exists { Ok(id) } else { Err(Fault::not_found(&snapshots::moref(id))) }
}
