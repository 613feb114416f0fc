//! CD-ROM drives: part of a machine's record, so that a snapshot brings them back.

use grenadier_fleet::Machine;
use serde::{Deserialize, Serialize};

use crate::datastore::{files, path};
use crate::fault::Fault;
use crate::inventory::{DATASTORE, Inventory};
use crate::soap::decode::Node;
use crate::value::{Data, Value, int};
use crate::virtual_machine::record::Record;

/// The key of the controller that drives hang on, and of the first drive.
const CONTROLLER_KEY: i32 = 200;
const FIRST_KEY: u32 = 3000;

/// A drive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cdrom {
    pub(crate) key: u32,
    /// The image in it, as a path of the datastore: `[LocalDS_0] iso/appliance.iso`.
    pub(crate) file: Option<String>,
    /// Whether it is connected when the machine is turned on.
    pub(crate) connected: bool,
}

/// What is to be done to a drive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CdromChange {
    Add { file: Option<String>, connected: bool },
    Edit { key: u32, file: Option<Option<String>>, connected: Option<bool> },
    Remove { key: u32 },
}

/// The image that a drive's backing names; none where the backing is left out, and an empty drive where it is another one.
fn backing(device: Node<'_>) -> Result<Option<Option<String>>, Fault> {
    let Some(backing) = device.child("backing") else { return Ok(None) };
    let Some(file) = backing.text_of("fileName").filter(|file| !file.is_empty()) else { return Ok(Some(None)) };
    Ok(Some(Some(path::render(&path::parse(file)?))))
}

fn connected(device: Node<'_>) -> Result<Option<bool>, Fault> {
    device.child("connectable").map(|connectable| connectable.flag_of("startConnected")).transpose()
}

/// Reads a change of a drive.
pub(crate) fn change(node: Node<'_>, device: Node<'_>) -> Result<CdromChange, Fault> {
    let (file, connected) = (backing(device)?, connected(device)?);
    let key = || -> Result<u32, Fault> {
        device.number_of("key")?.ok_or_else(|| Fault::invalid_request("required parameter key is missing"))
    };
    Ok(match node.text_of("operation") {
        Some("add") => CdromChange::Add { file: file.flatten(), connected: connected.unwrap_or(true) },
        Some("edit") | None => CdromChange::Edit { key: key()?, file, connected },
        Some("remove") => CdromChange::Remove { key: key()? },
        Some(other) => return Err(Fault::invalid_argument("operation", &format!("`{other}` is no device operation"))),
    })
}

/// The drive that a machine is made with.
pub(crate) fn described(device: Node<'_>, index: usize) -> Result<Cdrom, Fault> {
    let key = FIRST_KEY + u32::try_from(index).unwrap_or_default();
    Ok(Cdrom { key, file: backing(device)?.flatten(), connected: connected(device)?.unwrap_or(true) })
}

/// Makes the changes.
pub(crate) fn apply(drives: &mut Vec<Cdrom>, changes: &[CdromChange]) -> Result<(), Fault> {
    for (index, change) in changes.iter().enumerate() {
        let missing = |key: u32| {
            let message = format!("The device with key {key} was not found.");
            Fault::new("DeviceNotFound", message).with("deviceIndex", int(index))
        };
        match change {
            CdromChange::Add { file, connected } => {
                let key = drives.iter().map(|drive| drive.key + 1).max().unwrap_or(FIRST_KEY);
                drives.push(Cdrom { key, file: file.clone(), connected: *connected });
            }
            CdromChange::Edit { key, file, connected } => {
                let drive = drives.iter_mut().find(|drive| drive.key == *key).ok_or_else(|| missing(*key))?;
                if let Some(file) = file {
                    drive.file.clone_from(file);
                }
                drive.connected = connected.unwrap_or(drive.connected);
            }
            CdromChange::Remove { key } => {
                let before = drives.len();
                drives.retain(|drive| drive.key != *key);
                if drives.len() == before {
                    return Err(missing(*key));
                }
            }
        }
    }
    Ok(())
}

/// Refuses a machine with a drive whose image is not on the datastore (assumed to be `FileNotFound`, and of the task).
pub(crate) fn check(inventory: Inventory<'_>, record: &Record) -> Result<(), Fault> {
    let images = record.cdroms.iter().filter(|drive| drive.connected).filter_map(|drive| drive.file.as_ref());
    for image in images {
        let path = path::parse(image)?;
        let mut own = inventory.machines().flat_map(|(_, machine)| files::of_machine(inventory, machine));
        if inventory.sim.files.get(&path).is_none() && !own.any(|file| file.path == path) {
            return Err(Fault::file_not_found(image));
        }
    }
    Ok(())
}

/// The drives of a machine with their controller, as devices.
pub(crate) fn devices(machine: &Machine) -> Vec<Data> {
    let drives = Record::cdroms_of(machine);
    if drives.is_empty() {
        return Vec::new();
    }
    let text = |label: String, summary: &str| Data::new("Description").with("label", label).with("summary", summary);
    let controller = Data::derived("VirtualIDEController")
        .with("key", CONTROLLER_KEY)
        .with("deviceInfo", text("IDE 0".to_owned(), "IDE 0"))
        .with("busNumber", 0)
        .with("device", Value::List("int", drives.iter().map(|drive| int(drive.key)).collect()));
    let each = drives.iter().enumerate().map(|(unit, drive)| {
        let backing = match &drive.file {
            Some(file) => {
                Data::derived("VirtualCdromIsoBackingInfo").with("fileName", file.as_str()).with("datastore", DATASTORE)
            }
            None => Data::derived("VirtualCdromRemotePassthroughBackingInfo")
                .with("deviceName", "")
                .with("useAutoDetect", false)
                .with("exclusive", false),
        };
        let connectable = Data::new("VirtualDeviceConnectInfo")
            .with("startConnected", drive.connected)
            .with("allowGuestControl", true)
            .with("connected", drive.connected)
            .with("status", if drive.connected { "ok" } else { "untried" });
        let summary = drive.file.as_deref().unwrap_or("Remote device");
        Data::derived("VirtualCdrom")
            .with("key", int(drive.key))
            .with("deviceInfo", text(format!("CD/DVD drive {}", unit + 1), summary))
            .with("backing", backing)
            .with("connectable", connectable)
            .with("controllerKey", CONTROLLER_KEY)
            .with("unitNumber", int(unit))
    });
    std::iter::once(controller).chain(each).collect()
}
