//! The virtual fleet: the contract's view, the machines' private sides and the queue.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Queue, Seed, Stream, TieBreak, Time};
use grenadier_fidelity::Ledger;
use grenadier_fleet::{
    Fleet, FleetEvent, FleetView, Host, MachineId, MachineSpec, Operation, OperationError, OperationId,
    OperationOutput, SegmentId, SegmentSpec, SnapshotId, TimingProfile, Watch, WatchId,
};
use grenadier_guest::{CallKey, Guest, Input, TimerKey};
use grenadier_wire::{Answer, Exchange, Failure, ReplyTo, ShellExchange};

use crate::delivery::Delivery;
use crate::executor::WakeUp;
use crate::fidelity;
use crate::runtime::Runtime;
use crate::segment::Claims;
use crate::watches::Watching;

/// What is due at some moment.
pub(crate) enum Due {
    /// A sleeper outside wakes.
    Wake(Arc<WakeUp>),
    /// An operation takes effect.
    Operation(OperationId),
    /// A guest's first instruction.
    FirstInstruction { machine: MachineId, epoch: u64 },
    /// A guest's timer.
    GuestTimer { machine: MachineId, epoch: u64, key: TimerKey, generation: u64 },
    /// A guest is told that its configuration changed.
    GuestReconfigured { machine: MachineId, epoch: u64 },
    /// A guest is told what waited for it.
    GuestInput { machine: MachineId, epoch: u64, input: Box<Input> },
    /// A cloud simulator's timer.
    CloudTimer(u64),
    /// An exchange arrives where it was sent.
    Deliver(Box<Delivery>),
    /// An answer (or the lack of one) arrives back.
    Return { call: u64, result: Result<Answer, Failure> },
    /// A neighbour entry's time is over.
    Neighbour { client: MachineId, address: IpAddr, generation: u64 },
}

/// Marks answers that are for an operation, not for a caller.
pub(crate) const OPERATION_REPLY: u64 = 1 << 63;

/// The queue's components, which order what is due at one moment.
const COMPONENT_FLEET: u32 = 1;

/// Machines, segments, disks and snapshots without a real thing among them.
pub struct VirtualFleet {
    pub(crate) view: FleetView,
    pub(crate) runtimes: BTreeMap<MachineId, Runtime>,
    pub(crate) guests: BTreeMap<MachineId, Box<dyn Guest>>,
    pub(crate) queue: Queue<Due>,
    pub(crate) timing: TimingProfile,
    pub(crate) events: Vec<FleetEvent>,
    pub(crate) claims: BTreeMap<SegmentId, Claims>,
    pub(crate) watches: BTreeMap<WatchId, Watching>,
    pub(crate) watch_count: u32,
    pub(crate) pending: BTreeMap<OperationId, Operation>,
    pub(crate) generations: u64,
    pub(crate) seed: Seed,
    pub(crate) jitter: Stream,
    /// Which packets are lost.
    pub(crate) losses: Stream,
    pub(crate) machine_count: u32,
    pub(crate) snapshot_count: u32,
    /// Answers that guests and the cloud gave at this event.
    pub(crate) replies: Vec<(ReplyTo, Answer)>,
    /// Calls that guests made at this event.
    pub(crate) calls: Vec<GuestCall>,
    /// The files of machines that are being cloned, by the clone.
    pub(crate) copied: BTreeMap<MachineId, BTreeMap<String, Bytes>>,
    operation_count: u64,
    /// Something changed that watches may see.
    dirty: bool,
    /// Something changed that decides who owns which address.
    owners_dirty: bool,
    /// What the run relies on.
    pub(crate) ledger: Ledger,
}

/// A call that a guest made.
pub(crate) struct GuestCall {
    pub machine: MachineId,
    pub epoch: u64,
    pub key: CallKey,
    pub exchange: Exchange,
}

