//! Whether the upgrade may begin.

use std::collections::BTreeSet;
use std::net::IpAddr;

use grenadier_events::Actor;
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::certificate;
use crate::procedures::haproxy_appliance::findings::OldAppliance;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::procedures::haproxy_appliance::version::numbers;
use crate::shell::{Shell, ShellAccess};
use crate::step::{Restoring, Step, StepError, StepFuture};
use crate::vsphere::{MachineFacts, PowerState};

/// Sees that nothing forbids the upgrade.
pub(super) struct CheckPrerequisites;

impl Step<Swap> for CheckPrerequisites {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(
            swap,
            "check-prerequisites",
            "see that nothing forbids the upgrade: versions, privileges, capacity, address plan",
            &[
                "vsphere.RetrieveServiceContent",
                "vsphere.Login",
                "vsphere.FindByInventoryPath",
                "vsphere.RetrievePropertiesEx",
                "vsphere.HasPrivilegeOnEntities",
                "shell.test",
                "shell.cat",
                "shell.ip",
            ],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let machine = running_appliance(swap).await?;
            let shell = shell_of(swap, &machine)?;
            let running = newer_target(swap, &shell).await?;
            let vsphere = vsphere_and_target(swap).await?;
            let renews = [&running, &swap.parameters.target].into_iter().any(|version| renews_certificates(version));
            privileges(swap, &machine, if renews { &["VirtualMachine.Config.AdvancedConfig"] } else { &[] }).await?;
            topology(swap, &machine)?;
            address_plan(swap, &machine)?;
            resources(swap, &machine, Room::All).await?;
            let fingerprint = certificate_there(&shell).await?;
            would_come_back(&shell).await?;
            let management = management_address(&machine)?;
            let api_port = api_port(&machine);
            let old = OldAppliance { machine, management, api_port, fingerprint };
            let output = json!({"running": running, "vsphere": vsphere, "old": old});
            swap.findings.old = Some(old);
            Ok(output)
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        let old: OldAppliance = serde_json::from_value(output["old"].clone())?;
        swap.findings.old.get_or_insert(old.without_secrets());
        Ok(())
    }
}

fn refuse<T>(rule: &'static str, message: String) -> Result<T, StepError> {
    Err(StepError::Refused { rule, message })
}

pub(in super::super) async fn running_appliance(swap: &mut Swap) -> Result<MachineFacts, StepError> {
    let name = swap.parameters.old_name.clone();
    let Some(machine) = swap.find_old().await? else {
        return refuse("no-running-appliance", format!("there is no machine {name}"));
    };
    let facts = swap.vsphere.machine(&machine).await?;
    if facts.power != PowerState::On {
        return refuse("no-running-appliance", format!("{name} is {}", facts.power.name()));
    }
    Ok(facts)
}

pub(in super::super) fn management_address(machine: &MachineFacts) -> Result<IpAddr, StepError> {
    let property = machine.property("network.management_ip").unwrap_or_default();
    let address = property.split('/').next().unwrap_or_default();
    let unfit = |_| StepError::Unfit(format!("{}: network.management_ip is no address: {property:?}", machine.name));
    address.trim().parse().map_err(unfit)
}

/// The port of the appliance's API.
pub(in super::super) fn api_port(machine: &MachineFacts) -> u16 {
    let port = machine.property("loadbalance.dataplane_port").and_then(|port| port.parse().ok());
    // 5556 is the appliance's default port (vmware-haproxy `hack/image-build-ova.py`).
    port.unwrap_or(5556)
}

pub(in super::super) fn shell_of(swap: &Swap, machine: &MachineFacts) -> Result<Shell, StepError> {
    let access = ShellAccess {
        host: management_address(machine)?.to_string(),
        user: "root".to_owned(),
        password: Some(swap.parameters.root_password.clone()),
    };
    Ok(Shell::new(&swap.wire, Actor::Engine, access))
}

/// The version that runs, by the appliance's own word where it has one.
pub(in super::super) async fn newer_target(swap: &Swap, shell: &Shell) -> Result<String, StepError> {
    let release = shell.read("/etc/vmware-haproxy-release").await?.unwrap_or_default();
    let named = release.lines().find_map(|line| line.trim().strip_prefix("VERSION="));
    let running = named.map_or_else(|| swap.parameters.base.clone(), |name| name.trim_matches('"').to_owned());
    let target = &swap.parameters.target;
    match (numbers(&running), numbers(target)) {
        (Some(from), Some(to)) if to > from => Ok(running),
        (Some(_), Some(_)) => {
            refuse("target-not-newer", format!("{running} runs, and {target} is not newer than that"))
        }
        _ => refuse("target-not-newer", format!("{running} runs, and nobody can say whether {target} is newer")),
    }
}

