//! `ReconfigVM_Task`: what a `VirtualMachineConfigSpec` changes.
//!
//! A field that is not modelled is refused by name instead of being ignored: an engine that relies on it must notice.

use std::collections::BTreeMap;

use grenadier_fleet::{Hardware, Mac, Machine, Nic, Power, Reconfiguration};

use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::soap::decode::{Node, Tree};
use crate::virtual_machine::cdrom::{self, CdromChange};
use crate::virtual_machine::check_name;
use crate::virtual_machine::hardware::FIRST_NIC_KEY;
use crate::virtual_machine::record::Record;
use crate::virtual_machine::vapp::VApp;

/// What is to be changed, read from the request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ConfigChange {
    name: Option<String>,
    annotation: Option<String>,
    cpus: Option<u32>,
    memory_mib: Option<u64>,
    extra_config: BTreeMap<String, String>,
    nics: Vec<NicChange>,
    cdroms: Vec<CdromChange>,
    /// The vApp configuration's own XML: whom its keys mean is only known when the task runs.
    vapp: Option<String>,
}

/// What is to be done to a network card.
#[derive(Clone, Debug, PartialEq)]
enum NicChange {
    Add { segment: String, mac: Option<Mac>, connected: bool },
    Edit { key: u32, segment: Option<String>, mac: Option<Mac>, connected: Option<bool> },
    Remove { key: u32 },
}

/// Reads a `VirtualMachineConfigSpec`.
pub(crate) fn parse(inventory: Inventory<'_>, spec: Node<'_>) -> Result<ConfigChange, Fault> {
    let mut change = ConfigChange::default();
    for field in spec.elements() {
        match field.name() {
            "name" => {
                let name = field.text();
                check_name(name)?;
                change.name = Some(name.to_owned());
            }
            "annotation" => change.annotation = Some(field.text().to_owned()),
            "numCPUs" => change.cpus = positive(spec.number_of("numCPUs")?, "numCPUs")?,
            "memoryMB" => change.memory_mib = positive(spec.number_of("memoryMB")?, "memoryMB")?,
            "extraConfig" => {
                let value = field.owned_of("value").unwrap_or_default();
                change.extra_config.insert(field.required_owned("key")?, value);
            }
            "deviceChange" => {
                let device = field.required_child("device")?;
                if device.kind() == Some("VirtualCdrom") {
                    change.cdroms.push(cdrom::change(field, device)?);
                } else {
                    change.nics.push(nic_change(inventory, field)?);
                }
            }
            "vAppConfig" => change.vapp = Some(field_text(field)),
            // Says which configuration the client saw last; ours has no version to compare with.
            "changeVersion" => {}
            other => return Err(Fault::not_supported(&format!("spec.{other} is not simulated"))),
        }
    }
    Ok(change)
}

fn positive<T: PartialEq + Default>(number: Option<T>, name: &str) -> Result<Option<T>, Fault> {
    match number {
        Some(zero) if zero == T::default() => Err(Fault::invalid_argument(name, "zero is too few")),
        other => Ok(other),
    }
}

/// The element as XML of its own.
fn field_text(field: Node<'_>) -> String {
    let mut xml = crate::soap::xml::Xml::default();
    copy(&mut xml, field);
    xml.into_text()
}

fn copy(xml: &mut crate::soap::xml::Xml, node: Node<'_>) {
    if node.elements().next().is_none() {
        xml.element(node.name(), &[], node.text());
        return;
    }
    xml.open(node.name(), &[]);
    for child in node.elements() {
        copy(xml, child);
    }
    xml.close(node.name());
}

fn nic_change(inventory: Inventory<'_>, node: Node<'_>) -> Result<NicChange, Fault> {
    let device = node.required_child("device")?;
    let kind = device.kind().unwrap_or_default();
    if !is_network_card(kind) {
        let message =
            format!("Invalid operation for device: only network cards and CD-ROM drives can be changed, not {kind}.");
        return Err(Fault::new("InvalidDeviceSpec", message).with("deviceIndex", 0));
    }
    let segment = segment(inventory, device)?;
    let mac = match device.text_of("macAddress").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(text.parse::<Mac>().map_err(|why| Fault::invalid_argument("device.macAddress", &why))?),
    };
    let connectable = device.child("connectable");
    let connected = connectable.map(|connectable| connectable.flag_of("connected")).transpose()?;
    let key = || -> Result<u32, Fault> {
        device.number_of("key")?.ok_or_else(|| Fault::invalid_request("required parameter key is missing"))
    };
    match node.text_of("operation") {
        Some("add") => {
            let segment =
                segment.ok_or_else(|| Fault::invalid_argument("device.backing", "a new card needs a network"))?;
            Ok(NicChange::Add { segment, mac, connected: connected.unwrap_or(true) })
        }
        Some("edit") | None => Ok(NicChange::Edit { key: key()?, segment, mac, connected }),
        Some("remove") => Ok(NicChange::Remove { key: key()? }),
        Some(other) => Err(Fault::invalid_argument("operation", &format!("`{other}` is no device operation"))),
    }
}

/// Whether a device type is one of the network cards.
pub(crate) fn is_network_card(kind: &str) -> bool {
    matches!(
        kind,
        "VirtualVmxnet3"
            | "VirtualVmxnet2"
            | "VirtualVmxnet"
            | "VirtualE1000"
            | "VirtualE1000e"
            | "VirtualPCNet32"
            | "VirtualEthernetCard"
    )
}

