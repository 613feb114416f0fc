//! Folder.

use crate::inventory::{Inventory, ROOT_FOLDER, VM_FOLDER};
use crate::moref::MoRef;
use crate::value::Value;

pub(crate) const PROPERTIES: &[&str] = &["childType", "childEntity", "namespace", "externallyManagedFolderInfo"];

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    match name {
        "childType" => Some(Value::texts(child_types(mo).iter().copied())),
        "childEntity" => Some(Value::refs(inventory.children(mo))),
        _ => None,
    }
}

fn child_types(mo: &MoRef) -> &'static [&'static str] {
    if *mo == ROOT_FOLDER {
        return &["Folder", "Datacenter"];
    }
    if *mo == VM_FOLDER {
        return &["Folder", "VirtualMachine", "VirtualApp"];
    }
    match &*mo.id {
        "group-h4" => &["Folder", "ComputeResource"],
        "group-s5" => &["Folder", "Datastore", "StoragePod"],
        _ => &["Folder", "Network", "DistributedVirtualSwitch"],
    }
}
