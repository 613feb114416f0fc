//! The fleet contract: machines, networks, addresses, disks, snapshots of a world.
//!
//! Whoever drives a fleet (a cloud simulator, the runner) submits [`Operation`]s, reads the cached [`FleetView`] and is told
//! of [`FleetEvent`]s. There is no asynchronous trait and no implementation here: the virtual fleet and the docker fleet are
//! crates of their own.
//!
//! The fleet owns whatever a snapshot must bring back: hardware, configuration, disks, NICs, power, and the records that a
//! cloud simulator stores *on* the machine.

mod address;
mod cloud;
mod contract;
mod event;
mod hash;
mod image;
mod machine;
mod mishap;
mod operation;
mod timing;
mod translate;
mod watch;

pub use address::{Mac, SegmentId};
pub use cloud::{Cloud, CloudHost};
pub use contract::{Fleet, FleetView, Host, SegmentSpec};
pub use event::{FleetEvent, GuestReport};
pub use hash::sha256_hex;
pub use image::{ImageError, ImageHeader};
pub use machine::{Boot, Disk, DiskImage, Hardware, Machine, MachineId, MachineSpec, Nic, Power, Snapshot, SnapshotId};
pub use mishap::Mishap;
pub use operation::{Operation, OperationError, OperationId, OperationOutput, Reconfiguration};
pub use timing::TimingProfile;
pub use translate::Names;
pub use watch::{Observation, ServedBy, Watch, WatchId};

pub use grenadier_events::{FailureClass, ProbeKind, ProberFigures, ProberState};
