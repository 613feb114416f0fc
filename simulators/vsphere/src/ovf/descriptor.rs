//! OVF descriptors (DSP0243), as far as an import of one machine needs them.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::soap::decode::{Node, Tree};
use crate::virtual_machine::vapp::{Product, Property};

/// What a descriptor says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Descriptor {
    /// Files by id.
    pub(crate) files: BTreeMap<String, File>,
    /// Disks by id.
    pub(crate) disks: BTreeMap<String, DiskEntry>,
    /// Names of networks.
    pub(crate) networks: Vec<String>,
    /// Deployment options; the first is the one that is meant when none is named.
    pub(crate) options: Vec<String>,
    /// The guest operating system: `vmwarePhoton64Guest`.
    pub(crate) guest_id: Option<String>,
    /// The virtual hardware: `vmx-13`.
    pub(crate) hardware_version: Option<String>,
    /// How the environment reaches the guest.
    pub(crate) transport: Vec<String>,
    /// Virtual hardware, for all deployment options.
    pub(crate) items: Vec<Item>,
    /// Products.
    pub(crate) products: Vec<Product>,
    /// Properties, numbered in order.
    pub(crate) properties: Vec<Property>,
    /// Values of properties for one deployment option: property key, option, value.
    pub(crate) option_values: Vec<(i32, String, String)>,
    /// Properties that exist in some deployment options only: property key and options.
    pub(crate) conditional: BTreeMap<i32, Vec<String>>,
    /// Licence texts.
    pub(crate) eula: Vec<String>,
    /// Notes.
    pub(crate) annotation: Option<String>,
}

/// A file that comes with the descriptor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    /// Its name.
    pub(crate) href: String,
    /// Its size in bytes, where the descriptor tells.
    pub(crate) size: Option<i64>,
}

/// A virtual disk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DiskEntry {
    /// Its size in bytes.
    pub(crate) capacity: u64,
    /// The file with its content; none for an empty disk.
    pub(crate) file: Option<String>,
}

/// An item of virtual hardware.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Item {
    pub(crate) instance: String,
    /// The CIM resource type: 3 processor, 4 memory, 6 SCSI controller, 10 network card, 17 disk.
    pub(crate) resource_type: u32,
    pub(crate) sub_type: String,
    pub(crate) quantity: u64,
    pub(crate) units: String,
    pub(crate) connection: String,
    pub(crate) host_resource: String,
    pub(crate) parent: String,
    pub(crate) address_on_parent: u32,
    /// The deployment options it is for; empty for all.
    pub(crate) options: Vec<String>,
}

impl Descriptor {
    /// Reads a descriptor.
    pub(crate) fn parse(text: &str) -> Result<Descriptor, Fault> {
        let tree = Tree::parse(text).map_err(|error| {
            let message = format!("The OVF descriptor is not well-formed: {error}.");
            let line = i32::try_from(error.line).unwrap_or(0);
            Fault::new("OvfXmlFormat", message).with("lineNumber", line).with("description", error.to_string())
        })?;
        let envelope = tree.root();
        let mut descriptor = Descriptor::default();
        for file in envelope.child("References").into_iter().flat_map(|node| node.children("File")) {
            let entry = File {
                href: attribute(file, "href")?.to_owned(),
                size: file.attribute("size").and_then(|size| size.parse().ok()),
            };
            descriptor.files.insert(attribute(file, "id")?.to_owned(), entry);
        }
        for disk in envelope.child("DiskSection").into_iter().flat_map(|node| node.children("Disk")) {
            let units = disk.attribute("capacityAllocationUnits").unwrap_or("byte");
            let text = attribute(disk, "capacity")?;
            let number: u64 = text.parse().map_err(|_| invalid_value("Disk", "capacity", text))?;
            let factor = unit(units).ok_or_else(|| invalid_value("Disk", "capacityAllocationUnits", units))?;
            let capacity = number.saturating_mul(factor);
            let file = disk.attribute("fileRef").filter(|file| !file.is_empty()).map(str::to_owned);
            if let Some(file) = file.as_ref().filter(|file| !descriptor.files.contains_key(*file)) {
                return Err(invalid_value("Disk", "fileRef", file));
            }
            descriptor.disks.insert(attribute(disk, "diskId")?.to_owned(), DiskEntry { capacity, file });
        }
        for network in envelope.child("NetworkSection").into_iter().flat_map(|node| node.children("Network")) {
            descriptor.networks.push(attribute(network, "name")?.to_owned());
        }
        let options = envelope.child("DeploymentOptionSection");
        for option in options.into_iter().flat_map(|node| node.children("Configuration")) {
            let id = attribute(option, "id")?.to_owned();
            let place = if option.attribute("default") == Some("true") { 0 } else { descriptor.options.len() };
            descriptor.options.insert(place, id);
        }
        let system = envelope.child("VirtualSystem").ok_or_else(|| missing_element("VirtualSystem"))?;
        descriptor.system(system)?;
        Ok(descriptor)
    }

