//! `guest`: what the guest's tools tell.

use std::net::IpAddr;

use grenadier_fleet::{Boot, Machine, Power};

use crate::value::{Data, Value, int};
use crate::virtual_machine::config::guest_full_name;
use crate::virtual_machine::record::Record;

/// Whether the guest's tools run: the guest is up and has told who it is.
pub(crate) fn tools_run(machine: &Machine) -> bool {
    machine.power == Power::On && machine.boot == Boot::Up && machine.hostname.is_some()
}

/// The machine's address: the first IPv4 address of its first card, else the first at all.
pub(super) fn ip_address(machine: &Machine) -> Option<IpAddr> {
    if !tools_run(machine) {
        return None;
    }
    let mut all = machine.addresses.values().flatten();
    all.clone().find(|address| address.is_ipv4()).or_else(|| all.next()).copied()
}

/// `VirtualMachineToolsStatus` and the running status.
pub(super) fn tools_status(machine: &Machine) -> (&'static str, &'static str) {
    if tools_run(machine) { ("toolsOk", "guestToolsRunning") } else { ("toolsNotRunning", "guestToolsNotRunning") }
}

/// `GuestInfo`.
pub(super) fn info(machine: &Machine) -> Option<Data> {
    let record = Record::of(machine)?;
    let runs = tools_run(machine);
    let (status, running) = tools_status(machine);
    let nics = machine.spec.nics.iter().filter(|_| runs).map(|nic| {
        let addresses = machine.addresses.get(&nic.key).map(Vec::as_slice).unwrap_or_default();
        Data::new("GuestNicInfo")
            .with("network", nic.segment.as_str())
            .with("ipAddress", Value::texts(addresses.iter().map(ToString::to_string)))
            .with("macAddress", nic.mac.to_string())
            .with("connected", nic.connected)
            .with("deviceConfigId", int(nic.key))
            .unset(&["dnsConfig", "ipConfig", "netBIOSConfig"])
    });
    Some(
        Data::new("GuestInfo")
            .with("toolsStatus", Value::Enum("VirtualMachineToolsStatus", status))
            .with("toolsVersionStatus2", "guestToolsUnmanaged")
            .with("toolsRunningStatus", running)
            .with("toolsVersion", "0")
            .with("guestId", record.guest_id.as_str())
            .with("guestFamily", "linuxGuest")
            .with("guestFullName", guest_full_name(&record.guest_id))
            .maybe("hostName", machine.hostname.as_deref().filter(|_| runs))
            .maybe("ipAddress", ip_address(machine).map(|address| address.to_string()))
            .with("net", Value::list("GuestNicInfo", nics))
            .with("guestState", if runs { "running" } else { "notRunning" })
            .with("guestOperationsReady", runs)
            .unset(&[
                "toolsVersionStatus",
                "toolsInstallType",
                "ipStack",
                "disk",
                "screen",
                "appHeartbeatStatus",
                "guestKernelCrashed",
                "appState",
                "interactiveGuestOperationsReady",
                "guestStateChangeSupported",
                "generationInfo",
                "hwVersion",
            ]),
    )
}
