//! `config`: what a machine is made of.

use grenadier_fleet::Machine;

use crate::datastore::path;
use crate::inventory::{DATASTORE_NAME, Inventory};
use crate::value::{Data, Value};
use crate::virtual_machine::hardware;
use crate::virtual_machine::record::Record;

/// The parts of `config` that can be made without the rest of it. None where the part is unset.
pub(super) fn part(inventory: Inventory<'_>, machine: &Machine, name: &str) -> Option<Value> {
    match name {
        "hardware" => Some(hardware::hardware(inventory, machine, Record::controller(machine)?).into()),
        "extraConfig" => Some(extra_config(machine)),
        "vAppConfig" => Some(Record::v_app(machine)?.info().into()),
        _ => None,
    }
}

fn extra_config(machine: &Machine) -> Value {
    let option = |(key, value): (&String, &String)| {
        Data::derived("OptionValue").with("key", key.as_str()).any("value", value.as_str())
    };
    Value::list("OptionValue", machine.spec.config.iter().map(option))
}

/// `VirtualMachineConfigInfo`; none for a machine that is not of this vCenter.
pub(super) fn info(inventory: Inventory<'_>, machine: &Machine) -> Option<Data> {
    let record = Record::of(machine)?;
    let directory = path::render(&format!("{}/", record.directory));
    let files = Data::new("VirtualMachineFileInfo")
        .with("vmPathName", path::render(&record.vmx_path()))
        .with("snapshotDirectory", directory.as_str())
        .with("suspendDirectory", directory.as_str())
        .with("logDirectory", directory.as_str())
        .unset(&["ftMetadataDirectory"]);
    let url = Data::new("VirtualMachineConfigInfoDatastoreUrlPair")
        .with("name", DATASTORE_NAME)
        .with("url", "/vmfs/volumes/LocalDS_0");
    let data = Data::new("VirtualMachineConfigInfo")
        .with("changeVersion", "")
        .with("modified", record.created_ns)
        .with("name", machine.spec.name.as_str())
        .with("guestFullName", guest_full_name(&record.guest_id))
        .with("version", record.hardware_version.as_str())
        .with("uuid", record.uuid.as_str())
        .with("createDate", record.created_ns)
        .with("instanceUuid", record.instance_uuid.as_str())
        .with("template", record.template)
        .with("guestId", record.guest_id.as_str())
        .with("alternateGuestName", "")
        .with("annotation", record.annotation.as_str())
        .with("files", files)
        .with("hardware", hardware::hardware(inventory, machine, &record.controller))
        .with("memoryHotAddEnabled", false)
        .with("cpuHotAddEnabled", false)
        .with("cpuHotRemoveEnabled", false)
        .with("extraConfig", extra_config(machine))
        .with("datastoreUrl", Value::list("VirtualMachineConfigInfoDatastoreUrlPair", [url]))
        .maybe("vAppConfig", record.v_app_config.as_ref().map(|vapp| vapp.info()))
        .with("firmware", "bios");
    Some(data.unset(&[
        "npivNodeWorldWideName",
        "npivPortWorldWideName",
        "locationId",
        "tools",
        "flags",
        "consolePreferences",
        "defaultPowerOps",
        "vcpuConfig",
        "cpuAllocation",
        "memoryAllocation",
        "latencySensitivity",
        "cpuAffinity",
        "memoryAffinity",
        "networkShaper",
        "cpuFeatureMask",
        "swapPlacement",
        "bootOptions",
        "ftInfo",
        "repConfig",
        "vAssertsEnabled",
        "changeTrackingEnabled",
        "managedBy",
        "nestedHVEnabled",
        "keyId",
    ]))
}

/// A guest operating system in words; its identifier where we have none.
pub(super) fn guest_full_name(guest_id: &str) -> &str {
    match guest_id {
        "vmwarePhoton64Guest" => "VMware Photon OS (64-bit)",
        "otherLinux64Guest" => "Other Linux (64-bit)",
        "other3xLinux64Guest" => "Other 3.x Linux (64-bit)",
        other => other,
    }
}