    fn system(&mut self, system: Node<'_>) -> Result<(), Fault> {
        if let Some(os) = system.child("OperatingSystemSection") {
            self.guest_id = os.attribute("osType").map(str::to_owned);
        }
        self.annotation = system.child("AnnotationSection").and_then(|node| node.owned_of("Annotation"));
        self.eula = system.children("EulaSection").filter_map(|node| node.owned_of("License")).collect();
        let hardware =
            system.child("VirtualHardwareSection").ok_or_else(|| missing_element("VirtualHardwareSection"))?;
        let transport = hardware.attribute("transport").unwrap_or_default();
        self.transport = transport.split_whitespace().map(str::to_owned).collect();
        self.hardware_version = hardware.child("System").and_then(|node| node.owned_of("VirtualSystemType"));
        for node in hardware.children("Item") {
            self.items.push(item(node)?);
        }
        for section in system.children("ProductSection") {
            self.product(section)?;
        }
        Ok(())
    }

    fn product(&mut self, section: Node<'_>) -> Result<(), Fault> {
        let text = |name| section.owned_of(name).unwrap_or_default();
        let (class, instance) = (section.attribute("class"), section.attribute("instance"));
        self.products.push(Product {
            key: i32::try_from(self.products.len()).unwrap_or(i32::MAX),
            class_id: class.unwrap_or_default().to_owned(),
            instance_id: instance.unwrap_or_default().to_owned(),
            name: text("Product"),
            vendor: text("Vendor"),
            version: text("Version"),
            full_version: text("FullVersion"),
        });
        let mut category = String::new();
        for node in section.elements() {
            match node.name() {
                "Category" => category = node.text().to_owned(),
                "Property" => {
                    let key = i32::try_from(self.properties.len()).unwrap_or(i32::MAX);
                    let mut default = node.attribute("value").unwrap_or_default().to_owned();
                    for value in node.children("Value") {
                        let text = attribute(value, "value")?.to_owned();
                        match value.attribute("configuration") {
                            Some(option) => self.option_values.push((key, option.to_owned(), text)),
                            None => default = text,
                        }
                    }
                    let kind = attribute(node, "type")?;
                    let password = node.attribute("password") == Some("true");
                    if let Some(options) = node.attribute("configuration") {
                        self.conditional.insert(key, options.split_whitespace().map(str::to_owned).collect());
                    }
                    self.properties.push(Property {
                        key,
                        class_id: class.unwrap_or_default().to_owned(),
                        instance_id: instance.unwrap_or_default().to_owned(),
                        id: attribute(node, "key")?.to_owned(),
                        category: category.clone(),
                        label: node.owned_of("Label").unwrap_or_default(),
                        kind: if password { "password".to_owned() } else { kind.to_owned() },
                        user_configurable: node.attribute("userConfigurable") == Some("true"),
                        default_value: default,
                        value: String::new(),
                        description: node.owned_of("Description").unwrap_or_default(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The properties for a deployment option, with the values that it sets.
    pub(crate) fn properties_for(&self, option: Option<&str>) -> Vec<Property> {
        let is_chosen = |own: &String| Some(own.as_str()) == option;
        let exists = |property: &&Property| {
            self.conditional.get(&property.key).is_none_or(|options| options.iter().any(is_chosen))
        };
        let mut properties: Vec<Property> = self.properties.iter().filter(exists).cloned().collect();
        for (key, own, value) in &self.option_values {
            if is_chosen(own)
                && let Some(property) = properties.iter_mut().find(|property| property.key == *key)
            {
                property.default_value.clone_from(value);
            }
        }
        properties
    }

    /// The hardware for a deployment option. A later item of the same instance replaces an earlier one.
    pub(crate) fn hardware(&self, option: Option<&str>) -> Vec<&Item> {
        let mut chosen: Vec<&Item> = Vec::new();
        let applies =
            |item: &&Item| item.options.is_empty() || item.options.iter().any(|own| Some(own.as_str()) == option);
        for item in self.items.iter().filter(applies) {
            match chosen.iter_mut().find(|other| other.instance == item.instance) {
                Some(earlier) => *earlier = item,
                None => chosen.push(item),
            }
        }
        chosen
    }
}

fn item(node: Node<'_>) -> Result<Item, Fault> {
    let text = |name| node.owned_of(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let number = |name: &'static str| -> Result<u64, Fault> {
        let text = text(name);
        if text.is_empty() { Ok(0) } else { text.parse().map_err(|_| invalid_value(name, "", &text)) }
    };
    let resource_type = node.owned_of("ResourceType").ok_or_else(|| missing_element("ResourceType"))?;
    Ok(Item {
        instance: text("InstanceID"),
        resource_type: resource_type.trim().parse().map_err(|_| invalid_value("ResourceType", "", &resource_type))?,
        sub_type: text("ResourceSubType"),
        quantity: number("VirtualQuantity")?,
        units: text("AllocationUnits"),
        connection: text("Connection"),
        host_resource: text("HostResource"),
        parent: text("Parent"),
        address_on_parent: u32::try_from(number("AddressOnParent")?).unwrap_or(0),
        options: node.attribute("configuration").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
    })
}

/// The bytes in a unit: `byte * 2^20`, `MegaBytes`.
pub(crate) fn unit(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some((_, exponent)) = text.split_once("2^") {
        return 1_u64.checked_shl(exponent.trim().parse().ok()?);
    }
    match text.to_ascii_lowercase().as_str() {
        "" | "byte" | "bytes" => Some(1),
        "kilobyte" | "kilobytes" | "kb" => Some(1 << 10),
        "megabyte" | "megabytes" | "mb" => Some(1 << 20),
        "gigabyte" | "gigabytes" | "gb" => Some(1 << 30),
        _ => None,
    }
}

fn attribute<'a>(node: Node<'a>, name: &str) -> Result<&'a str, Fault> {
    node.attribute(name).ok_or_else(|| {
        let message = format!("The OVF element {} has no attribute {name}.", node.name());
        Fault::new("OvfMissingAttribute", message)
            .with("lineNumber", 0)
            .with("elementName", node.name())
            .with("attributeName", name)
    })
}

fn missing_element(name: &str) -> Fault {
    Fault::new("OvfMissingElement", format!("The OVF descriptor has no {name}."))
        .with("lineNumber", 0)
        .with("name", name)
}

/// A value that an attribute or element cannot have.
pub(crate) fn invalid_value(element: &str, attribute: &str, value: &str) -> Fault {
    let message = format!("'{value}' is an invalid value for {element} {attribute}.");
    Fault::new("OvfInvalidValue", message)
        .with("lineNumber", 0)
        .with("elementName", element)
        .with("attributeName", attribute)
        .with("value", value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::APPLIANCE_OVF;

    #[test]
    fn an_appliance_s_descriptor_reads() {
        let descriptor = Descriptor::parse(APPLIANCE_OVF).unwrap();
        assert_eq!(descriptor.networks, ["Management", "Workload", "Frontend"]);
        assert_eq!(descriptor.options, ["default", "frontend"]);
        assert_eq!(descriptor.transport, ["com.vmware.guestInfo"]);
        assert_eq!(descriptor.disks["vmdisk1"].capacity, 20 << 30);
        let cards = |option| descriptor.hardware(Some(option)).iter().filter(|item| item.resource_type == 10).count();
        assert_eq!((cards("default"), cards("frontend")), (2, 3));
        let value = |option, id: &str| {
            let properties = descriptor.properties_for(Some(option));
            properties.into_iter().find(|property| property.id == id).map(|property| property.default_value)
        };
        assert_eq!((value("default", "frontend_ip"), value("frontend", "frontend_ip")), (None, Some(String::new())));
        assert_eq!(value("default", "hostname").as_deref(), Some("haproxy.local"));
        assert_eq!(value("frontend", "hostname").as_deref(), Some("frontend.local"));
        let keys: Vec<String> = descriptor.properties.iter().map(Property::full_key).collect();
        assert!(keys.contains(&"network.management_ip".to_owned()), "{keys:?}");
        let password = descriptor.properties.iter().find(|property| property.id == "root_pwd").unwrap();
        assert_eq!((password.kind.as_str(), password.user_configurable), ("password", true));
    }

    #[test]
    fn what_is_no_descriptor_says_why() {
        assert_eq!(Descriptor::parse("<Envelope>").unwrap_err().kind, "OvfXmlFormat");
        assert_eq!(Descriptor::parse("<Envelope/>").unwrap_err().kind, "OvfMissingElement");
        let torn = APPLIANCE_OVF.replace("ovf:fileRef=\"file1\"", "ovf:fileRef=\"file9\"");
        assert_eq!(Descriptor::parse(&torn).unwrap_err().kind, "OvfInvalidValue");
    }

    #[test]
    fn units_multiply() {
        for (text, want) in [("byte * 2^20", Some(1 << 20)), ("GigaBytes", Some(1 << 30)), ("", Some(1)), ("ell", None)]
        {
            assert_eq!(unit(text), want, "{text}");
        }
    }
}