/// The network a card's backing names: by reference, else by name.
pub(crate) fn segment(inventory: Inventory<'_>, device: Node<'_>) -> Result<Option<String>, Fault> {
    let Some(backing) = device.child("backing") else { return Ok(None) };
    if let Some(network) = backing.moref_of("network") {
        let name = inventory.network_name(&network.id).ok_or_else(|| Fault::not_found(&network))?;
        return Ok(Some(name.to_owned()));
    }
    let Some(name) = backing.text_of("deviceName") else { return Ok(None) };
    if inventory.network_named(name).is_none() {
        return Err(Fault::invalid_argument("device.backing.deviceName", &format!("there is no network `{name}`")));
    }
    Ok(Some(name.to_owned()))
}

/// Refuses a name that another machine of this vCenter has.
pub(crate) fn check_name_free(inventory: Inventory<'_>, entity: &MoRef, name: &str) -> Result<(), Fault> {
    match inventory.machine_named(name) {
        Some(other) if other != *entity => Err(Fault::duplicate_name(name, other)),
        _ => Ok(()),
    }
}

/// What the fleet is to change, after a look at the machine as it is now.
pub(super) fn reconfiguration(
    inventory: Inventory<'_>,
    machine: &Machine,
    entity: &MoRef,
    change: &ConfigChange,
) -> Result<Reconfiguration, Fault> {
    let old = machine.spec.hardware;
    let new =
        Hardware { cpus: change.cpus.unwrap_or(old.cpus), memory_mib: change.memory_mib.unwrap_or(old.memory_mib) };
    // Assumed: hot-plug is off, as it is for a machine that nobody configured for it.
    if machine.power == Power::On && new.cpus != old.cpus {
        let message = "CPU hot plug is not supported for this virtual machine.";
        return Err(Fault::new("CpuHotPlugNotSupported", message));
    }
    if machine.power == Power::On && new.memory_mib != old.memory_mib {
        let message = "Memory hot plug is not supported for this virtual machine.";
        return Err(Fault::new("MemoryHotPlugNotSupported", message));
    }
    if let Some(name) = &change.name {
        check_name_free(inventory, entity, name)?;
    }
    let mut record = Record::of(machine).ok_or_else(|| Fault::not_found(entity))?;
    if let Some(annotation) = &change.annotation {
        record.annotation.clone_from(annotation);
    }
    cdrom::apply(&mut record.cdroms, &change.cdroms)?;
    if let Some(vapp) = &change.vapp {
        let tree = Tree::parse(vapp).map_err(|error| Fault::system(&error.to_string()))?;
        let own = record.v_app_config.get_or_insert_with(VApp::default);
        own.apply(tree.root())?;
    }
    let (nics, remove_nics) = changed_nics(inventory, machine, &change.nics)?;
    Ok(Reconfiguration {
        name: change.name.clone(),
        hardware: (new != old).then_some(new),
        config: change.extra_config.clone(),
        record: record.entry(),
        nics,
        remove_nics,
    })
}

fn changed_nics(
    inventory: Inventory<'_>,
    machine: &Machine,
    changes: &[NicChange],
) -> Result<(Vec<Nic>, Vec<u32>), Fault> {
    let (mut nics, mut removed): (Vec<Nic>, Vec<u32>) = (Vec::new(), Vec::new());
    let missing = |index: usize, key: u32| {
        let message = format!("The device with key {key} was not found.");
        Fault::new("DeviceNotFound", message).with("deviceIndex", i32::try_from(index).unwrap_or(i32::MAX))
    };
    for (index, change) in changes.iter().enumerate() {
        match change {
            NicChange::Add { segment, mac, connected } => {
                let taken = machine.spec.nics.iter().chain(&nics).map(|nic| nic.key).max();
                let key = taken.map_or(FIRST_NIC_KEY, |key| key + 1);
                let given: Vec<Mac> = nics.iter().map(|nic| nic.mac).collect();
                let mac = mac.unwrap_or_else(|| free_mac(inventory, &given));
                nics.push(Nic { key, segment: segment.clone(), mac, connected: *connected });
            }
            NicChange::Edit { key, segment, mac, connected } => {
                let old = machine.spec.nics.iter().find(|nic| nic.key == *key).ok_or_else(|| missing(index, *key))?;
                nics.push(Nic {
                    key: *key,
                    segment: segment.clone().unwrap_or_else(|| old.segment.clone()),
                    mac: mac.unwrap_or(old.mac),
                    connected: connected.unwrap_or(old.connected),
                });
            }
            NicChange::Remove { key } => {
                if !machine.spec.nics.iter().any(|nic| nic.key == *key) {
                    return Err(missing(index, *key));
                }
                removed.push(*key);
            }
        }
    }
    Ok((nics, removed))
}

/// The first hardware address that no machine of the fleet has and that is not in `given`.
pub(crate) fn free_mac(inventory: Inventory<'_>, given: &[Mac]) -> Mac {
    let taken = |mac: &Mac| {
        given.contains(mac)
            || inventory.fleet.machines.values().any(|machine| machine.spec.nics.iter().any(|nic| nic.mac == *mac))
    };
    (1..).map(Mac::vmware).find(|mac| !taken(mac)).expect("there are more addresses than cards")
}
