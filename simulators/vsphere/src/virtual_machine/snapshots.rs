//! A machine's snapshots as a tree.

use grenadier_fleet::{Machine, Snapshot, SnapshotId};

use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::value::{Data, Value, int};
use crate::virtual_machine::runtime::power_state;

/// The reference of a snapshot.
pub(crate) fn moref(id: SnapshotId) -> MoRef {
    MoRef::new("VirtualMachineSnapshot", format!("snapshot-{}", id.0))
}

/// The snapshots taken on top of `parent`, oldest first; with none, the oldest of each line.
pub(crate) fn children(machine: &Machine, parent: Option<SnapshotId>) -> impl Iterator<Item = &Snapshot> {
    machine.snapshots.iter().filter(move |snapshot| snapshot.parent == parent)
}

/// How many snapshots a machine's disks stand on, this one among them.
pub(crate) fn depth(machine: &Machine, mut at: Option<SnapshotId>) -> usize {
    let mut depth = 0;
    while let Some(snapshot) = at.and_then(|id| machine.snapshots.iter().find(|own| own.id == id)) {
        (at, depth) = (snapshot.parent, depth + 1);
    }
    depth
}

/// References of the snapshots that stand on no other.
pub(crate) fn roots(machine: &Machine) -> Vec<MoRef> {
    children(machine, None).map(|snapshot| moref(snapshot.id)).collect()
}

/// `VirtualMachineSnapshotInfo`; none without snapshots.
pub(super) fn info(inventory: Inventory<'_>, machine: &Machine, vm: &MoRef) -> Option<Data> {
    if machine.snapshots.is_empty() {
        return None;
    }
    let trees = children(machine, None).map(|root| tree(inventory, machine, vm, root));
    Some(
        Data::new("VirtualMachineSnapshotInfo")
            .maybe("currentSnapshot", machine.current_snapshot.map(moref))
            .with("rootSnapshotList", Value::list("VirtualMachineSnapshotTree", trees)),
    )
}

/// A snapshot's name and description as they are now: those it was made with, or later ones.
pub(crate) fn words(inventory: Inventory<'_>, snapshot: &Snapshot) -> (String, String) {
    let renamed = inventory.sim.snapshot_names.get(&snapshot.id.0).cloned();
    renamed.unwrap_or_else(|| (snapshot.name.clone(), snapshot.description.clone()))
}

fn tree(inventory: Inventory<'_>, machine: &Machine, vm: &MoRef, snapshot: &Snapshot) -> Data {
    // What a revert to it gives: one without memory comes back powered off.
    let state = if snapshot.memory { power_state(snapshot.power) } else { "poweredOff" };
    let above = children(machine, Some(snapshot.id)).map(|child| tree(inventory, machine, vm, child));
    let (name, description) = words(inventory, snapshot);
    Data::new("VirtualMachineSnapshotTree")
        .with("snapshot", moref(snapshot.id))
        .with("vm", vm.clone())
        .with("name", name)
        .with("description", description)
        .with("id", int(snapshot.id.0))
        .with("createTime", snapshot.taken_ns)
        .with("state", Value::Enum("VirtualMachinePowerState", state))
        .with("quiesced", false)
        .with("childSnapshotList", Value::list("VirtualMachineSnapshotTree", above))
        .with("replaySupported", false)
        .unset(&["backupManifest"])
}
