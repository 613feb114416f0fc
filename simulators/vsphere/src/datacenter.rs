//! Datacenter.

use crate::inventory::{DATASTORE, DATASTORE_FOLDER, HOST_FOLDER, Inventory, NETWORK_FOLDER, VM_FOLDER};
use crate::value::Value;

pub(crate) const PROPERTIES: &[&str] =
    &["vmFolder", "hostFolder", "datastoreFolder", "networkFolder", "datastore", "network", "configuration"];

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    match name {
        "vmFolder" => Some(VM_FOLDER.into()),
        "hostFolder" => Some(HOST_FOLDER.into()),
        "datastoreFolder" => Some(DATASTORE_FOLDER.into()),
        "networkFolder" => Some(NETWORK_FOLDER.into()),
        "datastore" => Some(Value::refs([DATASTORE])),
        "network" => Some(Value::refs(inventory.networks())),
        _ => None,
    }
}
