//! A descriptor and a certificate to deploy with.

/// Root's password.
pub(crate) const PASSWORD: &str = "correct horse";

/// A certificate in form only: its DER is the three bytes "abc".
pub(crate) const KEY: &str = "-----BEGIN PRIVATE KEY-----\nS0VZ\n-----END PRIVATE KEY-----\n";

pub(crate) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";

/// The new appliance's descriptor.
pub(crate) const OVF: &str = r#"<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <DiskSection><Disk ovf:capacity="20" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="d" ovf:fileRef="f"/></DiskSection>
  <DeploymentOptionSection><Configuration ovf:id="default"/><Configuration ovf:id="frontend"/></DeploymentOptionSection>
  <VirtualSystem ovf:id="haproxy">
    <ProductSection ovf:class="appliance">
      <Property ovf:key="root_pwd" ovf:type="string" ovf:password="true"/>
      <Property ovf:key="ca_cert" ovf:type="string"/>
      <Property ovf:key="ca_cert_key" ovf:type="string"/>
    </ProductSection>
    <ProductSection ovf:class="network"><Property ovf:key="management_ip" ovf:type="string"/></ProductSection>
    <ProductSection ovf:class="loadbalance">
      <Property ovf:key="service_ip_range" ovf:type="string"/>
      <Property ovf:key="haproxy_user" ovf:type="string" ovf:value="client"/>
      <Property ovf:key="haproxy_pwd" ovf:type="string" ovf:password="true"/>
    </ProductSection>
    <VirtualHardwareSection>
      <Item><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
      <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>4096</rasd:VirtualQuantity></Item>
      <Item><rasd:Connection>Management</rasd:Connection><rasd:ResourceType>10</rasd:ResourceType></Item>
      <Item><rasd:Connection>Workload</rasd:Connection><rasd:ResourceType>10</rasd:ResourceType></Item>
      <Item ovf:configuration="frontend"><rasd:Connection>Frontend</rasd:Connection><rasd:ResourceType>10</rasd:ResourceType></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>"#;
