//! Datastore, its files and its HTTP access.

pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod path;

use crate::inventory::{DATASTORE, DATASTORE_BROWSER, DATASTORE_NAME, Inventory};
use crate::value::{Data, Value, long};

pub(crate) const PROPERTIES: &[&str] = &["info", "summary", "host", "vm", "browser", "capability", "iormConfiguration"];

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    match name {
        "summary" => Some(summary(inventory).into()),
        "vm" => Some(inventory.machine_refs()),
        "browser" => Some(DATASTORE_BROWSER.into()),
        _ => None,
    }
}

/// What is left on the datastore in bytes: disks count with all of their capacity, files with what they hold.
pub(crate) fn free_space(inventory: Inventory<'_>) -> u64 {
    let disks = inventory.fleet.used().storage_mib << 20;
    (inventory.fleet.host.storage_mib << 20).saturating_sub(disks).saturating_sub(inventory.sim.files.total_size())
}

fn summary(inventory: Inventory<'_>) -> Data {
    Data::new("DatastoreSummary")
        .with("datastore", DATASTORE)
        .with("name", DATASTORE_NAME)
        .with("url", "ds:///vmfs/volumes/LocalDS_0/")
        .with("capacity", long(inventory.fleet.host.storage_mib << 20))
        .with("freeSpace", long(free_space(inventory)))
        .with("accessible", true)
        .with("multipleHostAccess", false)
        .with("type", "VMFS")
        .with("maintenanceMode", "normal")
        .unset(&["uncommitted"])
}