/// vSphere's version, which must suit the target, now and after its own upgrade.
///
/// vSphere 7.0.1 needs v0.1.9 of the appliance (vmware-haproxy `docs/upgrade.md`, Restrictions).
pub(in super::super) async fn vsphere_and_target(swap: &mut Swap) -> Result<String, StepError> {
    let vsphere = swap.vsphere.version().await?;
    let target = &swap.parameters.target;
    if numbers(target) >= numbers("v0.1.9") {
        return Ok(vsphere);
    }
    let too_new = |version: &str| numbers(version) >= numbers("7.0.1");
    if too_new(&vsphere) {
        let message = format!("vSphere {vsphere} needs v0.1.9 of the appliance or later, not {target}");
        return refuse("vsphere-needs-v0.1.9", message);
    }
    match &swap.parameters.vsphere_after {
        Some(after) if too_new(after) => {
            let message = format!("vSphere is going to {after}, which needs v0.1.9 or later, not {target}");
            refuse("vsphere-needs-v0.1.9", message)
        }
        _ => Ok(vsphere),
    }
}

/// Whether a version makes new certificates at every boot and publishes their authority, so that somebody has to put that right.
fn renews_certificates(version: &str) -> bool {
    numbers(version) < numbers("v0.1.10")
}

/// Deploying takes these; giving the machine back and swapping take the rest, and what is named `besides` on both machines: the new
/// one will be in the folder of the old. Each is asked for on the object where vSphere looks for it.
pub(in super::super) async fn privileges(
    swap: &mut Swap,
    machine: &MachineFacts,
    besides: &[&'static str],
) -> Result<(), StepError> {
    let mut wanted = vec![
        (machine.folder.clone(), "VApp.Import"),
        (machine.pool.clone(), "VApp.Import"),
        (machine.pool.clone(), "Resource.AssignVMToPool"),
        (machine.datastore.clone(), "Datastore.AllocateSpace"),
        (machine.folder.clone(), "VirtualMachine.Inventory.Delete"),
        (machine.object.clone(), "VirtualMachine.Interact.PowerOn"),
        (machine.object.clone(), "VirtualMachine.Interact.PowerOff"),
    ];
    wanted.extend(machine.cards.iter().map(|card| (card.network.clone(), "Network.Assign")));
    for machine in [&machine.object, &machine.folder] {
        wanted.extend(besides.iter().map(|privilege| (machine.clone(), *privilege)));
    }
    let missing = swap.vsphere.missing_privileges(&wanted).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<_> = missing.iter().map(|(object, privilege)| format!("{privilege} on {object}")).collect();
    let user = &swap.parameters.vcenter.user;
    refuse("no-deploy-privilege", format!("{user} lacks {}", missing.join(", ")))
}

pub(in super::super) fn topology(swap: &Swap, machine: &MachineFacts) -> Result<(), StepError> {
    let Some(told) = &swap.parameters.target_networks else { return Ok(()) };
    let has: BTreeSet<&str> = machine.cards.iter().map(|card| card.network_name.as_str()).collect();
    let wants: BTreeSet<&str> = told.iter().map(String::as_str).collect();
    if has == wants {
        return Ok(());
    }
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!("the appliance is on the networks {}, the new one would be on {}", list(has), list(wants));
    refuse("topology-differs", message)
}

fn address_plan(swap: &Swap, machine: &MachineFacts) -> Result<(), StepError> {
    let Some(told) = &swap.parameters.target_service_ranges else { return Ok(()) };
    let has = machine.property("loadbalance.service_ip_range").unwrap_or_default();
    let wants = told.join(",");
    let (Some(has_ranges), Some(wants_ranges)) = (ranges(has), ranges(&wants)) else {
        return refuse("address-plan-differs", format!("the service ranges {has:?} and {wants:?} cannot be compared"));
    };
    if has_ranges == wants_ranges {
        return Ok(());
    }
    let message = format!("the appliance answers for {has}, the new one would answer for {wants}");
    refuse("address-plan-differs", message)
}

/// A list of ranges, however it is written; a plain address is a range of one.
fn ranges(text: &str) -> Option<BTreeSet<IpNet>> {
    let parts = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty());
    let range = |part: &str| {
        let net = part.parse::<IpNet>().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
        net.map(|net| net.trunc())
    };
    parts.map(range).collect()
}

/// What there must be room for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Room {
    /// CPU and disk, which the document names.
    CpuAndDisk,
    /// Memory, too.
    All,
}

