//! What each operation needs before it begins.

use grenadier_fleet::{
    FleetView, Machine, MachineId, MachineSpec, Mishap, Nic, Operation, OperationError, Power, SnapshotId,
};

use crate::worker::nics_after;

/// The machine that an operation works on; for a new one, the number it was given.
pub(crate) fn machine_of(operation: &Operation) -> MachineId {
    match operation {
        Operation::Create { id, .. } => *id,
        Operation::Destroy { machine }
        | Operation::PowerOn { machine }
        | Operation::PowerOff { machine }
        | Operation::ShutdownGuest { machine }
        | Operation::Reset { machine }
        | Operation::Reconfigure { machine, .. }
        | Operation::WriteDisk { machine, .. }
        | Operation::Snapshot { machine, .. }
        | Operation::Revert { machine, .. }
        | Operation::RemoveSnapshot { machine, .. }
        | Operation::ReadFiles { machine }
        | Operation::WriteFile { machine, .. }
        | Operation::Suffer { machine, .. }
        | Operation::ReadState { machine } => *machine,
    }
}

/// Whether an operation needs its machine for itself. Looking needs no turn: a disk can be read while the machine works.
pub(crate) fn is_exclusive(operation: &Operation) -> bool {
    !matches!(
        operation,
        Operation::Create { .. }
            | Operation::ReadFiles { .. }
            | Operation::WriteFile { .. }
            | Operation::Suffer { .. }
            | Operation::ReadState { .. }
    )
}

/// Checks that an operation can begin.
pub(crate) fn check(view: &FleetView, operation: &Operation) -> Result<(), OperationError> {
    if let Operation::Create { spec, .. } = operation {
        return check_spec(view, spec);
    }
    let id = machine_of(operation);
    let machine = view.machines.get(&id).ok_or(OperationError::NoSuchMachine(id))?;
    match operation {
        Operation::Destroy { .. } => must_be(machine, Power::Off),
        Operation::PowerOn { .. } => must_be(machine, Power::Off).and_then(|()| view.admit(machine)),
        Operation::PowerOff { .. } | Operation::ShutdownGuest { .. } | Operation::Reset { .. } => {
            must_be(machine, Power::On)
        }
        Operation::Reconfigure { change, .. } => {
            if let Some(name) = &change.name
                && view.by_name(name).is_some_and(|other| other.id != id)
            {
                return Err(OperationError::NameTaken(name.clone()));
            }
            if change.hardware.is_some() {
                must_be(machine, Power::Off)?;
            }
            check_nics(view, &nics_after(machine, change))
        }
        Operation::WriteDisk { disk, .. } => {
            must_be(machine, Power::Off)?;
            let known = machine.spec.disks.iter().any(|other| other.key == *disk);
            let missing = || OperationError::NotFound(format!("disk {disk} of `{}`", machine.spec.name));
            known.then_some(()).ok_or_else(missing)
        }
        Operation::Snapshot { memory: true, .. } if machine.power == Power::On => {
            Err(OperationError::Unsupported("take snapshots with memory".into()))
        }
        Operation::Revert { snapshot, .. } | Operation::RemoveSnapshot { snapshot, .. } => {
            check_snapshot(machine, *snapshot)
        }
        Operation::Suffer { mishap: Mishap::Crash | Mishap::Pause, .. } => must_be(machine, Power::On),
        Operation::Create { .. }
        | Operation::Suffer { .. }
        | Operation::Snapshot { .. }
        | Operation::ReadFiles { .. }
        | Operation::WriteFile { .. }
        | Operation::ReadState { .. } => Ok(()),
    }
}

fn must_be(machine: &Machine, wanted: Power) -> Result<(), OperationError> {
    let actual = if machine.power == Power::On { "on" } else { "off" };
    let wrong = || OperationError::WrongPower { machine: machine.spec.name.clone(), actual };
    (machine.power == wanted).then_some(()).ok_or_else(wrong)
}

fn check_snapshot(machine: &Machine, snapshot: SnapshotId) -> Result<(), OperationError> {
    let known = machine.snapshots.iter().any(|other| other.id == snapshot);
    known.then_some(()).ok_or_else(|| OperationError::NotFound(format!("snapshot {}", snapshot.0)))
}

fn check_spec(view: &FleetView, spec: &MachineSpec) -> Result<(), OperationError> {
    if view.by_name(&spec.name).is_some() {
        return Err(OperationError::NameTaken(spec.name.clone()));
    }
    check_nics(view, &spec.nics)?;
    view.fits(spec)
}

/// Every card's segment exists, and no two cards share one: a container is plugged into a network once.
fn check_nics(view: &FleetView, nics: &[Nic]) -> Result<(), OperationError> {
    for (index, nic) in nics.iter().enumerate() {
        if !view.segments.contains_key(&nic.segment) {
            return Err(OperationError::NotFound(format!("segment `{}`", nic.segment)));
        }
        if nics[..index].iter().any(|other| other.segment == nic.segment) {
            return Err(OperationError::Unsupported("plug a machine into one segment twice".into()));
        }
    }
    Ok(())
}
