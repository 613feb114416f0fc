//! The OVF descriptor and the disk of a version.

use bytes::Bytes;
use grenadier_fleet::ImageHeader;
use quick_xml::escape::escape;

use crate::Facts;

/// The first disk's product name: the guest that boots from it.
pub(crate) const PRODUCT: &str = "haproxy-appliance";

/// How many bytes follow the header of a disk. The real one has gigabytes; what counts is that all of them arrive.
const PAYLOAD_BYTES: usize = 4096;

/// A package to deploy an appliance from: an OVA, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ova {
    /// The OVF descriptor.
    pub descriptor: String,
    /// Its only disk.
    pub disk: Bytes,
}

/// One property: class, key, type and qualifiers, default, whether it is a password, the deployment option it belongs to.
struct Property {
    key: &'static str,
    kind: &'static str,
    qualifiers: &'static str,
    value: &'static str,
    password: bool,
    option: Option<&'static str>,
    label: &'static str,
}

const fn property(key: &'static str, value: &'static str, label: &'static str) -> Property {
    Property { key, kind: "string", qualifiers: "", value, password: false, option: None, label }
}

/// The properties by class (vmware-haproxy `hack/image-build-ova.py`).
fn classes(facts: &Facts) -> [(&'static str, &'static str, Vec<Property>); 3] {
    let password = |property: Property| Property { password: true, ..property };
    let frontend = |property: Property| Property { option: Some("frontend"), ..property };
    let long = |property: Property| Property { qualifiers: "MinLen(0),MaxLen(65535)", ..property };
    let mut network = vec![
        property("hostname", "haproxy.local", "Host name"),
        property("nameservers", "1.1.1.1, 1.0.0.1", "Name servers, separated by commas"),
        property("management_ip", "", "Management address in CIDR form"),
        property("management_gateway", "", "Management gateway, the default one"),
        property("workload_ip", "", "Workload address in CIDR form"),
        property("workload_gateway", "", "Workload gateway"),
    ];
    if facts.additional_workload_networks {
        network.push(property("additional_workload_networks", "", "Further workload networks in CIDR form"));
    }
    network.push(frontend(property("frontend_ip", "", "Frontend address in CIDR form")));
    network.push(frontend(property("frontend_gateway", "", "Frontend gateway")));
    [
        (
            "appliance",
            "Appliance",
            vec![
                password(property("root_pwd", "", "Password of root")),
                Property { kind: "boolean", ..property("permit_root_login", "true", "Whether root may log in") },
                long(property("ca_cert", "", "Certificate of the authority; made if empty")),
                long(property("ca_cert_key", "", "Key of that certificate; made if empty")),
            ],
        ),
        ("network", "Networks", network),
        (
            "loadbalance",
            "Load balancing",
            vec![
                property("service_ip_range", "", "Ranges of load balancer addresses in CIDR form"),
                Property {
                    kind: "int",
                    qualifiers: "MinValue(1),MaxValue(65535)",
                    ..property("dataplane_port", "5556", "Port of the Data Plane API")
                },
                property("haproxy_user", "", "User of the Data Plane API"),
                password(property("haproxy_pwd", "", "Password of that user")),
            ],
        ),
    ]
}

/// The package of a version: `container` is the image that stands for it in the docker world.
pub fn ova(version: &str, container: &str, facts: &Facts) -> Ova {
    let header = ImageHeader {
        product: PRODUCT.to_owned(),
        version: version.to_owned(),
        container: container.to_owned(),
        facts: facts.to_header(),
        payload_bytes: PAYLOAD_BYTES,
    };
    let disk = header.encode();
    Ova { descriptor: descriptor(version, facts, disk.len()), disk }
}

