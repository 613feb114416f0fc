//! ClusterComputeResource.

use crate::fault::CPU_MHZ;
use crate::inventory::{DATASTORE, HOST, Inventory, POOL};
use crate::value::{Data, Value, int, long, short};

pub(crate) const PROPERTIES: &[&str] = &[
    "resourcePool",
    "host",
    "datastore",
    "network",
    "summary",
    "environmentBrowser",
    "configurationEx",
    "lifecycleManaged",
    "configuration",
    "recommendation",
    "drsRecommendation",
    "summaryEx",
    "hciConfig",
    "migrationHistory",
    "actionHistory",
    "drsFault",
];

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    match name {
        "resourcePool" => Some(POOL.into()),
        "host" => Some(Value::refs([HOST])),
        "datastore" => Some(Value::refs([DATASTORE])),
        "network" => Some(Value::refs(inventory.networks())),
        "summary" => Some(summary(inventory).into()),
        _ => None,
    }
}

fn summary(inventory: Inventory<'_>) -> Data {
    let host = inventory.fleet.host;
    let mhz = i64::from(host.cpus) * CPU_MHZ;
    Data::derived("ClusterComputeResourceSummary")
        .with("totalCpu", int(mhz))
        .with("totalMemory", long(host.memory_mib << 20))
        .with("numCpuCores", short(host.cpus))
        .with("numCpuThreads", short(host.cpus))
        .with("effectiveCpu", int(mhz))
        .with("effectiveMemory", long(host.memory_mib))
        .with("numHosts", 1)
        .with("numEffectiveHosts", 1)
        .with("overallStatus", Value::Enum("ManagedEntityStatus", "green"))
        .with("currentFailoverLevel", 0)
        .with("numVmotions", 0)
        .unset(&[
            "admissionControlInfo",
            "targetBalance",
            "currentBalance",
            "usageSummary",
            "currentEVCModeKey",
            "dasData",
        ])
}
