//! What an OVF descriptor says.

use roxmltree::{Document, Node};
use thiserror::Error;

/// A text is no OVF descriptor we can deploy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DescriptorError {
    /// It is not well-formed XML.
    #[error("the OVF descriptor is no XML: {0}")]
    NoXml(String),
    /// It has no virtual system.
    #[error("the OVF descriptor has no virtual system")]
    NoSystem,
}

/// A property the descriptor declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OvfProperty {
    /// Its qualified name: `network.management_ip`.
    pub id: String,
    /// Its default.
    pub default: String,
}

/// What an OVF descriptor says, as far as a deployment needs it before it asks vCenter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OvfDescriptor {
    /// The properties it declares.
    pub properties: Vec<OvfProperty>,
    /// The networks its cards are on, in order of the cards, for each deployment option a card belongs to.
    cards: Vec<(Option<String>, String)>,
    /// The deployment options.
    pub options: Vec<String>,
    /// Virtual processors.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The disks' capacity in bytes.
    pub disk_bytes: u64,
}

impl OvfDescriptor {
    /// Reads a descriptor.
    ///
    /// # Errors
    /// It is no XML or has no virtual system.
    pub fn read(text: &str) -> Result<OvfDescriptor, DescriptorError> {
        let document = Document::parse(text).map_err(|error| DescriptorError::NoXml(error.to_string()))?;
        let all = |name: &'static str| {
            document.descendants().filter(move |node| node.is_element() && node.tag_name().name() == name)
        };
        if all("VirtualSystem").next().is_none() {
            return Err(DescriptorError::NoSystem);
        }
        let mut descriptor = OvfDescriptor {
            properties: Vec::new(),
            cards: Vec::new(),
            options: all("Configuration").filter_map(|node| attribute(node, "id")).collect(),
            cpus: 0,
            memory_mib: 0,
            disk_bytes: all("Disk").map(disk_bytes).sum(),
        };
        for section in all("ProductSection") {
            let (class, instance) = (attribute(section, "class"), attribute(section, "instance"));
            for node in section.children().filter(|node| node.tag_name().name() == "Property") {
                let parts = [class.clone(), attribute(node, "key"), instance.clone()];
                let id = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
                let default = attribute(node, "value").unwrap_or_default();
                descriptor.properties.push(OvfProperty { id, default });
            }
        }
        for item in all("Item") {
            let quantity = child(item, "VirtualQuantity").and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
            match child(item, "ResourceType").as_deref() {
                // CIM resource types: 3 processor, 4 memory, 10 Ethernet card.
                Some("3") => descriptor.cpus = u32::try_from(quantity).unwrap_or(u32::MAX),
                Some("4") => {
                    let unit = unit(&child(item, "AllocationUnits").unwrap_or_default());
                    descriptor.memory_mib = quantity.saturating_mul(unit) >> 20;
                }
                Some("10") => {
                    let network = child(item, "Connection").unwrap_or_default();
                    descriptor.cards.push((attribute(item, "configuration"), network));
                }
                _ => {}
            }
        }
        Ok(descriptor)
    }

    /// The networks of the cards a machine gets with this deployment option, in order.
    pub fn networks(&self, option: Option<&str>) -> Vec<&str> {
        let belongs = |of: &Option<String>| match (of, option) {
            // One item may belong to several options, in one attribute.
            (Some(of), Some(option)) => of.split_whitespace().any(|name| name == option),
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.cards.iter().filter(|(of, _)| belongs(of)).map(|(_, network)| network.as_str()).collect()
    }

    /// The default of a property; none where no property of this name is declared.
    pub fn default_of(&self, id: &str) -> Option<&str> {
        self.properties.iter().find(|property| property.id == id).map(|property| property.default.as_str())
    }
}

fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value().to_owned())
}

fn child(node: Node<'_, '_>, name: &str) -> Option<String> {
    let child = node.children().find(|child| child.tag_name().name() == name)?;
    child.text().map(|text| text.trim().to_owned())
}

fn disk_bytes(disk: Node<'_, '_>) -> u64 {
    let capacity = attribute(disk, "capacity").and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    // Without a unit the capacity is in bytes (DSP0243).
    let unit = attribute(disk, "capacityAllocationUnits").map_or(1, |text| unit(&text));
    capacity.saturating_mul(unit)
}

/// How many bytes an allocation unit is: `byte * 2^20`, or the older `MegaBytes`.
fn unit(text: &str) -> u64 {
    let plain: String = text.chars().filter(|char| !char.is_whitespace()).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "kilobytes" => 1 << 10,
        "megabytes" | "mb" => 1 << 20,
        "gigabytes" | "gb" => 1 << 30,
        other => {
            let exponent = other.strip_prefix("byte*2^").and_then(|digits| digits.parse::<u32>().ok());
            exponent.and_then(|exponent| 1_u64.checked_shl(exponent)).unwrap_or(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVF: &str = r#"<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <DiskSection><Disk ovf:capacity="20" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="d" ovf:fileRef="f"/></DiskSection>
  <DeploymentOptionSection><Configuration ovf:id="default"/><Configuration ovf:id="frontend"/></DeploymentOptionSection>
  <VirtualSystem ovf:id="haproxy">
    <ProductSection ovf:class="network"><Property ovf:key="hostname" ovf:type="string" ovf:value="haproxy.local"/></ProductSection>
    <VirtualHardwareSection>
      <Item><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
      <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>4096</rasd:VirtualQuantity></Item>
      <Item><rasd:Connection>Management</rasd:Connection><rasd:ResourceType>10</rasd:ResourceType></Item>
      <Item><rasd:Connection>Workload</rasd:Connection><rasd:ResourceType>10</rasd:ResourceType></Item>
      <Item ovf:configuration="frontend"><rasd:Connection>Frontend</rasd:Connection><rasd:ResourceType>10</rasd:ResourceType></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>"#;

    #[test]
    fn hardware_properties_and_networks_are_read() {
        let ovf = OvfDescriptor::read(OVF).unwrap();
        assert_eq!((ovf.cpus, ovf.memory_mib, ovf.disk_bytes), (2, 4096, 20 << 30));
        assert_eq!(ovf.options, ["default", "frontend"]);
        assert_eq!(ovf.networks(Some("default")), ["Management", "Workload"]);
        assert_eq!(ovf.networks(Some("frontend")), ["Management", "Workload", "Frontend"]);
        assert_eq!(ovf.default_of("network.hostname"), Some("haproxy.local"));
        assert_eq!(ovf.default_of("hostname"), None);
    }

    #[test]
    fn what_is_no_descriptor_says_why() {
        assert!(matches!(OvfDescriptor::read("MZ"), Err(DescriptorError::NoXml(_))));
        assert_eq!(OvfDescriptor::read("<Envelope/>"), Err(DescriptorError::NoSystem));
    }

    #[test]
    fn units_are_powers_of_two() {
        for (text, bytes) in [("byte * 2^20", 1 << 20), ("MegaBytes", 1 << 20), ("byte*2^30", 1 << 30), ("byte", 1)] {
            assert_eq!(unit(text), bytes, "{text}");
        }
    }
}
