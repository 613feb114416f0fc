//! `runtime` and `summary`.

use grenadier_fleet::{Machine, Power};

use crate::datastore::path;
use crate::fault::CPU_MHZ;
use crate::inventory::{HOST, Inventory};
use crate::moref::MoRef;
use crate::value::{Data, Value, int, long};
use crate::virtual_machine::config::guest_full_name;
use crate::virtual_machine::guest;
use crate::virtual_machine::record::Record;

/// A machine's power in the words of the API.
pub(super) fn power_state(power: Power) -> &'static str {
    match power {
        Power::On => "poweredOn",
        Power::Off => "poweredOff",
    }
}

/// `VirtualMachineRuntimeInfo`.
pub(super) fn info(inventory: Inventory<'_>, machine: &Machine) -> Data {
    let on = machine.power == Power::On;
    let power = machine.power;
    // The time of the last power-on goes with the power; the mutant keeps it.
    #[cfg(feature = "mutants")]
    let power = if inventory.sim.powered_on.contains_key(&machine.id) { Power::On } else { power };
    let boot_time = inventory.sim.powered_on.get(&machine.id).copied().filter(|_| on);
    Data::new("VirtualMachineRuntimeInfo")
        .with("host", HOST)
        .with("connectionState", Value::Enum("VirtualMachineConnectionState", "connected"))
        .with("powerState", Value::Enum("VirtualMachinePowerState", power_state(power)))
        .with("faultToleranceState", Value::Enum("VirtualMachineFaultToleranceState", "notConfigured"))
        .with("toolsInstallerMounted", false)
        .maybe("bootTime", boot_time)
        .with("maxCpuUsage", int(i64::from(machine.spec.hardware.cpus) * CPU_MHZ))
        .with("maxMemoryUsage", int(machine.spec.hardware.memory_mib))
        .with("numMksConnections", 0)
        .with("recordReplayState", Value::Enum("VirtualMachineRecordReplayState", "inactive"))
        .with("onlineStandby", false)
        .with("consolidationNeeded", false)
        .unset(&[
            "device",
            "vmFailoverInProgress",
            "dasVmProtection",
            "suspendTime",
            "suspendInterval",
            "question",
            "memoryOverhead",
            "cleanPowerOff",
            "needSecondaryReason",
            "minRequiredEVCModeKey",
            "offlineFeatureRequirement",
            "featureRequirement",
            "featureMask",
            "paused",
            "snapshotInBackground",
            "cryptoState",
        ])
}

/// `VirtualMachineSummary`.
pub(super) fn summary(inventory: Inventory<'_>, machine: &Machine, mo: &MoRef) -> Option<Data> {
    let record = Record::of(machine)?;
    let (tools_status, tools_running) = guest::tools_status(machine);
    let guest = Data::new("VirtualMachineGuestSummary")
        .with("guestId", record.guest_id.as_str())
        .with("guestFullName", guest_full_name(&record.guest_id))
        .with("toolsStatus", Value::Enum("VirtualMachineToolsStatus", tools_status))
        .with("toolsVersionStatus2", "guestToolsUnmanaged")
        .with("toolsRunningStatus", tools_running)
        .maybe("hostName", machine.hostname.as_deref().filter(|_| guest::tools_run(machine)))
        .maybe("ipAddress", guest::ip_address(machine).map(|address| address.to_string()))
        .unset(&["toolsVersionStatus", "hwVersion"]);
    let hardware = machine.spec.hardware;
    let config = Data::new("VirtualMachineConfigSummary")
        .with("name", machine.spec.name.as_str())
        .with("template", record.template)
        .with("vmPathName", path::render(&record.vmx_path()))
        .with("memorySizeMB", int(hardware.memory_mib))
        .with("cpuReservation", 0)
        .with("memoryReservation", 0)
        .with("numCpu", int(hardware.cpus))
        .with("numEthernetCards", int(machine.spec.nics.len()))
        .with("numVirtualDisks", int(machine.spec.disks.len()))
        .with("uuid", record.uuid.as_str())
        .with("instanceUuid", record.instance_uuid.as_str())
        .with("guestId", record.guest_id.as_str())
        .with("guestFullName", guest_full_name(&record.guest_id))
        .with("annotation", record.annotation.as_str())
        .with("installBootRequired", false)
        .unset(&["product", "ftInfo", "managedBy", "tpmPresent", "numVmiopBackings", "hwVersion"]);
    let bytes = machine.spec.disks.iter().map(|disk| disk.capacity_mib << 20).sum::<u64>();
    let storage = Data::new("VirtualMachineStorageSummary")
        .with("committed", long(bytes))
        .with("uncommitted", long(0))
        .with("unshared", long(bytes))
        .with("timestamp", inventory.now);
    let on = machine.power == Power::On;
    let since = inventory.sim.powered_on.get(&machine.id).filter(|_| on);
    let uptime = since.map(|since| int(inventory.now.since(*since).as_secs()));
    let stats = Data::new("VirtualMachineQuickStats")
        .with("overallCpuUsage", int(if on { i64::from(hardware.cpus) * CPU_MHZ } else { 0 }))
        .with("hostMemoryUsage", int(if on { hardware.memory_mib } else { 0 }))
        .with(
            "guestHeartbeatStatus",
            Value::Enum("ManagedEntityStatus", if guest::tools_run(machine) { "green" } else { "gray" }),
        )
        .maybe("uptimeSeconds", uptime)
        .unset(&["overallCpuDemand", "guestMemoryUsage", "privateMemory", "sharedMemory", "swappedMemory"]);
    Some(
        Data::new("VirtualMachineSummary")
            .with("vm", mo.clone())
            .with("runtime", info(inventory, machine))
            .with("guest", guest)
            .with("config", config)
            .with("storage", storage)
            .with("quickStats", stats)
            .with("overallStatus", Value::Enum("ManagedEntityStatus", "green"))
            .unset(&["customValue"]),
    )
}
