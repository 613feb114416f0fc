//! ResourcePool: the one pool, into which machines are imported.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use grenadier_fleet::{CloudHost, Disk, Hardware, Mac, MachineSpec, Nic};
use grenadier_wire::FaultKind;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::datastore::path;
use crate::fault::Fault;
use crate::http_nfc_lease::{Device, Lease, Phase};
use crate::inventory::{CLUSTER, Inventory, VM_FOLDER};
use crate::moref::MoRef;
use crate::ovf::import::import_key;
use crate::soap::decode::Node;
use crate::value::{Data, Value};
use crate::virtual_machine::hardware::{FIRST_DISK_KEY, FIRST_NIC_KEY, controller_type};
use crate::virtual_machine::reconfigure::{free_mac, is_network_card, segment};
use crate::virtual_machine::record::Record;
use crate::virtual_machine::vapp::VApp;
use crate::virtual_machine::{check_name, record};
use crate::vsphere::{Alarm, Purpose};

pub(crate) const PROPERTIES: &[&str] =
    &["summary", "runtime", "owner", "resourcePool", "vm", "config", "namespace", "childConfiguration"];

/// When an import that is made to fail does (assumed).
const HALF_WAY: Duration = Duration::from_millis(500);

pub(crate) fn property(inventory: Inventory<'_>, name: &str) -> Option<Value> {
    match name {
        "owner" => Some(CLUSTER.into()),
        "resourcePool" => Some(Value::refs([])),
        "vm" => Some(inventory.machine_refs()),
        "summary" => Some(Data::derived("ResourcePoolSummary").with("name", "Resources").unset(&["quickStats"]).into()),
        _ => None,
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "ImportVApp" => import_vapp(sim, call, host),
        _ => return None,
    })
}

/// A machine as an import specification describes it.
struct Imported {
    name: String,
    hardware: Hardware,
    /// Bus, unit and capacity of each disk.
    disks: Vec<(usize, u32, u64)>,
    /// Segment of each card, and its address where the specification sets one.
    nics: Vec<(String, Option<Mac>, bool)>,
    controller: &'static str,
    config: BTreeMap<String, String>,
    guest_id: String,
    hardware_version: String,
    annotation: String,
    vapp: Option<VApp>,
}

/// Begins an import. The machine is made while the lease initialises; that the datastore is full shows there.
fn import_vapp(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let spec = call.args.required_child("spec")?;
    if spec.kind().is_some_and(|kind| kind != "VirtualMachineImportSpec") {
        return Err(Fault::not_supported("only single machines can be imported"));
    }
    if let Some(folder) = call.args.moref_of("folder")
        && inventory.resolve(&folder.id) != Some(VM_FOLDER)
    {
        return Err(Fault::invalid_argument("folder", "machines live in DC0/vm"));
    }
    let imported = parse(inventory, spec.required_child("configSpec")?)?;
    if let Some(other) = inventory.machine_named(&imported.name) {
        return Err(Fault::duplicate_name(&imported.name, other));
    }
    let directory = free_directory(inventory, &imported.name);
    let created = host.now();
    let entity = loop {
        let candidate = MoRef::new("VirtualMachine", format!("vm-{}", 100 + sim.ids.next("vm")));
        if sim.inventory(host, None).machine(&candidate.id).is_none() {
            break candidate;
        }
    };
    let record = Record {
        moref: entity.id.clone().into_owned(),
        uuid: sim.uuids.uuid(),
        instance_uuid: sim.uuids.uuid(),
        directory,
        guest_id: imported.guest_id.clone(),
        hardware_version: imported.hardware_version.clone(),
        controller: imported.controller.to_owned(),
        annotation: imported.annotation.clone(),
        template: false,
        created_ns: created,
        v_app_config: imported.vapp.clone(),
    };
    let spec = machine_spec(sim.inventory(host, None), &imported, &record);
    let number = sim.ids.next("lease");
    let ticket = sim.uuids.uuid();
    let devices = devices(&imported, &record, &spec);
    let mut lease = Lease::new(entity, ticket, devices);
    match call.asked {
        Some(FaultKind::TaskFails) => sim.set_alarm(Alarm::LeaseFails(number), HALF_WAY, host),
        // The lease stays as it is for ever: `initializing`.
        Some(FaultKind::TaskStuck) => {}
        _ => {
            let (machine, operation) = host.fleet().submit_create(spec);
            lease.machine = Some(machine);
            sim.operations.insert(operation, Purpose::Lease(number));
        }
    }
    lease.phase = Phase::Creating;
    sim.leases.insert(number, lease);
    Ok(Reply::One(MoRef::new("HttpNfcLease", format!("lease-{number}")).into()))
}

