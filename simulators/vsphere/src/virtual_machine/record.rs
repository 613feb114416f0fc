//! What this simulator keeps on a machine, so that a snapshot brings it back.

use std::collections::BTreeMap;

use grenadier_clock::Time;
use grenadier_fleet::Machine;
use serde::{Deserialize, Serialize};

use crate::moref::MoRef;
use crate::virtual_machine::cdrom::Cdrom;
use crate::virtual_machine::vapp::VApp;

/// The key of the record among those on a machine.
pub(crate) const KEY: &str = "vsphere";

/// The record. Its names are those of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// The id of the machine's reference: `vm-101`.
    pub(crate) moref: String,
    /// The BIOS UUID.
    pub(crate) uuid: String,
    /// The UUID that vCenter gave it.
    pub(crate) instance_uuid: String,
    /// The directory of its files. A rename does not change it.
    pub(crate) directory: String,
    /// The guest operating system.
    pub(crate) guest_id: String,
    /// The virtual hardware: `vmx-13`.
    pub(crate) hardware_version: String,
    /// The disk controller's type.
    pub(crate) controller: String,
    /// Notes.
    pub(crate) annotation: String,
    /// Whether it is a template.
    pub(crate) template: bool,
    /// When it was created.
    pub(crate) created_ns: Time,
    /// CD-ROM drives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cdroms: Vec<Cdrom>,
    /// What came with its OVF; none for a machine from elsewhere.
    pub(crate) v_app_config: Option<VApp>,
}

impl Record {
    /// The record on a machine; none where the machine is not of this vCenter.
    pub(crate) fn of(machine: &Machine) -> Option<Record> {
        Record::deserialize(machine.spec.record.get(KEY)?).ok()
    }

    /// The id of the machine's reference, without reading the rest.
    pub(crate) fn id(machine: &Machine) -> Option<&str> {
        machine.spec.record.get(KEY)?.get("moref")?.as_str()
    }

    /// The directory of its files, without reading the rest.
    pub(crate) fn directory_of(machine: &Machine) -> Option<&str> {
        machine.spec.record.get(KEY)?.get("directory")?.as_str()
    }

    /// The type of its disk controller, without reading the rest.
    pub(crate) fn controller(machine: &Machine) -> Option<&str> {
        machine.spec.record.get(KEY)?.get("controller")?.as_str()
    }

    /// Its CD-ROM drives, without reading the rest.
    pub(crate) fn cdroms_of(machine: &Machine) -> Vec<Cdrom> {
        let drives = machine.spec.record.get(KEY).and_then(|record| record.get("cdroms"));
        drives.and_then(|drives| Vec::deserialize(drives).ok()).unwrap_or_default()
    }

    /// What came with its OVF, without reading the rest.
    pub(crate) fn v_app(machine: &Machine) -> Option<VApp> {
        VApp::deserialize(machine.spec.record.get(KEY)?.get("vAppConfig")?).ok()
    }

    /// The machine's reference.
    pub(crate) fn moref(machine: &Machine) -> Option<MoRef> {
        Some(MoRef::new("VirtualMachine", Record::id(machine)?))
    }

    /// The record as the one entry of a machine's records.
    pub(crate) fn entry(&self) -> BTreeMap<String, serde_json::Value> {
        let value = serde_json::to_value(self).expect("a record has string keys and finite numbers");
        BTreeMap::from([(KEY.to_owned(), value)])
    }

    /// The path of the configuration file below the datastore's root.
    pub(crate) fn vmx_path(&self) -> String {
        format!("{0}/{0}.vmx", self.directory)
    }
}
