//! From a descriptor and the caller's choices to an import specification.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::inventory::{DATASTORE_NAME, Inventory};
use crate::moref::MoRef;
use crate::ovf::descriptor::{Descriptor, Item, invalid_value, unit};
use crate::soap::decode::Node;
use crate::value::{Data, Value, int, long};
use crate::virtual_machine::hardware::{FIRST_NIC_UNIT, PCI_KEY, controller_type};
use crate::virtual_machine::vapp::{Property, VApp};

const PROCESSOR: u32 = 3;
const MEMORY: u32 = 4;
const SCSI_CONTROLLER: u32 = 6;
const NETWORK_CARD: u32 = 10;
const DISK: u32 = 17;

/// What the caller chose (`OvfCreateImportSpecParams`).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Choices {
    name: String,
    option: String,
    networks: BTreeMap<String, MoRef>,
    properties: BTreeMap<String, String>,
}

impl Choices {
    /// Reads them.
    pub(crate) fn parse(node: Node<'_>) -> Result<Choices, Fault> {
        let mut choices = Choices {
            name: node.owned_of("entityName").unwrap_or_default(),
            option: node.owned_of("deploymentOption").unwrap_or_default(),
            ..Choices::default()
        };
        for mapping in node.children("networkMapping") {
            choices.networks.insert(mapping.required_owned("name")?, mapping.required_moref("network")?);
        }
        for mapping in node.children("propertyMapping") {
            choices.properties.insert(mapping.required_owned("key")?, mapping.required_owned("value")?);
        }
        Ok(choices)
    }
}

/// `OvfCreateImportSpecResult`: a specification, or everything that stands against one.
pub(crate) fn result(inventory: Inventory<'_>, descriptor: &Descriptor, choices: &Choices) -> Data {
    let mut errors = Vec::new();
    let option = chosen_option(descriptor, choices, &mut errors);
    let items = descriptor.hardware(option.as_deref());
    let vapp = vapp(descriptor, option.as_deref(), choices, &mut errors);
    let networks = networks(inventory, descriptor, &items, choices, &mut errors);
    let mut devices = Devices { spec: Vec::new(), files: Vec::new(), name: &choices.name };
    devices.disks(descriptor, &items, &mut errors);
    devices.cards(&items, &networks);
    let (cpus, memory_mib) = (quantity(&items, PROCESSOR, 1, 1), quantity(&items, MEMORY, 1 << 20, 1024));
    if !errors.is_empty() {
        let errors = errors.iter().map(Fault::localized);
        return Data::new("OvfCreateImportSpecResult").with("error", Value::list("LocalizedMethodFault", errors));
    }
    let config = Data::new("VirtualMachineConfigSpec")
        .with("name", choices.name.as_str())
        .with("version", descriptor.hardware_version.as_deref().unwrap_or("vmx-13"))
        .with("guestId", descriptor.guest_id.as_deref().unwrap_or("otherLinux64Guest"))
        .maybe("annotation", descriptor.annotation.as_deref())
        .with("files", Data::new("VirtualMachineFileInfo").with("vmPathName", format!("[{DATASTORE_NAME}]")))
        .with("numCPUs", int(cpus))
        .with("memoryMB", long(memory_mib))
        .with("deviceChange", Value::list("VirtualDeviceConfigSpec", devices.spec))
        .with("vAppConfig", vapp.spec());
    Data::new("OvfCreateImportSpecResult")
        .with("importSpec", Data::derived("VirtualMachineImportSpec").with("configSpec", config))
        .with("fileItem", Value::list("OvfFileItem", devices.files))
}

fn chosen_option(descriptor: &Descriptor, choices: &Choices, errors: &mut Vec<Fault>) -> Option<String> {
    if choices.option.is_empty() {
        return descriptor.options.first().cloned();
    }
    if !descriptor.options.contains(&choices.option) {
        errors.push(invalid_value("DeploymentOption", "id", &choices.option));
    }
    Some(choices.option.clone())
}