fn parse(inventory: Inventory<'_>, spec: Node<'_>) -> Result<Imported, Fault> {
    let name = spec.required_owned("name")?;
    check_name(&name)?;
    let text = |name, default: &str| spec.text_of(name).unwrap_or(default).to_owned();
    let mut imported = Imported {
        name,
        hardware: Hardware {
            cpus: spec.number_of("numCPUs")?.unwrap_or(1),
            memory_mib: spec.number_of("memoryMB")?.unwrap_or(1024),
        },
        disks: Vec::new(),
        nics: Vec::new(),
        controller: controller_type(""),
        config: BTreeMap::new(),
        guest_id: text("guestId", "otherLinux64Guest"),
        hardware_version: text("version", "vmx-13"),
        annotation: text("annotation", ""),
        vapp: None,
    };
    if imported.hardware.cpus == 0 || imported.hardware.memory_mib == 0 {
        return Err(Fault::invalid_argument("configSpec", "a machine needs a processor and memory"));
    }
    for option in spec.children("extraConfig") {
        imported.config.insert(option.required_owned("key")?, option.owned_of("value").unwrap_or_default());
    }
    if let Some(node) = spec.child("vAppConfig") {
        let mut vapp = VApp::default();
        vapp.apply(node)?;
        imported.vapp = Some(vapp);
    }
    let mut buses: BTreeMap<i64, usize> = BTreeMap::new();
    for device in spec.children("deviceChange").map(|change| change.required_child("device")) {
        let device = device?;
        match device.kind().unwrap_or_default() {
            kind if kind.ends_with("SCSIController") || kind.contains("LsiLogic") => {
                let bus = device.number_of("busNumber")?.unwrap_or(0);
                buses.insert(device.number_of("key")?.unwrap_or(0), bus);
                imported.controller = controller_type(kind);
            }
            "VirtualDisk" => {
                let kib: u64 = device
                    .number_of("capacityInKB")?
                    .ok_or_else(|| Fault::invalid_request("required parameter capacityInKB is missing"))?;
                let controller = device.number_of("controllerKey")?.unwrap_or(0);
                let bus = buses.get(&controller).copied().unwrap_or(0);
                imported.disks.push((bus, device.number_of("unitNumber")?.unwrap_or(0), kib.div_ceil(1024)));
            }
            kind if is_network_card(kind) => {
                let segment = segment(inventory, device)?
                    .ok_or_else(|| Fault::invalid_argument("device.backing", "a card needs a network"))?;
                let mac = device.text_of("macAddress").and_then(|text| text.parse().ok());
                let connected = match device.child("connectable") {
                    Some(connectable) => connectable.flag_of("startConnected")?,
                    None => true,
                };
                imported.nics.push((segment, mac, connected));
            }
            other => return Err(Fault::not_supported(&format!("the device {other} is not simulated"))),
        }
    }
    Ok(imported)
}

fn machine_spec(inventory: Inventory<'_>, imported: &Imported, record: &Record) -> MachineSpec {
    let mut nics: Vec<Nic> = Vec::new();
    for (key, (segment, mac, connected)) in (FIRST_NIC_KEY..).zip(&imported.nics) {
        let given: Vec<Mac> = nics.iter().map(|nic| nic.mac).collect();
        let mac = mac.unwrap_or_else(|| free_mac(inventory, &given));
        nics.push(Nic { key, segment: segment.clone(), mac, connected: *connected });
    }
    let disks = (FIRST_DISK_KEY..).zip(&imported.disks).enumerate().map(|(index, (key, (_, _, capacity_mib)))| {
        let suffix = if index == 0 { String::new() } else { format!("_{index}") };
        let file = format!("{0}/{0}{suffix}.vmdk", record.directory);
        Disk { key, path: path::render(&file), capacity_mib: *capacity_mib, image: None }
    });
    MachineSpec {
        name: imported.name.clone(),
        hardware: imported.hardware,
        nics,
        disks: disks.collect(),
        config: imported.config.clone(),
        record: record.entry(),
        hosted: true,
    }
}

fn devices(imported: &Imported, record: &Record, spec: &MachineSpec) -> VecDeque<Device> {
    let each = imported.disks.iter().zip(&spec.disks).enumerate();
    each.map(|(index, ((bus, unit, _), disk))| Device {
        key: format!("/{}/{}{bus}:{unit}", record.moref, imported.controller),
        import_key: import_key(&imported.name, imported.controller, *bus, *unit),
        file: format!("disk-{index}.vmdk"),
        disk: disk.key,
        capacity_mib: disk.capacity_mib,
        uploaded: None,
    })
    .collect()
}

/// The machine's name, or the name with a number where another machine's files are there already.
fn free_directory(inventory: Inventory<'_>, name: &str) -> String {
    let taken = |directory: &str| {
        inventory
            .machines()
            .filter_map(|(_, machine)| record::Record::of(machine))
            .any(|own| own.directory == directory)
    };
    if !taken(name) {
        return name.to_owned();
    }
    (1..).map(|number| format!("{name}_{number}")).find(|candidate| !taken(candidate)).expect("numbers do not end")
}
