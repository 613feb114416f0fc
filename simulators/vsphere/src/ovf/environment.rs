//! OVF environments (DSP0243, chapter 11): how a guest gets its properties.

use grenadier_fleet::Machine;

use crate::inventory::Inventory;
use crate::soap::xml::Xml;
use crate::virtual_machine::hardware::{FIRST_NIC_KEY, FIRST_NIC_UNIT};
use crate::virtual_machine::record::Record;
use crate::virtual_machine::vapp::VApp;

/// The configuration key in which the transport `com.vmware.guestInfo` delivers.
pub(crate) const KEY: &str = "guestinfo.ovfEnv";

const OVF_ENVIRONMENT: &str = "http://schemas.dmtf.org/ovf/environment/1";
const VMWARE: &str = "http://www.vmware.com/schema/ovfenv";

/// The environment of a machine: platform, properties, network cards.
pub(crate) fn render(inventory: Inventory<'_>, machine: &Machine, record: &Record, vapp: &VApp) -> String {
    let mut xml = Xml::document();
    xml.open(
        "Environment",
        &[
            ("xmlns", OVF_ENVIRONMENT),
            ("xmlns:oe", OVF_ENVIRONMENT),
            ("xmlns:ve", VMWARE),
            ("oe:id", ""),
            ("ve:vCenterId", &record.moref),
        ],
    );
    xml.open("PlatformSection", &[]);
    xml.element("Kind", &[], "VMware ESXi");
    xml.element("Version", &[], &inventory.sim.version);
    xml.element("Vendor", &[], "VMware, Inc.");
    xml.element("Locale", &[], "en");
    xml.close("PlatformSection");
    xml.open("PropertySection", &[]);
    for property in &vapp.property {
        xml.empty("Property", &[("oe:key", &property.full_key()), ("oe:value", property.effective())]);
    }
    xml.close("PropertySection");
    xml.open("ve:EthernetAdapterSection", &[]);
    for nic in &machine.spec.nics {
        let unit = (FIRST_NIC_UNIT + nic.key.saturating_sub(FIRST_NIC_KEY)).to_string();
        let mac = nic.mac.to_string();
        xml.empty("ve:Adapter", &[("ve:mac", &mac), ("ve:network", &nic.segment), ("ve:unitNumber", &unit)]);
    }
    xml.close("ve:EthernetAdapterSection");
    xml.close("Environment");
    xml.into_text()
}
