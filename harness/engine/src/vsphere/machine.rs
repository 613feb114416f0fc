//! What a machine is made of.

use std::collections::BTreeMap;

use grenadier_wire::Secret;
use serde::{Deserialize, Serialize};

use crate::vsphere::client::VSphere;
use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::VSphereError;
use crate::vsphere::power::PowerState;
use crate::vsphere::properties::Properties;

/// A change of what a machine is made of. What is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconfigure {
    /// Its name.
    pub name: Option<String>,
    /// The note people read.
    pub annotation: Option<String>,
    /// Virtual processors.
    pub cpus: Option<u32>,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// Configuration keys (guestinfo and others). An empty value removes the key.
    pub extra_config: Vec<(String, String)>,
}

impl Reconfigure {
    /// The `VirtualMachineConfigSpec`, its elements in the order of the schema.
    pub(super) fn spec(&self) -> Element {
        let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| Element::text(name, value));
        let number = |name: &str, value: Option<u64>| value.map(|value| Element::text(name, value.to_string()));
        Element::new("spec")
            .with_all(text("name", &self.name))
            .with_all(text("annotation", &self.annotation))
            .with_all(number("numCPUs", self.cpus.map(u64::from)))
            .with_all(number("memoryMB", self.memory_mib))
            .with_all(self.extra_config.iter().map(|(key, value)| option(key, value)))
    }
}

/// An `extraConfig` entry.
pub(super) fn option(key: &str, value: &str) -> Element {
    Element::new("extraConfig")
        .typed("OptionValue")
        .with(Element::text("key", key))
        .with(Element::text("value", value).typed("xsd:string"))
}

/// A network card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkCard {
    /// The device's number: 4000, 4001 …
    pub key: u64,
    /// Its hardware address.
    pub mac: String,
    /// The network it is plugged into.
    pub network: ManagedObject,
    /// That network's name.
    pub network_name: String,
}

/// An OVF property of a deployed machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppProperty {
    /// Its qualified name: `network.management_ip`.
    pub id: String,
    /// Its value; some are passwords and keys, so all are treated as secrets.
    pub value: Secret,
}

/// What a machine is made of and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineFacts {
    /// The machine.
    pub object: ManagedObject,
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub power: PowerState,
    /// The host it is on.
    pub host: ManagedObject,
    /// Its resource pool.
    pub pool: ManagedObject,
    /// Its folder.
    pub folder: ManagedObject,
    /// Its first datastore.
    pub datastore: ManagedObject,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Its network cards, in order of device number.
    pub cards: Vec<NetworkCard>,
    /// Its OVF properties.
    pub properties: Vec<AppProperty>,
    /// Its configuration keys.
    pub extra_config: BTreeMap<String, Secret>,
}

impl MachineFacts {
    /// The value of an OVF property, where it is there and not empty.
    pub fn property(&self, id: &str) -> Option<&str> {
        let property = self.properties.iter().find(|property| property.id == id);
        property.map(|property| property.value.reveal()).filter(|value| !value.is_empty())
    }

    /// The value of a configuration key.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.extra_config.get(key).map(Secret::reveal)
    }
}

const PATHS: [&str; 11] = [
    "config.extraConfig",
    "config.hardware.device",
    "config.hardware.memoryMB",
    "config.hardware.numCPU",
    "config.vAppConfig.property",
    "datastore",
    "name",
    "parent",
    "resourcePool",
    "runtime.host",
    "runtime.powerState",
];

impl VSphere {
    /// The value of one of a machine's configuration keys, where it is there.
    ///
    /// # Errors
    /// There is no such machine, or vCenter does not answer.
    pub async fn option(&mut self, machine: &ManagedObject, key: &str) -> Result<Option<String>, VSphereError> {
        let path = format!("config.extraConfig[\"{key}\"]");
        let seen = self.properties(machine, &[&path]).await?;
        Ok(seen.get(&path).and_then(|option| option.text_at("value")).map(str::to_owned))
    }

    /// A machine's virtual processors and its memory in MiB.
    ///
    /// # Errors
    /// There is no such machine, it lacks what every machine has, or vCenter does not answer.
    pub async fn hardware(&mut self, machine: &ManagedObject) -> Result<(u32, u64), VSphereError> {
        hardware(&self.properties(machine, &["config.hardware.memoryMB", "config.hardware.numCPU"]).await?)
    }

