//! Machines and what belongs to them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use grenadier_clock::Time;
use serde::{Deserialize, Serialize};

use crate::{GuestReport, ImageHeader, Mac, SegmentId};

/// A machine's number in its fleet. Never used twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MachineId(pub u32);

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "machine-{}", self.0)
    }
}

/// A snapshot's number in its fleet. Names may repeat, numbers do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotId(pub u32);

/// Processors and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// Virtual processors.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// A network card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nic {
    /// The device's number on its machine: 4000, 4001 … as in vSphere.
    pub key: u32,
    /// The segment it is plugged into.
    pub segment: SegmentId,
    /// Its hardware address.
    pub mac: Mac,
    /// Whether the link is up.
    pub connected: bool,
}

/// A disk. Its content is not in the view: read it with `Operation::ReadFiles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The device's number on its machine: 2000, 2001 … as in vSphere.
    pub key: u32,
    /// Where it is stored: `[datastore1] new/new.vmdk`.
    pub path: String,
    /// Its size in MiB. Space is reserved for all of it.
    pub capacity_mib: u64,
    /// What was written to it as a whole: an image header and its bytes.
    #[serde(skip)]
    pub image: Option<Arc<DiskImage>>,
}

/// The bytes that were written to a disk as a whole, and what they say they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskImage {
    /// What the bytes say they are.
    pub header: ImageHeader,
    /// All of them.
    pub bytes: Bytes,
}

/// Whether a machine is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// It answers nothing and holds no memory.
    Off,
    /// Its guest boots or runs.
    On,
}

/// How far the guest came since the last power-on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// The machine is off.
    Off,
    /// The guest starts.
    Booting,
    /// The guest said it is up.
    Up,
    /// The guest could not start.
    Failed(String),
}

/// A snapshot of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its number.
    pub id: SnapshotId,
    /// Its name; several may have the same.
    pub name: String,
    /// What its maker said of it.
    pub description: String,
    /// The snapshot it was taken on top of.
    pub parent: Option<SnapshotId>,
    /// When it was taken.
    pub taken_ns: Time,
    /// The machine's power when it was taken.
    pub power: Power,
    /// Whether it holds the memory. One without brings the machine back powered off.
    pub memory: bool,
}

/// What a machine is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineSpec {
    /// Its name, unique in the fleet at any time.
    pub name: String,
    /// Processors and memory.
    pub hardware: Hardware,
    /// Its network cards.
    pub nics: Vec<Nic>,
    /// Its disks. The first one's image decides which guest boots.
    pub disks: Vec<Disk>,
    /// Key-value configuration the guest can read and write: extraConfig, guestinfo.
    pub config: BTreeMap<String, String>,
    /// What a cloud simulator keeps on the machine, so that a snapshot brings it back.
    pub record: BTreeMap<String, serde_json::Value>,
    /// Whether the machine counts against the host's capacity (a cloud's machine) or lives outside it (a client, a backend).
    pub hosted: bool,
}

/// A machine as the fleet last saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Its number.
    pub id: MachineId,
    /// Everything it is made of, as it is now.
    pub spec: MachineSpec,
    /// Whether it is on.
    pub power: Power,
    /// How far its guest came.
    pub boot: Boot,
    /// The guest's host name, once its tools told.
    pub hostname: Option<String>,
    /// The guest's own addresses by NIC key, once its tools told. AnyIP ranges are not among them.
    pub addresses: BTreeMap<u32, Vec<IpAddr>>,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// The snapshot its disks are based on now.
    pub current_snapshot: Option<SnapshotId>,
}

impl Machine {
    /// Takes in what its guest tells of itself.
    pub fn hear(&mut self, report: &GuestReport) {
        match report {
            GuestReport::Up => self.boot = Boot::Up,
            GuestReport::BootFailed(reason) => self.boot = Boot::Failed(reason.clone()),
            GuestReport::Tools { hostname, addresses } => {
                self.hostname = Some(hostname.clone());
                self.addresses = addresses.iter().cloned().collect();
            }
            GuestReport::Service { .. }
            | GuestReport::Log { .. }
            | GuestReport::Operator { .. }
            | GuestReport::Config { .. } => {}
        }
    }
}