/// Room for both machines at once: they are never both on, but vSphere admits and stores them beside each other.
pub(in super::super) async fn resources(swap: &mut Swap, machine: &MachineFacts, room: Room) -> Result<(), StepError> {
    let ovf = swap.ovf()?;
    let (cpus, memory_mib) = (machine.cpus.max(ovf.cpus), machine.memory_mib.max(ovf.memory_mib));
    let (host, datastore) = (&machine.host, &machine.datastore);
    let wanted: [(_, &[&str]); 2] =
        [(host, &["summary.hardware", "summary.quickStats"]), (datastore, &["summary.freeSpace"])];
    let [host, store] = swap.vsphere.properties_of(wanted).await?;
    let hardware = host.require("summary.hardware")?;
    let number =
        |path: &str| host.get("summary.quickStats").and_then(|stats| stats.number_at(path)).unwrap_or_default();
    let mut short = Vec::new();

    let cores = hardware.number_at("numCpuCores").unwrap_or_default();
    let needed = u64::from(machine.cpus) + u64::from(cpus);
    if needed > cores {
        short.push(format!("both machines need {needed} CPUs, the host has {cores}"));
    }
    if let Some(mhz) = hardware.number_at("cpuMhz").filter(|mhz| *mhz > 0) {
        let free = (mhz * cores).saturating_sub(number("overallCpuUsage"));
        let needed = mhz * u64::from(cpus);
        if needed > free {
            short.push(format!("the new machine needs {needed} MHz of CPU, {free} MHz are free"));
        }
    }
    let memory = hardware.number_at("memorySize").unwrap_or_default() >> 20;
    let free = memory.saturating_sub(number("overallMemoryUsage"));
    if room == Room::All && memory_mib > free {
        short.push(format!("the new machine needs {memory_mib} MiB of memory, {free} MiB are free"));
    }
    let free = store.require("summary.freeSpace")?.text.trim().parse().unwrap_or_default();
    if ovf.disk_bytes > free {
        let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
        short.push(format!("the new machine needs {} of disk, {} are free", gib(ovf.disk_bytes), gib(free)));
    }
    if short.is_empty() { Ok(()) } else { refuse("insufficient-resources", short.join("; ")) }
}

/// Sees that a power-off is not the end of the old appliance: what runs is what its files say.
///
/// A network that is in the file twice fails the route service at the next boot, and a link-scoped route that was taken out of the
/// file is in the kernel until then (vmware-haproxy #10).
async fn would_come_back(shell: &Shell) -> Result<(), StepError> {
    const FILE: &str = "/etc/vmware/route-tables.cfg";
    let text = shell.read(FILE).await?.unwrap_or_default();
    let (mut gateways, mut links) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        match fields[..] {
            [_, table, _, _, _gateway] if !gateways.insert(table.to_owned()) => {
                let message = format!("{table} is in {FILE} twice: the route service would fail at the next boot");
                return refuse("would-not-come-back", message);
            }
            [_, table, _, network] => {
                let network: Option<IpNet> = network.parse().ok();
                links.insert((table.to_owned(), network.map(|network| network.trunc())));
            }
            _ => {}
        }
    }
    let shown = shell.run("ip route show table all", bytes::Bytes::new()).await?;
    for line in String::from_utf8_lossy(&shown.stdout).lines().filter(|line| line.ends_with("scope link")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let table = words.iter().position(|word| *word == "table").and_then(|at| words.get(at + 1));
        let Some(table) = table.and_then(|table| table.strip_prefix("rtctl_")) else { continue };
        let network = words.first().and_then(|network| network.parse().ok()).map(|net: IpNet| net.trunc());
        if !links.contains(&(table.to_owned(), network)) {
            let message = format!("route {line:?} is in the kernel and not in {FILE}: a boot would lose it");
            return refuse("would-not-come-back", message);
        }
    }
    Ok(())
}

async fn certificate_there(shell: &Shell) -> Result<String, StepError> {
    let certificate = shell.read("/etc/haproxy/server.crt").await?.unwrap_or_default();
    let Some(fingerprint) = certificate::fingerprint(&certificate) else {
        return refuse("certificate-missing", "there is no certificate in /etc/haproxy/server.crt".to_owned());
    };
    let key = shell.read("/etc/haproxy/server.key").await?.unwrap_or_default();
    if !certificate::holds_key(&key) {
        return refuse("certificate-missing", "there is no key in /etc/haproxy/server.key".to_owned());
    }
    Ok(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn ranges_are_compared_as_sets_of_networks() {
        assert_eq!(ranges("198.18.2.16/28,198.18.3.1"), ranges(" 198.18.3.1/32, 198.18.2.17/28 "));
        assert_ne!(ranges("198.18.2.16/28"), ranges("198.18.2.16/27"));
        assert_eq!(ranges("everything"), None);
    }
}
