//! `layoutEx`: a machine's files.

use grenadier_fleet::Machine;

use crate::datastore::files::{FileKind, of_machine};
use crate::datastore::path;
use crate::inventory::Inventory;
use crate::value::{Data, Value, int, long};

/// `VirtualMachineFileLayoutEx`, without the chains of disks and snapshots.
pub(super) fn layout(inventory: Inventory<'_>, machine: &Machine) -> Data {
    let files = of_machine(inventory, machine).into_iter().enumerate().map(|(key, file)| {
        Data::new("VirtualMachineFileLayoutExFileInfo")
            .with("key", int(key))
            .with("name", path::render(&file.path))
            .with("type", FileKind::of(&file.path).layout_type())
            .with("size", long(file.size))
            .with("uniqueSize", long(file.size))
            .with("accessible", true)
    });
    Data::new("VirtualMachineFileLayoutEx")
        .with("file", Value::list("VirtualMachineFileLayoutExFileInfo", files))
        .with("timestamp", inventory.now)
        .unset(&["disk", "snapshot"])
}