fn vapp(descriptor: &Descriptor, option: Option<&str>, choices: &Choices, errors: &mut Vec<Fault>) -> VApp {
    let mut properties = descriptor.properties_for(option);
    for (key, value) in &choices.properties {
        match properties.iter_mut().find(|property| property.full_key() == *key) {
            None => errors.push(unknown("PropertyMapping", key)),
            Some(property) if !property.user_configurable => errors.push(unknown("PropertyMapping", key)),
            Some(property) => match check_value(property, value) {
                Ok(()) => property.value.clone_from(value),
                Err(fault) => errors.push(fault),
            },
        }
    }
    VApp {
        product: descriptor.products.clone(),
        property: properties,
        eula: descriptor.eula.clone(),
        ovf_environment_transport: descriptor.transport.clone(),
    }
}

/// A mapping whose key the descriptor does not have.
fn unknown(element: &str, key: &str) -> Fault {
    let message = format!("The OVF descriptor has no '{key}' that {element} could be about.");
    Fault::new("OvfInvalidValueReference", message)
        .with("lineNumber", 0)
        .with("elementName", element)
        .with("attributeName", "key")
        .with("value", key)
}

/// Whether a property of a simple type can have this value.
fn check_value(property: &Property, value: &str) -> Result<(), Fault> {
    let base = property.kind.split('(').next().unwrap_or_default();
    let fits = match base {
        "boolean" => matches!(value.to_ascii_lowercase().as_str(), "true" | "false"),
        "uint8" => value.parse::<u8>().is_ok(),
        "uint16" => value.parse::<u16>().is_ok(),
        "uint32" => value.parse::<u32>().is_ok(),
        "uint64" => value.parse::<u64>().is_ok(),
        "int" | "sint32" => value.parse::<i32>().is_ok(),
        "sint64" => value.parse::<i64>().is_ok(),
        "ip" => value.parse::<std::net::IpAddr>().is_ok(),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let key = property.full_key();
    let shown = if base == "password" { "***" } else { value };
    Err(Fault::new("OvfPropertyValue", format!("'{shown}' is no {base}, which the property {key} needs."))
        .with("lineNumber", 0)
        .with("type", property.kind.as_str())
        .with("value", shown))
}

/// The network for each name that a card uses: as mapped, else the one of the same name.
fn networks(
    inventory: Inventory<'_>,
    descriptor: &Descriptor,
    items: &[&Item],
    choices: &Choices,
    errors: &mut Vec<Fault>,
) -> BTreeMap<String, (String, MoRef)> {
    let mut found = BTreeMap::new();
    for (name, network) in &choices.networks {
        if !descriptor.networks.contains(name) {
            errors.push(unknown("NetworkMapping", name));
        }
        match inventory.network_name(&network.id) {
            Some(own) => drop(found.insert(name.clone(), (own.to_owned(), network.clone()))),
            None => errors.push(Fault::not_found(network)),
        }
    }
    for item in items.iter().filter(|item| item.resource_type == NETWORK_CARD) {
        if found.contains_key(&item.connection) {
            continue;
        }
        match inventory.network_named(&item.connection) {
            Some(network) => drop(found.insert(item.connection.clone(), (item.connection.clone(), network))),
            None => {
                let message = format!("The network '{}' is mapped to none of the host's.", item.connection);
                let fault = Fault::new("OvfNetworkMappingNotSupported", message);
                if !errors.contains(&fault) {
                    errors.push(fault);
                }
            }
        }
    }
    found
}

fn quantity(items: &[&Item], resource_type: u32, per: u64, default: u64) -> u64 {
    let item = items.iter().find(|item| item.resource_type == resource_type);
    item.map_or(default, |item| {
        // Processors have a frequency as unit, which says nothing about how many there are.
        let factor = if resource_type == PROCESSOR { 1 } else { unit(&item.units).unwrap_or(1) };
        item.quantity.saturating_mul(factor) / per
    })
}

struct Devices<'a> {
    spec: Vec<Data>,
    files: Vec<Data>,
    name: &'a str,
}

