//! The virtual world: fleet, guests and a cloud simulator in one event queue.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use grenadier_clock::{Clock, Seed, Sleep, TieBreak, Time};
use grenadier_events::{Actor, EventLog};
use grenadier_fidelity::Ledger;
use grenadier_fleet::FleetEvent;
use grenadier_fleet::{
    Boot, Cloud, CloudHost, Fleet, FleetView, GuestReport, Host, ImageHeader, Machine, MachineId, MachineSpec, Names,
    Operation, OperationError, OperationId, OperationOutput, SegmentSpec, TimingProfile, Watch, WatchId,
};
use grenadier_guest::{Guest, Input};
use grenadier_wire::{Answer, Answerer, Answering, Exchange, Failure, Wire};
use tokio::sync::oneshot;

use crate::delivery::{Caller, CloudContext};
use crate::executor::{Sleeping, WakeUp, Woken};
use crate::fleet::{Due, OPERATION_REPLY, VirtualFleet};

/// Makes the guest that boots from an image; none where nothing here knows the product.
pub type GuestFactory = Box<dyn Fn(&ImageHeader, &Machine) -> Option<Box<dyn Guest>> + Send>;

/// What a virtual world is made from.
pub struct WorldConfig {
    /// What the cloud's host has.
    pub host: Host,
    /// The segments.
    pub segments: Vec<SegmentSpec>,
    /// How long things take.
    pub timing: TimingProfile,
    /// What everything random follows from.
    pub seed: Seed,
    /// What decides between events of one moment.
    pub ties: TieBreak,
    /// Host and port at which the cloud simulator answers.
    pub cloud_endpoint: String,
    /// Makes guests.
    pub guests: GuestFactory,
    /// Where everything is written.
    pub log: EventLog,
    /// Where it is noted what the run relies on.
    pub ledger: Ledger,
}

pub(crate) struct Inner {
    pub fleet: VirtualFleet,
    pub cloud: Option<Box<dyn Cloud>>,
    pub cloud_endpoint: String,
    pub callers: BTreeMap<u64, Caller>,
    pub call_count: u64,
    pub turns: BTreeMap<SocketAddr, usize>,
    pub log: EventLog,
    pub wire: Option<Wire>,
    names: Names,
    factory: GuestFactory,
    waiting: BTreeMap<OperationId, oneshot::Sender<Result<OperationOutput, OperationError>>>,
}

/// The virtual world. Clones are the same world.
#[derive(Clone)]
pub struct VirtualWorld(Arc<Mutex<Inner>>);

impl VirtualWorld {
    /// A world with segments and without machines.
    pub fn new(config: WorldConfig) -> VirtualWorld {
        let WorldConfig { host, segments, timing, seed, ties, cloud_endpoint, guests, log, ledger } = config;
        VirtualWorld(Arc::new(Mutex::new(Inner {
            fleet: VirtualFleet::new(host, segments, timing, seed, ties, ledger),
            cloud: None,
            cloud_endpoint,
            callers: BTreeMap::new(),
            call_count: 0,
            turns: BTreeMap::new(),
            log,
            wire: None,
            names: Names::default(),
            factory: guests,
            waiting: BTreeMap::new(),
        })))
    }

    /// Puts a cloud simulator above the fleet.
    pub fn host_cloud(&self, cloud: Box<dyn Cloud>) {
        self.lock().cloud = Some(cloud);
    }

    /// Gives guests the wire that names and logs their calls. It must not be connected: the world delivers them itself.
    pub fn use_wire(&self, wire: Wire) {
        self.lock().wire = Some(wire);
    }

    /// Gives the wire up again, when everything is over. The wire's clock is the world, so neither would ever be freed.
    pub fn release_wire(&self) {
        let released = self.lock().wire.take();
        drop(released);
    }

    /// What `look` makes of the fleet as it is now.
    pub fn view<T>(&self, look: impl FnOnce(&FleetView) -> T) -> T {
        look(self.lock().fleet.view())
    }

