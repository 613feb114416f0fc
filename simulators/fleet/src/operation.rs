//! What can be done to a fleet.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use grenadier_wire::ShellOutput;
use thiserror::Error;

use crate::machine::DiskImage;
use crate::{Hardware, MachineId, MachineSpec, Mishap, Nic, SnapshotId};

/// The number of a submitted operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationId(pub u64);

/// What can be done to a fleet. Each ends with one `FleetEvent::OperationFinished`.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Makes a machine, powered off. Its id is known at once: see `Fleet::submit_create`.
    Create {
        /// The id it was given.
        id: MachineId,
        /// What it is made from.
        spec: Box<MachineSpec>,
    },
    /// Removes a machine that is off, with its disks and snapshots.
    Destroy {
        /// Which.
        machine: MachineId,
    },
    /// Turns a machine on. Ends when it is on; the guest boots afterwards.
    PowerOn {
        /// Which.
        machine: MachineId,
    },
    /// Turns a machine off at once, as pulling the plug.
    PowerOff {
        /// Which.
        machine: MachineId,
    },
    /// Asks the guest to shut down. Ends when the guest was told; it goes off by itself.
    ShutdownGuest {
        /// Which.
        machine: MachineId,
    },
    /// Off and on again without the guest being asked.
    Reset {
        /// Which.
        machine: MachineId,
    },
    /// Changes what a machine is made of.
    Reconfigure {
        /// Which.
        machine: MachineId,
        /// What changes.
        change: Reconfiguration,
    },
    /// Replaces a disk's content as a whole.
    WriteDisk {
        /// Which.
        machine: MachineId,
        /// The disk's device key.
        disk: u32,
        /// The new content.
        image: Arc<DiskImage>,
    },
    /// Takes a snapshot.
    Snapshot {
        /// Which.
        machine: MachineId,
        /// Its name.
        name: String,
        /// What its maker says of it.
        description: String,
        /// Whether it holds the memory.
        memory: bool,
    },
    /// Brings back a snapshot: hardware, configuration, records, disks, NICs, power.
    Revert {
        /// Which.
        machine: MachineId,
        /// The snapshot.
        snapshot: SnapshotId,
        /// Leave the machine off even where the snapshot would have it on.
        suppress_power_on: bool,
    },
    /// Removes a snapshot; the machine stays as it is.
    RemoveSnapshot {
        /// Which.
        machine: MachineId,
        /// The snapshot.
        snapshot: SnapshotId,
        /// Those on top of it too.
        children: bool,
    },
    /// Reads the files of a machine's disks, on or off, without the guest's help.
    ReadFiles {
        /// Which.
        machine: MachineId,
    },
    /// Writes (or, with none, removes) a file on a machine's disk without the guest's help: how a base gets its deviations.
    WriteFile {
        /// Which.
        machine: MachineId,
        /// Absolute path.
        path: String,
        /// The new content.
        content: Option<Bytes>,
    },
    /// Something happens to a machine by itself, whatever else is done to it.
    Suffer {
        /// Which.
        machine: MachineId,
        /// What.
        mishap: Mishap,
    },
    /// Asks the guest for its volatile state: processes, addresses, rules, routes it serves.
    ReadState {
        /// Which.
        machine: MachineId,
    },
}

/// What a reconfiguration changes; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconfiguration {
    /// A new name.
    pub name: Option<String>,
    /// New processors and memory.
    pub hardware: Option<Hardware>,
    /// Configuration keys; an empty value removes a key.
    pub config: BTreeMap<String, String>,
    /// Records of a cloud simulator; null removes one.
    pub record: BTreeMap<String, serde_json::Value>,
    /// NICs to add, or to replace by key.
    pub nics: Vec<Nic>,
    /// NICs to remove, by key.
    pub remove_nics: Vec<u32>,
}

/// What an operation gave.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationOutput {
    /// It is done.
    Done,
    /// The snapshot that was taken.
    Snapshot(SnapshotId),
    /// Files by absolute path.
    Files(BTreeMap<String, Bytes>),
    /// The guest's volatile state.
    State(serde_json::Value),
    /// What a command in the guest's shell left.
    Shell(ShellOutput),
}

/// Why an operation failed. Nothing has changed then, unless the variant says otherwise.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OperationError {
    /// No such machine (any more).
    #[error("{0} does not exist")]
    NoSuchMachine(MachineId),
    /// Another machine has that name.
    #[error("the name `{0}` is taken")]
    NameTaken(String),
    /// The machine is on where it must be off, or the other way round.
    #[error("machine `{machine}` is powered {actual} and must not be")]
    WrongPower {
        /// Which.
        machine: String,
        /// `on` or `off`.
        actual: &'static str,
    },
    /// Another operation works on the machine.
    #[error("another operation is in progress on `{0}`")]
    Busy(String),
    /// The host has not enough left.
    #[error("not enough {resource}: {wanted} wanted, {free} free")]
    Insufficient {
        /// `cpus`, `memory_mib` or `storage_mib`.
        resource: &'static str,
        /// How much it takes.
        wanted: u64,
        /// How much there is.
        free: u64,
    },
    /// No such device, snapshot, segment or file.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The guest does not answer, or has no agent for this.
    #[error("the guest does not answer")]
    NoGuest,
    /// This world cannot do it.
    #[error("this world cannot {0}")]
    Unsupported(Cow<'static, str>),
    /// The engine below failed; how much it did is unknown.
    #[error("{0}")]
    Engine(String),
}