fn descriptor(version: &str, facts: &Facts, disk_bytes: usize) -> String {
    let version = escape(version);
    let mut sections = String::new();
    for (class, info, properties) in classes(facts) {
        sections.push_str(&format!("    <ProductSection ovf:class=\"{class}\" ovf:required=\"false\">\n"));
        sections.push_str(&format!("      <Info>{info}</Info>\n"));
        for property in properties {
            let Property { key, kind, qualifiers, value, password, option, label } = property;
            let mut attributes = format!("ovf:key=\"{key}\" ovf:type=\"{kind}\" ovf:userConfigurable=\"true\"");
            if !qualifiers.is_empty() {
                attributes.push_str(&format!(" ovf:qualifiers=\"{qualifiers}\""));
            }
            if password {
                attributes.push_str(" ovf:password=\"true\"");
            }
            if let Some(option) = option {
                attributes.push_str(&format!(" ovf:configuration=\"{option}\""));
            }
            sections.push_str(&format!(
                "      <Property {attributes} ovf:value=\"{value}\">\n        <Label>{label}</Label>\n      </Property>\n"
            ));
        }
        sections.push_str("    </ProductSection>\n");
    }
    let nics = [("Management", 160, ""), ("Workload", 192, ""), ("Frontend", 224, " ovf:configuration=\"frontend\"")];
    let mut networks = String::new();
    let mut items = String::new();
    for (index, (name, slot, condition)) in nics.into_iter().enumerate() {
        networks.push_str(&format!(
            "    <Network ovf:name=\"{name}\"{condition}>\n      <Description>The {name} network</Description>\n    </Network>\n"
        ));
        items.push_str(&format!(
            "      <Item{condition}>
        <rasd:AddressOnParent>{on_parent}</rasd:AddressOnParent>
        <rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>
        <rasd:Connection>{name}</rasd:Connection>
        <rasd:ElementName>{name} Network</rasd:ElementName>
        <rasd:InstanceID>{instance}</rasd:InstanceID>
        <rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType>
        <rasd:ResourceType>10</rasd:ResourceType>
        <vmw:Config ovf:required=\"false\" vmw:key=\"slotInfo.pciSlotNumber\" vmw:value=\"{slot}\"/>
      </Item>
",
            on_parent = index + 2,
            instance = index + 5,
        ));
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
    <File ovf:href="haproxy-{version}.vmdk" ovf:id="file1" ovf:size="{disk_bytes}"/>
  </References>
  <DiskSection>
    <Info>Disks</Info>
    <Disk ovf:capacity="20" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
{networks}  </NetworkSection>
  <DeploymentOptionSection>
    <Info>Deployment options</Info>
    <Configuration ovf:default="true" ovf:id="default">
      <Label>Default</Label>
      <Description>Two NICs: management and workload, which has the load balancer addresses</Description>
    </Configuration>
    <Configuration ovf:id="frontend">
      <Label>Frontend network</Label>
      <Description>Three NICs: management, workload and frontend, which has the load balancer addresses</Description>
    </Configuration>
  </DeploymentOptionSection>
  <VirtualSystem ovf:id="haproxy-{version}">
    <Info>A virtual machine</Info>
    <Name>haproxy-{version}</Name>
    <AnnotationSection>
      <Info>What it is</Info>
      <Annotation>HAProxy for the Load Balancer API ({version})</Annotation>
    </AnnotationSection>
    <OperatingSystemSection ovf:id="101" vmw:osType="other3xLinux64Guest">
      <Info>Operating system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection ovf:transport="com.vmware.guestInfo">
      <Info>Virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType>
      </System>
      <Item>
        <rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits>
        <rasd:ElementName>2 virtual CPU(s)</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>2</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
        <rasd:ElementName>4096MB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>4096</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:Address>0</rasd:Address>
        <rasd:ElementName>SCSI Controller 1</rasd:ElementName>
        <rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>lsilogic</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:ElementName>Hard Disk 1</rasd:ElementName>
        <rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
{items}    </VirtualHardwareSection>
    <ProductSection>
      <Info>The software</Info>
      <Product>HAProxy for the Load Balancer API {version}</Product>
      <Version>{version}</Version>
      <FullVersion>{version}</FullVersion>
    </ProductSection>
{sections}  </VirtualSystem>
</Envelope>
"#
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::facts::samples::facts;

    const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";

    fn full_keys(document: &roxmltree::Document<'_>) -> Vec<String> {
        let properties = document.descendants().filter(|node| node.tag_name().name() == "Property");
        let key = |node: roxmltree::Node<'_, '_>| {
            let class = node.parent_element().and_then(|parent| parent.attribute((OVF, "class")).map(str::to_owned));
            format!("{}.{}", class.unwrap(), node.attribute((OVF, "key")).unwrap())
        };
        properties.map(key).collect()
    }

    #[rstest]
    #[case("v0.1.10", false)]
    #[case("v0.2.0", true)]
    fn every_property_is_there_with_its_class(#[case] version: &str, #[case] additional: bool) {
        let ova = ova(version, "image:tag", &facts(version));
        let document = roxmltree::Document::parse(&ova.descriptor).unwrap();
        let keys = full_keys(&document);
        assert_eq!(keys.contains(&"network.additional_workload_networks".to_owned()), additional);
        assert_eq!(keys.len(), 16 + usize::from(additional));
        let secret = document.descendants().filter(|node| node.attribute((OVF, "password")) == Some("true"));
        let secret: Vec<_> = secret.filter_map(|node| node.attribute((OVF, "key"))).collect();
        assert_eq!(secret, ["root_pwd", "haproxy_pwd"]);
    }

    #[test]
    fn the_disk_is_the_one_the_descriptor_announces() {
        let ova = ova("v0.2.0", "image:tag", &facts("v0.2.0"));
        let header = ImageHeader::decode(&ova.disk).unwrap();
        assert_eq!((header.product.as_str(), header.container.as_str()), ("haproxy-appliance", "image:tag"));
        assert_eq!(Facts::from_header(&header.facts).unwrap(), facts("v0.2.0"));
        let document = roxmltree::Document::parse(&ova.descriptor).unwrap();
        let file = document.descendants().find(|node| node.tag_name().name() == "File").unwrap();
        assert_eq!(file.attribute((OVF, "size")).unwrap(), ova.disk.len().to_string());
    }

    #[test]
    fn the_frontend_nic_belongs_to_its_deployment_option() {
        let ova = ova("v0.2.0", "image:tag", &facts("v0.2.0"));
        let document = roxmltree::Document::parse(&ova.descriptor).unwrap();
        let nics: Vec<_> = document
            .descendants()
            .filter(|node| node.tag_name().name() == "Item")
            .filter(|node| {
                node.children().any(|child| child.tag_name().name() == "ResourceType" && child.text() == Some("10"))
            })
            .map(|node| node.attribute((OVF, "configuration")))
            .collect();
        assert_eq!(nics, [None, None, Some("frontend")]);
    }
}