    /// What only the cloud owns, where there is a cloud.
    pub fn cloud_state(&self) -> Option<serde_json::Value> {
        self.lock().cloud.as_ref().map(|cloud| cloud.state())
    }

    /// Gives somebody the cloud's hands on the world, outside its interface: an administrator who upgrades the vCenter.
    pub fn administer<T>(&self, act: impl FnOnce(&mut dyn CloudHost) -> T) -> T {
        let inner = &mut *self.lock();
        let result = act(&mut CloudContext { fleet: &mut inner.fleet, log: &inner.log });
        inner.after();
        result
    }

    /// Performs an operation on the fleet and waits for its end.
    pub fn perform(
        &self,
        operation: Operation,
    ) -> impl Future<Output = Result<OperationOutput, OperationError>> + Send + use<> {
        let mut inner = self.lock();
        let id = inner.fleet.submit(operation);
        inner.wait(id)
    }

    /// Makes a machine; its id is known at once.
    pub fn create(
        &self,
        spec: MachineSpec,
    ) -> (MachineId, impl Future<Output = Result<OperationOutput, OperationError>> + Send + use<>) {
        let mut inner = self.lock();
        let (machine, id) = inner.fleet.submit_create(spec);
        (machine, inner.wait(id))
    }

    /// Starts to look at a target, under these names in the log.
    pub fn watch(&self, watch: Watch, target: &str, client: &str) -> WatchId {
        let mut inner = self.lock();
        let kind = watch.kind;
        let id = inner.fleet.watch(watch);
        inner.names.name_watch(id, target, client, kind);
        inner.after();
        id
    }

    /// Stops to look.
    pub fn unwatch(&self, watch: WatchId) {
        self.lock().fleet.unwatch(watch);
    }

    /// Runs `main` to its end, moving the time whenever it waits.
    ///
    /// # Panics
    /// Where `main` waits and nothing will ever happen again.
    pub fn block_on<F: Future>(&self, main: F) -> F::Output {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut main = pin!(main);
        loop {
            if let Poll::Ready(output) = main.as_mut().poll(&mut context) {
                return output;
            }
            while !woken.take() {
                assert!(self.lock().step(), "the virtual world is idle and somebody still waits for it");
            }
        }
    }

    pub(crate) fn look_inside<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.lock())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualWorld {
    fn now(&self) -> Time {
        self.lock().fleet.now()
    }

    fn sleep(&self, length: Duration) -> Sleep {
        let wake_up = Arc::new(WakeUp::default());
        let inner = &mut *self.lock();
        let at = inner.fleet.now() + length;
        inner.fleet.push(at, Due::Wake(Arc::clone(&wake_up)));
        Box::pin(Sleeping(wake_up))
    }
}

impl Answerer for VirtualWorld {
    fn answer(&self, _actor: Actor, exchange: Exchange) -> Answering {
        let endpoint = exchange.endpoint().to_owned();
        let answer = self.lock().send(exchange);
        Box::pin(async move {
            // The world drops a caller only with itself.
            answer.await.unwrap_or(Err(Failure::ConnectionLost { endpoint })) as Result<Answer, Failure>
        })
    }
}

