//! Machines as a `VirtualMachineConfigSpec` describes them, and what they are made from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grenadier_fleet::{CloudHost, Disk, DiskImage, Hardware, Mac, MachineSpec, Nic};

use crate::VSphere;
use crate::datastore::path;
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::soap::decode::Node;
use crate::virtual_machine::cdrom::{self, Cdrom};
use crate::virtual_machine::check_name;
use crate::virtual_machine::hardware::{FIRST_DISK_KEY, FIRST_NIC_KEY, controller_type};
use crate::virtual_machine::reconfigure::{is_network_card, segment};
use crate::virtual_machine::record::Record;
use crate::virtual_machine::vapp::VApp;

/// A machine as a configuration specification describes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) hardware: Hardware,
    /// Bus, unit and capacity of each disk.
    pub(crate) disks: Vec<(usize, u32, u64)>,
    /// Segment of each card, and its address where the specification sets one.
    pub(crate) nics: Vec<(String, Option<Mac>, bool)>,
    pub(crate) cdroms: Vec<Cdrom>,
    pub(crate) controller: &'static str,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) guest_id: String,
    pub(crate) hardware_version: String,
    pub(crate) annotation: String,
    pub(crate) vapp: Option<VApp>,
}

impl Described {
    /// Reads a `VirtualMachineConfigSpec` of a machine that is to be made.
    pub(crate) fn parse(inventory: Inventory<'_>, spec: Node<'_>) -> Result<Described, Fault> {
        let name = spec.required_owned("name")?;
        check_name(&name)?;
        let text = |name, default: &str| spec.text_of(name).unwrap_or(default).to_owned();
        let mut described = Described {
            name,
            hardware: Hardware {
                cpus: spec.number_of("numCPUs")?.unwrap_or(1),
                memory_mib: spec.number_of("memoryMB")?.unwrap_or(1024),
            },
            disks: Vec::new(),
            nics: Vec::new(),
            cdroms: Vec::new(),
            controller: controller_type(""),
            config: BTreeMap::new(),
            guest_id: text("guestId", "otherLinux64Guest"),
            hardware_version: text("version", "vmx-13"),
            annotation: text("annotation", ""),
            vapp: None,
        };
        if described.hardware.cpus == 0 || described.hardware.memory_mib == 0 {
            return Err(Fault::invalid_argument("configSpec", "a machine needs a processor and memory"));
        }
        for option in spec.children("extraConfig") {
            described.config.insert(option.required_owned("key")?, option.owned_of("value").unwrap_or_default());
        }
        if let Some(node) = spec.child("vAppConfig") {
            let mut vapp = VApp::default();
            vapp.apply(node)?;
            described.vapp = Some(vapp);
        }
        let mut buses: BTreeMap<i64, usize> = BTreeMap::new();
        for device in spec.children("deviceChange").map(|change| change.required_child("device")) {
            let device = device?;
            match device.kind().unwrap_or_default() {
                kind if kind.ends_with("SCSIController") || kind.contains("LsiLogic") => {
                    let bus = device.number_of("busNumber")?.unwrap_or(0);
                    buses.insert(device.number_of("key")?.unwrap_or(0), bus);
                    described.controller = controller_type(kind);
                }
                "VirtualDisk" => {
                    let kib: u64 = device
                        .number_of("capacityInKB")?
                        .ok_or_else(|| Fault::invalid_request("required parameter capacityInKB is missing"))?;
                    let controller = device.number_of("controllerKey")?.unwrap_or(0);
                    let bus = buses.get(&controller).copied().unwrap_or(0);
                    described.disks.push((bus, device.number_of("unitNumber")?.unwrap_or(0), kib.div_ceil(1024)));
                }
                kind if is_network_card(kind) => {
                    let segment = segment(inventory, device)?
                        .ok_or_else(|| Fault::invalid_argument("device.backing", "a card needs a network"))?;
                    let mac = device.text_of("macAddress").and_then(|text| text.parse().ok());
                    let connected = match device.child("connectable") {
                        Some(connectable) => connectable.flag_of("startConnected")?,
                        None => true,
                    };
                    described.nics.push((segment, mac, connected));
                }
                "VirtualCdrom" => {
                    let drive = cdrom::described(device, described.cdroms.len())?;
                    described.cdroms.push(drive);
                }
                // Every machine has two of these; drives find the first.
                "VirtualIDEController" => {}
                other => return Err(Fault::not_supported(&format!("the device {other} is not simulated"))),
            }
        }
        Ok(described)
    }
}

/// What machines of this vCenter have already and a new one must not.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    morefs: BTreeSet<String>,
    macs: BTreeSet<Mac>,
    directories: BTreeSet<String>,
}