impl VirtualFleet {
    /// An empty fleet.
    pub fn new(
        host: Host,
        segments: Vec<SegmentSpec>,
        timing: TimingProfile,
        seed: Seed,
        ties: TieBreak,
        ledger: Ledger,
    ) -> VirtualFleet {
        let timing = if ledger.holds(&fidelity::DURATIONS) { timing } else { timing.slower(3) };
        let segments = segments.into_iter().map(|segment| (segment.name.clone(), segment)).collect();
        VirtualFleet {
            view: FleetView { host, segments, machines: BTreeMap::new() },
            runtimes: BTreeMap::new(),
            guests: BTreeMap::new(),
            queue: Queue::new(ties),
            timing,
            events: Vec::new(),
            claims: BTreeMap::new(),
            watches: BTreeMap::new(),
            watch_count: 0,
            pending: BTreeMap::new(),
            generations: 0,
            seed,
            jitter: seed.stream("fleet", "jitter"),
            losses: seed.stream("fleet", "losses"),
            machine_count: 0,
            snapshot_count: 0,
            replies: Vec::new(),
            calls: Vec::new(),
            copied: BTreeMap::new(),
            operation_count: 0,
            dirty: false,
            owners_dirty: false,
            ledger,
        }
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        self.queue.now()
    }

    pub(crate) fn push(&mut self, at: Time, due: Due) {
        self.queue.push(at, COMPONENT_FLEET, due);
    }

    /// `length`, as long as it takes this time.
    pub(crate) fn about(&mut self, length: Duration) -> Duration {
        self.jitter.jitter(length, self.timing.jitter_percent)
    }

    /// Something changed that watches may see, and that leaves every address with its owners.
    pub(crate) fn changed(&mut self) {
        self.dirty = true;
    }

    /// Something changed that decides who owns which address: power, network cards, addresses, local routes.
    pub(crate) fn owners_changed(&mut self) {
        self.owners_dirty = true;
        self.changed();
    }

    /// Tells owners and watches of changes, once for all that happened at this event.
    pub(crate) fn settle(&mut self) {
        while std::mem::take(&mut self.dirty) {
            if std::mem::take(&mut self.owners_dirty) {
                self.tell_owners();
            }
            self.look();
        }
    }

    pub(crate) fn finish(&mut self, id: OperationId, result: Result<OperationOutput, OperationError>) {
        self.events.push(FleetEvent::OperationFinished { id, result });
    }
}

impl Fleet for VirtualFleet {
    fn submit(&mut self, operation: Operation) -> OperationId {
        self.operation_count += 1;
        let id = OperationId(self.operation_count);
        match self.begin(&operation) {
            Err(error) => self.finish(id, Err(error)),
            Ok(length) => {
                let length = self.about(length);
                self.pending.insert(id, operation);
                self.push(self.now() + length, Due::Operation(id));
            }
        }
        id
    }

    fn submit_create(&mut self, spec: MachineSpec) -> (MachineId, OperationId) {
        self.machine_count += 1;
        let id = MachineId(self.machine_count);
        (id, self.submit(Operation::Create { id, spec: Box::new(spec) }))
    }

    fn submit_clone(
        &mut self,
        spec: MachineSpec,
        source: MachineId,
        snapshot: Option<SnapshotId>,
    ) -> (MachineId, OperationId) {
        let files = self.runtimes.get(&source).map(|runtime| match snapshot {
            None => runtime.files.clone(),
            Some(id) => runtime.snapshots.get(&id).map(|kept| kept.files.clone()).unwrap_or_default(),
        });
        let (id, operation) = self.submit_create(spec);
        self.copied.insert(id, files.unwrap_or_default());
        (id, operation)
    }

    fn submit_shell(&mut self, machine: MachineId, command: ShellExchange) -> Option<OperationId> {
        self.operation_count += 1;
        let id = OperationId(self.operation_count);
        let reply = ReplyTo(OPERATION_REPLY | id.0);
        if !self.tell_guest(machine, Input::Shell { reply, command }) {
            self.finish(id, Err(OperationError::NoGuest));
        }
        Some(id)
    }

    fn view(&self) -> &FleetView {
        &self.view
    }

    fn watch(&mut self, watch: Watch) -> WatchId {
        self.start_watch(watch)
    }

    fn unwatch(&mut self, watch: WatchId) {
        self.watches.remove(&watch);
    }

    fn take_events(&mut self) -> Vec<FleetEvent> {
        std::mem::take(&mut self.events)
    }
}