impl Inner {
    fn wait(
        &mut self,
        id: OperationId,
    ) -> impl Future<Output = Result<OperationOutput, OperationError>> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.insert(id, sender);
        self.after();
        async move { receiver.await.unwrap_or_else(|_| Err(OperationError::Engine("the world is gone".to_owned()))) }
    }

    /// Takes the next event; whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        let Some((_, due)) = self.fleet.queue.pop() else { return false };
        let Some(due) = self.fleet.hold(due) else { return true };
        match due {
            Due::Wake(wake_up) => wake_up.ring(),
            Due::Operation(id) => self.fleet.operation_due(id),
            Due::FirstInstruction { machine, epoch } => self.first_instruction(machine, epoch),
            Due::GuestTimer { machine, epoch, key, generation } => {
                let lives = self.lives(machine, epoch);
                if lives && self.fleet.runtimes[&machine].kernel.timers.get(key) == Some(&generation) {
                    self.fleet.runtimes.get_mut(&machine).expect("it lives").kernel.timers.remove(key);
                    self.fleet.tell_guest(machine, Input::Timer(key));
                }
            }
            Due::GuestReconfigured { machine, epoch } => {
                if self.lives(machine, epoch) {
                    self.fleet.tell_guest(machine, Input::Reconfigured);
                }
            }
            Due::GuestInput { machine, epoch, input } => {
                if self.lives(machine, epoch) {
                    self.fleet.tell_guest(machine, *input);
                }
            }
            Due::CloudTimer(key) => {
                if let Some(mut cloud) = self.cloud.take() {
                    cloud.timer(key, &mut CloudContext { fleet: &mut self.fleet, log: &self.log });
                    self.cloud = Some(cloud);
                }
            }
            Due::Deliver(delivery) => self.deliver(*delivery),
            Due::Return { call, result } => self.returned(call, result),
            Due::Neighbour { client, address, generation } => self.fleet.neighbour_due(client, address, generation),
        }
        self.after();
        true
    }

    /// Everything that follows from an event at its very moment.
    pub(crate) fn after(&mut self) {
        loop {
            self.fleet.settle();
            self.send_guest_calls();
            for (to, answer) in std::mem::take(&mut self.fleet.replies) {
                match answer {
                    Answer::Shell(output) if to.0 & OPERATION_REPLY != 0 => {
                        let id = OperationId(to.0 & !OPERATION_REPLY);
                        self.fleet.finish(id, Ok(OperationOutput::Shell(output)));
                    }
                    answer => self.back(to.0, Ok(answer)),
                }
            }
            let events = self.fleet.take_events();
            if events.is_empty() {
                return;
            }
            for event in events {
                self.tell(event);
            }
        }
    }

    fn tell(&mut self, event: FleetEvent) {
        if let Some((actor, kind)) = self.names.translate(&event, &self.fleet.view) {
            self.log.emit(self.fleet.now(), actor, kind);
        }
        if let Some(mut cloud) = self.cloud.take() {
            cloud.fleet_event(&event, &mut CloudContext { fleet: &mut self.fleet, log: &self.log });
            self.cloud = Some(cloud);
        }
        if let FleetEvent::OperationFinished { id, result } = event
            && let Some(sender) = self.waiting.remove(&id)
        {
            // Whoever performed it may have stopped waiting.
            let _unheard = sender.send(result);
        }
    }

    fn lives(&self, machine: MachineId, epoch: u64) -> bool {
        self.fleet.runtimes.get(&machine).is_some_and(|runtime| runtime.epoch == epoch)
    }

    /// The firmware hands over to whatever the first disk holds.
    fn first_instruction(&mut self, id: MachineId, epoch: u64) {
        if !self.lives(id, epoch) {
            return;
        }
        let runtime = self.fleet.runtimes.get_mut(&id).expect("it lives");
        if std::mem::take(&mut runtime.mishaps.boot_fails) {
            return self.boot_failed(id, "the disk does not answer".to_owned());
        }
        let machine = &self.fleet.view.machines[&id];
        let image = machine.spec.disks.first().and_then(|disk| disk.image.as_ref());
        let guest = image.and_then(|image| (self.factory)(&image.header, machine));
        match guest {
            Some(guest) => {
                self.fleet.guests.insert(id, guest);
                self.fleet.tell_guest(id, Input::Boot);
            }
            None => {
                let reason = match image {
                    None => "no bootable disk".to_owned(),
                    Some(image) => format!("nothing boots from an image of `{}`", image.header.product),
                };
                self.boot_failed(id, reason);
            }
        }
    }

    fn boot_failed(&mut self, id: MachineId, reason: String) {
        self.fleet.view.machines.get_mut(&id).expect("it lives").boot = Boot::Failed(reason.clone());
        let report = GuestReport::BootFailed(reason);
        self.fleet.events.push(FleetEvent::Guest { machine: id, report });
    }
}
