//! Virtual devices.

use grenadier_fleet::{Disk, Machine, Nic};

use crate::inventory::{DATASTORE, Inventory};
use crate::value::{Data, Value, int, long};
use crate::virtual_machine::cdrom;

/// The key of the first disk controller.
pub(crate) const CONTROLLER_KEY: i32 = 1000;
/// The key of the first disk.
pub(crate) const FIRST_DISK_KEY: u32 = 2000;
/// The key of the first network card.
pub(crate) const FIRST_NIC_KEY: u32 = 4000;
/// The key of the PCI controller that network cards sit on, and the first of their units there.
pub(crate) const PCI_KEY: i32 = 100;
pub(crate) const FIRST_NIC_UNIT: u32 = 7;

/// The types of disk controller that a machine can have; anything else becomes the first.
pub(crate) fn controller_type(name: &str) -> &'static str {
    match name {
        "ParaVirtualSCSIController" | "VirtualSCSI" => "ParaVirtualSCSIController",
        "VirtualLsiLogicSASController" | "lsilogicsas" => "VirtualLsiLogicSASController",
        _ => "VirtualLsiLogicController",
    }
}

/// `config.hardware`.
pub(crate) fn hardware(inventory: Inventory<'_>, machine: &Machine, controller_kind: &str) -> Data {
    let mut devices = Vec::new();
    if !machine.spec.disks.is_empty() {
        devices.push(controller(machine, controller_kind));
    }
    devices.extend(machine.spec.disks.iter().enumerate().map(|(unit, disk)| virtual_disk(disk, unit)));
    devices.extend(machine.spec.nics.iter().enumerate().map(|(index, nic)| network_card(inventory, nic, index)));
    devices.extend(cdrom::devices(machine));
    Data::new("VirtualHardware")
        .with("numCPU", int(machine.spec.hardware.cpus))
        .with("numCoresPerSocket", 1)
        .with("memoryMB", int(machine.spec.hardware.memory_mib))
        .with("device", Value::list("VirtualDevice", devices))
        .unset(&["virtualICH7MPresent", "virtualSMCPresent"])
}

fn description(label: String, summary: String) -> Data {
    Data::new("Description").with("label", label).with("summary", summary)
}

fn controller(machine: &Machine, kind: &str) -> Data {
    let disks = machine.spec.disks.iter().map(|disk| int(disk.key)).collect();
    Data::derived(controller_type(kind))
        .with("key", CONTROLLER_KEY)
        .with("deviceInfo", description("SCSI controller 0".into(), kind.to_owned()))
        .with("controllerKey", PCI_KEY)
        .with("unitNumber", 3)
        .with("busNumber", 0)
        .with("device", Value::List("int", disks))
        .with("hotAddRemove", true)
        .with("sharedBus", Value::Enum("VirtualSCSISharing", "noSharing"))
        .with("scsiCtlrUnitNumber", 7)
}

fn virtual_disk(disk: &Disk, unit: usize) -> Data {
    let backing = Data::derived("VirtualDiskFlatVer2BackingInfo")
        .with("fileName", disk.path.as_str())
        .with("datastore", DATASTORE)
        .with("diskMode", "persistent")
        .with("thinProvisioned", false)
        .unset(&["backingObjectId", "split", "writeThrough", "eagerlyScrub", "uuid", "contentId", "parent"]);
    Data::derived("VirtualDisk")
        .with("key", int(disk.key))
        .with("deviceInfo", description(format!("Hard disk {}", unit + 1), format!("{} KB", disk.capacity_mib << 10)))
        .with("backing", backing)
        .with("controllerKey", CONTROLLER_KEY)
        .with("unitNumber", int(unit))
        .with("capacityInKB", long(disk.capacity_mib << 10))
        .with("capacityInBytes", long(disk.capacity_mib << 20))
        .unset(&["connectable", "slotInfo", "shares", "storageIOAllocation", "diskObjectId"])
}

fn network_card(inventory: Inventory<'_>, nic: &Nic, index: usize) -> Data {
    let backing = Data::derived("VirtualEthernetCardNetworkBackingInfo")
        .with("deviceName", nic.segment.as_str())
        .with("useAutoDetect", false)
        .maybe("network", inventory.network_named(&nic.segment))
        .unset(&["inPassthroughMode"]);
    let connectable = Data::new("VirtualDeviceConnectInfo")
        .with("startConnected", nic.connected)
        .with("allowGuestControl", true)
        .with("connected", nic.connected)
        .with("status", if nic.connected { "ok" } else { "untried" })
        .unset(&["migrateConnect"]);
    Data::derived("VirtualVmxnet3")
        .with("key", int(nic.key))
        .with("deviceInfo", description(format!("Network adapter {}", index + 1), nic.segment.clone()))
        .with("backing", backing)
        .with("connectable", connectable)
        .with("controllerKey", PCI_KEY)
        .with("unitNumber", int(FIRST_NIC_UNIT.saturating_add(nic.key.saturating_sub(FIRST_NIC_KEY))))
        .with("addressType", "assigned")
        .with("macAddress", nic.mac.to_string())
        .with("wakeOnLanEnabled", true)
        .unset(&["slotInfo", "resourceAllocation", "externalId", "uptCompatibilityEnabled"])
}
