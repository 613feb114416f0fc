//! HostSystem.

use crate::fault::CPU_MHZ;
use crate::inventory::{DATASTORE, DATASTORE_BROWSER, HOST, Inventory};
use crate::value::{Data, Value, int, long, short};

pub(crate) const PROPERTIES: &[&str] = &[
    "runtime",
    "summary",
    "hardware",
    "capability",
    "licensableResource",
    "remediationState",
    "precheckRemediationResult",
    "remediationResult",
    "complianceCheckState",
    "complianceCheckResult",
    "configManager",
    "config",
    "vm",
    "datastore",
    "network",
    "datastoreBrowser",
    "systemResources",
    "answerFileValidationState",
    "answerFileValidationResult",
];

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    match name {
        "runtime" => Some(runtime().into()),
        "summary" => Some(summary(inventory).into()),
        "vm" => Some(inventory.machine_refs()),
        "datastore" => Some(Value::refs([DATASTORE])),
        "network" => Some(Value::refs(inventory.networks())),
        "datastoreBrowser" => Some(DATASTORE_BROWSER.into()),
        _ => None,
    }
}

fn runtime() -> Data {
    Data::new("HostRuntimeInfo")
        .with("connectionState", Value::Enum("HostSystemConnectionState", "connected"))
        .with("powerState", Value::Enum("HostSystemPowerState", "poweredOn"))
        .with("inMaintenanceMode", false)
        .unset(&["standbyMode", "inQuarantineMode", "bootTime", "healthSystemRuntime", "dasHostState", "cryptoState"])
}

/// What the host has and uses. Usage is what the machines that are on were given, since nothing is overcommitted: total
/// minus usage is exactly what a further machine may ask for at power-on (assumed; a real host reports measured load).
fn summary(inventory: Inventory<'_>) -> Data {
    let (host, used) = (inventory.fleet.host, inventory.fleet.used());
    let hardware = Data::new("HostHardwareSummary")
        .with("vendor", "Grenadier")
        .with("model", "Simulated host")
        .with("uuid", inventory.sim.host_uuid.as_str())
        .with("memorySize", long(host.memory_mib << 20))
        .with("cpuModel", "Simulated processor")
        .with("cpuMhz", int(CPU_MHZ))
        .with("numCpuPkgs", short(1))
        .with("numCpuCores", short(host.cpus))
        .with("numCpuThreads", short(host.cpus))
        .with("numNics", int(inventory.sim.networks.len()))
        .with("numHBAs", 1)
        .unset(&["family", "otherIdentifyingInfo"]);
    let config = Data::new("HostConfigSummary")
        .with("name", "DC0_C0_H0")
        .with("port", 443)
        .with("vmotionEnabled", false)
        .with("faultToleranceEnabled", false)
        .unset(&["sslThumbprint", "product", "featureVersion", "agentVmDatastore", "agentVmNetwork"]);
    let stats = Data::new("HostListSummaryQuickStats")
        .with("overallCpuUsage", int(i64::from(used.cpus) * CPU_MHZ))
        .with("overallMemoryUsage", int(used.memory_mib))
        .with("uptime", int(inventory.now.as_ns() / 1_000_000_000))
        .unset(&["distributedCpuFairness", "distributedMemoryFairness", "availablePMemCapacity"]);
    Data::new("HostListSummary")
        .with("host", HOST)
        .with("hardware", hardware)
        .with("runtime", runtime())
        .with("config", config)
        .with("quickStats", stats)
        .with("overallStatus", Value::Enum("ManagedEntityStatus", "green"))
        .with("rebootRequired", false)
        .unset(&["customValue", "managementServerIp", "maxEVCModeKey", "currentEVCModeKey", "gateway"])
}
