//! ServiceInstance: what the server is and where everything begins.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::inventory::{
    AUTHORIZATION_MANAGER, EVENT_MANAGER, FILE_MANAGER, GUEST_MANAGER, Inventory, OVF_MANAGER, PROPERTY_COLLECTOR,
    ROOT_FOLDER, SEARCH_INDEX, SESSION_MANAGER, TASK_MANAGER, VIEW_MANAGER,
};
use crate::soap::xml::Xml;
use crate::value::{Data, Value};

pub(crate) const PROPERTIES: &[&str] = &["serverClock", "capability", "content"];

/// The versions of the API that there were before and between the releases we can be, oldest first.
const API_VERSIONS: &[&str] = &[
    "6.0", "6.5", "6.7", "6.7.1", "6.7.2", "6.7.3", "7.0.0.0", "7.0.1.0", "7.0.2.0", "7.0.3.0", "8.0.0.0", "8.0.1.0",
    "8.0.2.0", "8.0.3.0",
];

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    match name {
        "serverClock" => Some(inventory.now.into()),
        "content" => Some(content(inventory.sim).into()),
        _ => None,
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "RetrieveServiceContent" => Ok(Reply::One(content(sim).into())),
        "CurrentTime" => Ok(Reply::One(host.now().into())),
        _ => return None,
    })
}

/// Only managers that exist are named: a client that asks for another finds it unset, as on a reduced server.
fn content(sim: &VSphere) -> Data {
    Data::new("ServiceContent")
        .with("rootFolder", ROOT_FOLDER)
        .with("propertyCollector", PROPERTY_COLLECTOR)
        .with("viewManager", VIEW_MANAGER)
        .with("about", about(sim))
        .with("sessionManager", SESSION_MANAGER)
        .with("authorizationManager", AUTHORIZATION_MANAGER)
        .with("searchIndex", SEARCH_INDEX)
        .with("eventManager", EVENT_MANAGER)
        .with("taskManager", TASK_MANAGER)
        .with("fileManager", FILE_MANAGER)
        .with("ovfManager", OVF_MANAGER)
        .with("guestOperationsManager", GUEST_MANAGER)
        .unset(&[
            "setting",
            "userDirectory",
            "perfManager",
            "scheduledTaskManager",
            "alarmManager",
            "extensionManager",
            "customizationSpecManager",
            "customFieldsManager",
            "licenseManager",
            "virtualDiskManager",
            "dvSwitchManager",
        ])
}

fn about(sim: &VSphere) -> Data {
    Data::new("AboutInfo")
        .with("name", "VMware vCenter Server")
        .with("fullName", format!("VMware vCenter Server {} build-1", sim.version))
        .with("vendor", "VMware, Inc.")
        .with("version", sim.version.as_str())
        .with("build", "1")
        .with("localeVersion", "INTL")
        .with("localeBuild", "000")
        .with("osType", "linux-x64")
        .with("productLineId", "vpx")
        .with("apiType", "VirtualCenter")
        .with("apiVersion", api_version(&sim.version))
        .with("instanceUuid", sim.instance_uuid.as_str())
        .with("licenseProductName", "VMware VirtualCenter Server")
        .with("licenseProductVersion", sim.version.split('.').next().unwrap_or_default())
        .unset(&["patchLevel"])
}

/// A release's API version: four numbers.
fn api_version(version: &str) -> String {
    let mut parts: Vec<&str> = version.split('.').collect();
    parts.resize(4, "0");
    parts.join(".")
}

/// `/sdk/vimServiceVersions.xml`: clients choose the newest version that both sides know (pyVmomi).
pub(crate) fn service_versions(version: &str) -> String {
    let current = api_version(version);
    let numbers = |text: &str| text.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    let mut xml = Xml::document();
    xml.open("namespaces", &[("version", "1.0")]);
    xml.open("namespace", &[]);
    xml.element("name", &[], "urn:vim25");
    xml.element("version", &[], &current);
    xml.open("priorVersions", &[]);
    for prior in API_VERSIONS.iter().rev().filter(|prior| numbers(prior) < numbers(&current)) {
        xml.element("version", &[], prior);
    }
    xml.close("priorVersions");
    xml.close("namespace");
    xml.close("namespaces");
    xml.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_offered_end_at_our_own() {
        let text = service_versions("7.0.1");
        assert!(text.contains("<version>7.0.1.0</version><priorVersions><version>7.0.0.0</version>"), "{text}");
        assert!(!text.contains("7.0.2"), "{text}");
    }
}