impl Taken {
    /// What is taken now.
    pub(crate) fn look(inventory: Inventory<'_>) -> Taken {
        let mut taken = Taken::default();
        for machine in inventory.fleet.machines.values() {
            taken.macs.extend(machine.spec.nics.iter().map(|nic| nic.mac));
            taken.morefs.extend(Record::id(machine).map(str::to_owned));
            taken.directories.extend(Record::directory_of(machine).map(str::to_owned));
        }
        taken
    }

    /// The first hardware address that nobody has.
    fn mac(&mut self) -> Mac {
        let free = (1..).map(Mac::vmware).find(|mac| !self.macs.contains(mac));
        let mac = free.expect("there are more addresses than cards");
        self.macs.insert(mac);
        mac
    }

    /// The machine's name, or the name with a number where another machine's files are there already.
    fn directory(&mut self, name: &str) -> String {
        let numbered = (1..).map(|number| format!("{name}_{number}"));
        let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
        let free = candidates.find(|candidate| !self.directories.contains(candidate)).expect("numbers do not end");
        self.directories.insert(free.clone());
        free
    }
}

impl VSphere {
    /// Gives a described machine what vCenter gives one: reference, UUIDs, directory, hardware addresses.
    pub(crate) fn furnish(
        &mut self,
        described: &Described,
        taken: &mut Taken,
        host: &mut dyn CloudHost,
    ) -> (Record, MachineSpec) {
        let moref = loop {
            let candidate = format!("vm-{}", 100 + self.ids.next("vm"));
            if taken.morefs.insert(candidate.clone()) {
                break candidate;
            }
        };
        let record = Record {
            moref,
            uuid: self.uuids.uuid(),
            instance_uuid: self.uuids.uuid(),
            directory: taken.directory(&described.name),
            guest_id: described.guest_id.clone(),
            hardware_version: described.hardware_version.clone(),
            controller: described.controller.to_owned(),
            annotation: described.annotation.clone(),
            template: false,
            created_ns: host.now(),
            cdroms: described.cdroms.clone(),
            v_app_config: described.vapp.clone(),
        };
        let mut nics: Vec<Nic> = Vec::new();
        for (key, (segment, mac, connected)) in (FIRST_NIC_KEY..).zip(&described.nics) {
            let mac = mac.unwrap_or_else(|| taken.mac());
            nics.push(Nic { key, segment: segment.clone(), mac, connected: *connected });
        }
        let disks = (FIRST_DISK_KEY..).zip(&described.disks).enumerate().map(|(index, (key, (_, _, capacity_mib)))| {
            let path = path::render(&disk_file(&record.directory, index));
            Disk { key, path, capacity_mib: *capacity_mib, image: None }
        });
        let spec = MachineSpec {
            name: described.name.clone(),
            hardware: described.hardware,
            nics,
            disks: disks.collect(),
            config: described.config.clone(),
            record: record.entry(),
            hosted: true,
        };
        (record, spec)
    }

    /// What machines of this vCenter are made from that are there from the beginning, each with one disk.
    pub fn machine_specs(&mut self, machines: &[NewMachine], host: &mut dyn CloudHost) -> Vec<MachineSpec> {
        let mut taken = Taken::look(self.inventory(host, None));
        let each = machines.iter().map(|new| {
            let described = Described {
                name: new.name.clone(),
                hardware: new.hardware,
                disks: vec![(0, 0, new.disk_mib)],
                nics: new.networks.iter().map(|network| (network.clone(), None, true)).collect(),
                cdroms: Vec::new(),
                controller: controller_type(""),
                config: BTreeMap::new(),
                guest_id: "otherLinux64Guest".to_owned(),
                hardware_version: "vmx-13".to_owned(),
                annotation: String::new(),
                vapp: None,
            };
            let (_, mut spec) = self.furnish(&described, &mut taken, host);
            for disk in &mut spec.disks {
                disk.image.clone_from(&new.image);
            }
            spec
        });
        each.collect()
    }
}

/// A machine that is there from the beginning.
#[derive(Clone, Debug)]
pub struct NewMachine {
    /// Its name.
    pub name: String,
    /// Processors and memory.
    pub hardware: Hardware,
    /// The size of its disk in MiB.
    pub disk_mib: u64,
    /// What the disk holds.
    pub image: Option<Arc<DiskImage>>,
    /// The networks it has a card in, one for each.
    pub networks: Vec<String>,
}

/// The file of the `index`-th disk in a machine's directory.
pub(crate) fn disk_file(directory: &str, index: usize) -> String {
    let suffix = if index == 0 { String::new() } else { format!("_{index}") };
    let base = directory.rsplit('/').next().unwrap_or(directory);
    format!("{directory}/{base}{suffix}.vmdk")
}