    /// What a machine is made of and where it is.
    ///
    /// # Errors
    /// There is no such machine, it lacks what every machine has, or vCenter does not answer.
    pub async fn machine(&mut self, machine: &ManagedObject) -> Result<MachineFacts, VSphereError> {
        let seen = self.properties(machine, &PATHS).await?;
        let unset = |property: &str| VSphereError::Unset { object: machine.clone(), property: property.to_owned() };
        let power = seen.text("runtime.powerState").and_then(PowerState::parse);
        let (cpus, memory_mib) = hardware(&seen)?;
        let mut facts = MachineFacts {
            object: machine.clone(),
            name: seen.require("name")?.text.clone(),
            power: power.ok_or_else(|| unset("runtime.powerState"))?,
            host: seen.reference("runtime.host")?,
            pool: seen.reference("resourcePool")?,
            folder: seen.reference("parent")?,
            datastore: seen.references("datastore").into_iter().next().ok_or_else(|| unset("datastore"))?,
            cpus,
            memory_mib,
            cards: Vec::new(),
            properties: seen.get("config.vAppConfig.property").map(properties).unwrap_or_default(),
            extra_config: seen.get("config.extraConfig").map(options).unwrap_or_default(),
        };
        let devices = seen.get("config.hardware.device").map(|devices| devices.children.as_slice()).unwrap_or_default();
        let cards: Vec<_> = devices.iter().filter_map(card).collect();
        let mut networks: Vec<&ManagedObject> = cards.iter().map(|(_, _, network)| network).collect();
        networks.sort();
        networks.dedup();
        let wanted: Vec<_> = networks.iter().map(|network| (*network, ["name"].as_slice())).collect();
        let named = if wanted.is_empty() { Vec::new() } else { self.retrieve(&wanted).await? };
        for (key, mac, network) in &cards {
            let seen = named.iter().find(|seen| seen.object == *network).expect("each network was asked for");
            let network_name = seen.require("name")?.text.clone();
            facts.cards.push(NetworkCard { key: *key, mac: mac.clone(), network: network.clone(), network_name });
        }
        facts.cards.sort_by_key(|card| card.key);
        Ok(facts)
    }
}

/// Virtual processors, and memory in MiB.
fn hardware(seen: &Properties) -> Result<(u32, u64), VSphereError> {
    let unset = |path: &str| VSphereError::Unset { object: seen.object.clone(), property: path.to_owned() };
    let number =
        |path: &str| seen.text(path).and_then(|text| text.trim().parse::<u64>().ok()).ok_or_else(|| unset(path));
    let cpus = u32::try_from(number("config.hardware.numCPU")?).map_err(|_| unset("config.hardware.numCPU"))?;
    Ok((cpus, number("config.hardware.memoryMB")?))
}

/// Number, hardware address and network of a device that is a network card.
fn card(device: &Element) -> Option<(u64, String, ManagedObject)> {
    // Every kind of card has a hardware address, and nothing else has one.
    let mac = device.text_at("macAddress")?.to_owned();
    let key = device.number_at("key")?;
    let network = device.reference_at("backing/network").or_else(|| {
        // A card on a distributed switch names its port group by key, which is the port group's own reference.
        let group = device.text_at("backing/port/portgroupKey")?;
        Some(ManagedObject::new("DistributedVirtualPortgroup", group))
    })?;
    Some((key, mac, network))
}

fn properties(config: &Element) -> Vec<AppProperty> {
    let named = config.children.iter().filter_map(|property| {
        let parts = ["classId", "id", "instanceId"].map(|part| property.text_at(part).unwrap_or_default());
        let id = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        let value = property.text_at("value").filter(|value| !value.is_empty());
        let value = value.or_else(|| property.text_at("defaultValue")).unwrap_or_default();
        (!id.is_empty()).then(|| AppProperty { id, value: Secret::new(value) })
    });
    named.collect()
}

fn options(config: &Element) -> BTreeMap<String, Secret> {
    let pairs = config
        .children
        .iter()
        .filter_map(|option| Some((option.text_at("key")?.to_owned(), Secret::new(option.text_at("value")?))));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_only_what_changes_in_the_order_of_the_schema() {
        let change = Reconfigure {
            memory_mib: Some(4096),
            annotation: Some("note".into()),
            extra_config: vec![("k".into(), String::new())],
            ..Reconfigure::default()
        };
        let names: Vec<_> = change.spec().children.into_iter().map(|child| child.name).collect();
        assert_eq!(names, ["annotation", "memoryMB", "extraConfig"]);
    }

    #[test]
    fn properties_are_named_by_class_and_id() {
        let property = |class: &str, id: &str, value: &str| {
            Element::new("property")
                .with(Element::text("classId", class))
                .with(Element::text("id", id))
                .with(Element::text("defaultValue", "default"))
                .with(Element::text("value", value))
        };
        let config =
            Element::new("val").with(property("network", "hostname", "haproxy.local")).with(property("", "plain", ""));
        let read: Vec<_> = properties(&config).into_iter().map(|p| (p.id, p.value.reveal().to_owned())).collect();
        assert_eq!(
            read,
            [("network.hostname".to_owned(), "haproxy.local".to_owned()), ("plain".to_owned(), "default".to_owned())]
        );
    }

    #[test]
    fn only_network_cards_are_taken_for_network_cards() {
        let disk = Element::new("VirtualDevice").typed("VirtualDisk").with(Element::text("key", "2000"));
        assert_eq!(card(&disk), None);
        let nic = |backing| {
            Element::new("VirtualDevice")
                .typed("VirtualVmxnet3")
                .with(Element::text("key", "4000"))
                .with(backing)
                .with(Element::text("macAddress", "00:50:56:00:00:01"))
        };
        let network = ManagedObject::new("Network", "network-7");
        let standard = nic(Element::new("backing").with(Element::reference("network", &network)));
        assert_eq!(card(&standard), Some((4000, "00:50:56:00:00:01".into(), network)));
        let port = Element::new("port").with(Element::text("portgroupKey", "dvportgroup-9"));
        let distributed = card(&nic(Element::new("backing").with(port))).unwrap();
        assert_eq!(distributed.2, ManagedObject::new("DistributedVirtualPortgroup", "dvportgroup-9"));
    }
}
