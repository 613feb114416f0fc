//! What the fleet, its workers and its handles share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bollard::Docker;
use grenadier_agent::protocol::FromAgent;
use grenadier_clock::{Clock, Seed};
use grenadier_fleet::DiskImage;
use grenadier_fleet::{
    MachineId, MachineSpec, OperationError, OperationId, OperationOutput, Power, Reconfiguration, SegmentId,
    SegmentSpec, SnapshotId,
};
use ipnet::IpNet;
use tokio::sync::{Notify, RwLock};

use crate::claims::Silence;
use crate::container::Container;
use crate::owner::Owner;
use crate::session::Session;

/// What changed when an operation ended: the sync side applies it to the view.
#[derive(Debug)]
pub(crate) enum Change {
    None,
    Created(Box<MachineSpec>),
    Destroyed,
    Power {
        power: Power,
        epoch: u64,
    },
    /// Off, and on again in a new life.
    Reset {
        epoch: u64,
    },
    Reconfigured(Box<Reconfiguration>),
    DiskWritten {
        disk: u32,
        image: Arc<DiskImage>,
    },
    SnapshotTaken {
        name: String,
        description: String,
        image: Option<String>,
    },
    Reverted {
        snapshot: SnapshotId,
    },
    SnapshotsRemoved(Vec<SnapshotId>),
    /// Cut off from its networks, or not any more.
    Silence(Silence),
}

/// News from workers and agents.
#[derive(Debug)]
pub(crate) enum Note {
    /// An operation ended.
    Finished { id: OperationId, machine: MachineId, result: Result<(OperationOutput, Change), OperationError> },
    /// An agent told something.
    Agent { machine: MachineId, epoch: u64, message: FromAgent },
    /// A container ended, with or without being asked to.
    Ended { machine: MachineId, epoch: u64, how: String },
}

/// News in order, and a bell.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    queue: Mutex<VecDeque<Note>>,
    bell: Notify,
}

impl Notes {
    pub(crate) fn push(&self, note: Note) {
        lock(&self.queue).push_back(note);
        self.bell.notify_one();
    }

    pub(crate) fn take(&self) -> VecDeque<Note> {
        std::mem::take(&mut lock(&self.queue))
    }

    /// Waits until there is something to take.
    pub(crate) async fn wait(&self) {
        loop {
            // The bell remembers one ring, so that one between the look and the wait is not lost.
            let rung = self.bell.notified();
            if !lock(&self.queue).is_empty() {
                return;
            }
            rung.await;
        }
    }
}

/// A machine whose agent talks.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    pub(crate) name: String,
    pub(crate) epoch: u64,
    pub(crate) session: Session,
    pub(crate) claims: Vec<IpNet>,
    /// Nobody reaches it through its networks.
    pub(crate) is_silent: bool,
    /// How late comes what it is sent.
    pub(crate) delay: Duration,
    /// The engine's id of its container, and who works on it.
    pub(crate) id: String,
    pub(crate) container: Arc<tokio::sync::Mutex<Container>>,
}

pub(crate) struct Shared {
    pub(crate) docker: Docker,
    pub(crate) owner: Owner,
    pub(crate) seed: Seed,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) node_image: String,
    pub(crate) segments: BTreeMap<SegmentId, SegmentSpec>,
    pub(crate) notes: Notes,
    /// Held for reading while something is changed on the engine, and for writing by the end of the fleet.
    pub(crate) changing: RwLock<()>,
    pub(crate) present: Mutex<BTreeMap<MachineId, Present>>,
    /// The machine that makes calls for those outside.
    pub(crate) relay: OnceLock<Session>,
    /// One for each network, held while a container is plugged into it or out of it: [`Shared::plugging`].
    pub(crate) plugs: BTreeMap<SegmentId, tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("run", &self.owner.run).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn run(&self) -> &str {
        &self.owner.run
    }

    pub(crate) fn present(&self) -> MutexGuard<'_, BTreeMap<MachineId, Present>> {
        lock(&self.present)
    }

    /// Held while a container is plugged into these networks or out of them. Engine 20.10 loses count of a network's endpoints when
    /// several containers start and end on it at once, and then never lets go of the network.
    pub(crate) async fn plugging(&self, segments: &[SegmentId]) -> Vec<tokio::sync::MutexGuard<'_, ()>> {
        let mut held = Vec::new();
        // Always in the same order, so that nobody waits for somebody who waits for him.
        for (_, plug) in self.plugs.iter().filter(|(segment, _)| segments.contains(segment)) {
            held.push(plug.lock().await);
        }
        held
    }

    /// A machine's life ended. A later life of it is left alone.
    pub(crate) fn forget(&self, machine: MachineId, epoch: u64) {
        let mut present = self.present();
        if present.get(&machine).is_some_and(|present| present.epoch == epoch) {
            present.remove(&machine);
        }
    }

    /// The name of the container that makes calls for those outside.
    pub(crate) fn relay_container(&self) -> String {
        format!("grenadier-{}-relay", self.run())
    }

    /// The volume that the agent's program lies in.
    pub(crate) fn program_volume(&self) -> String {
        format!("grenadier-{}-agent", self.run())
    }
}

/// A lock whose holder panicked guards data that is still whole: every change here is one statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