impl Devices<'_> {
    fn add(&mut self, file_operation: bool, device: Data) {
        let mut change = Data::new("VirtualDeviceConfigSpec")
            .with("operation", Value::Enum("VirtualDeviceConfigSpecOperation", "add"));
        if file_operation {
            change = change.with("fileOperation", Value::Enum("VirtualDeviceConfigSpecFileOperation", "create"));
        }
        self.spec.push(change.with("device", device));
    }

    /// Controllers and disks. Temporary keys are negative, as in every specification for devices that do not exist yet.
    fn disks(&mut self, descriptor: &Descriptor, items: &[&Item], errors: &mut Vec<Fault>) {
        let controllers: Vec<&&Item> = items.iter().filter(|item| item.resource_type == SCSI_CONTROLLER).collect();
        for (bus, controller) in controllers.iter().enumerate() {
            let device = Data::derived(controller_type(&controller.sub_type))
                .with("key", controller_key(bus))
                .with("busNumber", int(bus))
                .with("sharedBus", Value::Enum("VirtualSCSISharing", "noSharing"));
            self.add(false, device);
        }
        for (index, item) in items.iter().filter(|item| item.resource_type == DISK).enumerate() {
            let id = item.host_resource.rsplit('/').next().unwrap_or_default();
            let Some(disk) = descriptor.disks.get(id) else {
                errors.push(invalid_value("HostResource", "", &item.host_resource));
                continue;
            };
            let bus = controllers.iter().position(|controller| controller.instance == item.parent).unwrap_or(0);
            let kind = controller_type(controllers.get(bus).map_or("", |controller| &controller.sub_type));
            let backing =
                Data::derived("VirtualDiskFlatVer2BackingInfo").with("fileName", "").with("diskMode", "persistent");
            let device = Data::derived("VirtualDisk")
                .with("key", int(-2000 - i64::try_from(index).unwrap_or(0)))
                .with("backing", backing)
                .with("controllerKey", controller_key(bus))
                .with("unitNumber", int(item.address_on_parent))
                .with("capacityInKB", long(disk.capacity >> 10));
            self.add(true, device);
            if let Some(file) = disk.file.as_ref().and_then(|file| descriptor.files.get(file)) {
                let item = Data::new("OvfFileItem")
                    .with("deviceId", import_key(self.name, kind, bus, item.address_on_parent))
                    .with("path", file.href.as_str())
                    .maybe("size", file.size)
                    .with("cimType", int(DISK))
                    .with("create", false);
                self.files.push(item);
            }
        }
    }

    fn cards(&mut self, items: &[&Item], networks: &BTreeMap<String, (String, MoRef)>) {
        for (index, item) in items.iter().filter(|item| item.resource_type == NETWORK_CARD).enumerate() {
            let Some((name, network)) = networks.get(&item.connection) else { continue };
            let backing = Data::derived("VirtualEthernetCardNetworkBackingInfo")
                .with("deviceName", name.as_str())
                .with("network", network.clone());
            let connectable = Data::new("VirtualDeviceConnectInfo")
                .with("startConnected", true)
                .with("allowGuestControl", true)
                .with("connected", true);
            let index = u32::try_from(index).unwrap_or(0);
            let device = Data::derived("VirtualVmxnet3")
                .with("key", int(-4000 - i64::from(index)))
                .with("backing", backing)
                .with("connectable", connectable)
                .with("controllerKey", PCI_KEY)
                .with("unitNumber", int(FIRST_NIC_UNIT + index))
                .with("addressType", "assigned");
            self.add(false, device);
        }
    }
}

fn controller_key(bus: usize) -> Value {
    int(-1000 - i64::try_from(bus).unwrap_or(0))
}

/// What a disk is called in import specifications and leases: how a client finds the address to send a file to.
pub(crate) fn import_key(name: &str, controller: &str, bus: usize, unit: u32) -> String {
    format!("/{name}/{controller}{bus}:{unit}")
}
