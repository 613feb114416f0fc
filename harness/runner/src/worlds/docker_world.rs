//! The docker world as a stage: containers, real time, and the vCenter behind a TLS listener.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use grenadier_carriers::{Handler, Handling, TcpClient, TlsError, TlsIdentity, fingerprint, serve};
use grenadier_catalog::{Named, Segment};
use grenadier_clock::{Clock, Seed, Time};
use grenadier_events::{Actor, EventLog, Kind};
use grenadier_fleet::{
    Cloud, CloudHost, Fleet, FleetEvent, FleetView, MachineId, MachineSpec, Names, Operation, OperationError,
    OperationId, OperationOutput, Watch, WatchId,
};
use grenadier_fleet_docker::blocks::{ATTEMPTS, BlocksError, free_blocks};
use grenadier_fleet_docker::clock::RealClock;
use grenadier_fleet_docker::engine::Docker;
use grenadier_fleet_docker::sweep::SweepReport;
use grenadier_fleet_docker::{DockerFleet, DockerFleetConfig, DockerHandle, StartError};
use grenadier_scenario::Blocks;
use grenadier_wire::{Answer, Answerer, Answering, Exchange, Failure, ReplyTo, Wire};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::options::EngineProgram;
use crate::setting::{Setting, VCENTER_ENDPOINT};
use crate::stage::{Pace, Performing, Stage};
use crate::worlds::SharedCloud;
use crate::worlds::virtual_world::segment_specs;

/// How long guests and operators take in the docker world: real programs at their own pace, and timers short enough that a
/// swap and its rollback fit into half a minute. Neighbour timers are shortened alike on all machines that look at addresses.
pub(crate) const PACE: Pace = Pace {
    reload_delay_ms: Some(300),
    backoff_initial_ms: 200,
    backoff_max_ms: 2_000,
    resync_ms: 700,
    poll_ms: 50,
    routes_within: Duration::from_secs(30),
    neighbour: Some(r#"{"base-reachable-ms":1000,"delay-probe-ms":100,"retrans-ms":100}"#),
    lasts_to_horizon: false,
};

/// The name of the node image every run needs beside its appliances'.
pub(crate) const NODE_IMAGE: &str = "grenadier/node:bookworm";

/// Why the docker world cannot be set up: the environment is not fit (exit code 3).
#[derive(Debug, Error)]
pub enum DockerWorldError {
    /// The engine has no addresses for another run.
    #[error(transparent)]
    Blocks(#[from] BlocksError),
    /// The fleet did not start.
    #[error("start the fleet")]
    Start(#[from] StartError),
    /// The vCenter's listener could not be opened.
    #[error("open the vCenter's listener on loopback")]
    Listen(#[source] std::io::Error),
    /// The vCenter's certificate could not be made.
    #[error("make the vCenter's certificate")]
    Certificate(#[from] TlsError),
}

/// Starts a fleet with these segments in blocks that are free, choosing anew as long as another run is faster.
pub(crate) async fn start(
    docker: &Docker,
    segments: &[Segment],
    config: impl Fn(&Blocks) -> DockerFleetConfig,
) -> Result<(DockerFleet, Blocks), DockerWorldError> {
    let mut attempt = 0;
    loop {
        let free = free_blocks(docker, segments.len(), attempt).await?;
        let blocks = Blocks::new(segments.iter().copied().zip(free));
        match DockerFleet::start(docker.clone(), config(&blocks)).await {
            Ok(fleet) => return Ok((fleet, blocks)),
            Err(error) if error.is_taken() && attempt + 1 < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Fleet, cloud and everybody who waits for them.
struct Hub {
    /// None only once the run is being taken down.
    fleet: Option<DockerFleet>,
    cloud: SharedCloud,
    names: Names,
    log: EventLog,
    clock: RealClock,
    replies: BTreeMap<u64, oneshot::Sender<http::Response<Bytes>>>,
    reply_count: u64,
    waiting: BTreeMap<OperationId, oneshot::Sender<Result<OperationOutput, OperationError>>>,
    /// Timers that the cloud set at this event, to be started outside the lock.
    timers: Vec<(u64, Duration)>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Hub>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Hub> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the hub, and everything that follows from it.
    fn act<T>(&self, act: impl FnOnce(&mut Hub) -> T) -> T {
        let (result, timers) = {
            let hub = &mut *self.lock();
            let result = act(hub);
            hub.pump();
            (result, std::mem::take(&mut hub.timers))
        };
        for (key, after) in timers {
            self.start_timer(key, after);
        }
        result
    }

    #[allow(clippy::disallowed_methods, reason = "a timer of the docker world goes off in real time")]
    fn start_timer(&self, key: u64, after: Duration) {
        let shared = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            shared.act(|hub| {
                if hub.fleet.is_some() {
                    hub.with_cloud(|cloud, host| cloud.timer(key, host));
                }
            });
        });
    }

    fn perform(&self, operation: Operation) -> Performing {
        let answer = self.act(|hub| {
            let id = hub.fleet().submit(operation);
            hub.wait(id)
        });
        Box::pin(ended(answer))
    }
}

async fn ended(
    answer: oneshot::Receiver<Result<OperationOutput, OperationError>>,
) -> Result<OperationOutput, OperationError> {
    answer.await.unwrap_or_else(|_| Err(OperationError::Engine("the world is gone".to_owned())))
}

impl Hub {
    fn fleet(&mut self) -> &mut DockerFleet {
        self.fleet.as_mut().expect("nobody acts on a world that is being taken down")
    }

    fn wait(&mut self, id: OperationId) -> oneshot::Receiver<Result<OperationOutput, OperationError>> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.insert(id, sender);
        receiver
    }

    fn with_cloud<T>(&mut self, act: impl FnOnce(&mut SharedCloud, &mut CloudContext<'_>) -> T) -> T {
        let mut cloud = self.cloud.clone();
        let mut host = CloudContext {
            fleet: self.fleet.as_mut().expect("nobody acts on a world that is being taken down"),
            log: &self.log,
            clock: self.clock,
            replies: &mut self.replies,
            timers: &mut self.timers,
        };
        act(&mut cloud, &mut host)
    }

    /// Takes the fleet's events and tells everybody.
    fn pump(&mut self) {
        loop {
            let events = self.fleet.as_mut().map(Fleet::take_events).unwrap_or_default();
            if events.is_empty() {
                return;
            }
            for event in events {
                let view = self.fleet.as_ref().map(DockerFleet::view);
                if let Some((actor, kind)) = view.and_then(|view| self.names.translate(&event, view)) {
                    self.log.emit(self.clock.now(), actor, kind);
                }
                self.with_cloud(|cloud, host| cloud.fleet_event(&event, host));
                if let FleetEvent::OperationFinished { id, result } = event
                    && let Some(sender) = self.waiting.remove(&id)
                {
                    // Whoever performed it may have stopped waiting.
                    let _unheard = sender.send(result);
                }
            }
        }
    }
}

/// A cloud simulator's hands on the docker world.
struct CloudContext<'a> {
    fleet: &'a mut DockerFleet,
    log: &'a EventLog,
    clock: RealClock,
    replies: &'a mut BTreeMap<u64, oneshot::Sender<http::Response<Bytes>>>,
    timers: &'a mut Vec<(u64, Duration)>,
}

impl CloudHost for CloudContext<'_> {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn fleet(&mut self) -> &mut dyn Fleet {
        self.fleet
    }

    fn timer(&mut self, key: u64, after: Duration) {
        self.timers.push((key, after));
    }

    fn reply(&mut self, to: ReplyTo, response: http::Response<Bytes>) {
        if let Some(sender) = self.replies.remove(&to.0) {
            // The client may have gone away.
            let _unheard = sender.send(response);
        }
    }

    fn emit(&mut self, kind: Kind) {
        self.log.emit(self.clock.now(), Actor::World, kind);
    }
}

/// The vCenter behind its listener.
impl Handler for Shared {
    fn handle(&self, request: http::Request<Bytes>) -> Handling {
        let (sender, receiver) = oneshot::channel();
        self.act(|hub| {
            hub.reply_count += 1;
            let reply = ReplyTo(hub.reply_count);
            hub.replies.insert(reply.0, sender);
            hub.with_cloud(|cloud, host| cloud.handle(reply, request, host));
        });
        let lost = || Failure::ConnectionLost { endpoint: VCENTER_ENDPOINT.to_owned() };
        Box::pin(async move { receiver.await.map_err(|_| lost()) })
    }
}

/// What stands behind the wire: the vCenter by TCP and TLS, machines by their addresses.
struct Behind {
    vcenter: TcpClient,
    machines: DockerHandle,
    /// The cloud in process, for a call whose fault is the simulator's: that mark does not travel over TCP.
    direct: Shared,
}

impl Answerer for Behind {
    fn answer(&self, actor: Actor, exchange: Exchange) -> Answering {
        match exchange {
            Exchange::Http(http) if http.endpoint == VCENTER_ENDPOINT => {
                if grenadier_wire::asked_of_simulator(&http.request).is_some() {
                    let answer = self.direct.handle(http.request);
                    return Box::pin(async move { answer.await.map(Answer::Http) });
                }
                self.vcenter.answer(actor, Exchange::Http(http))
            }
            Exchange::Http(http) => {
                let machines = self.machines.clone();
                Box::pin(async move { machines.guest_http(http).await })
            }
            Exchange::Shell(shell) => {
                let machines = self.machines.clone();
                Box::pin(async move { machines.guest_shell(shell).await })
            }
        }
    }
}

/// The docker world with a vCenter in it.
pub(crate) struct DockerStage {
    shared: Shared,
    clock: RealClock,
    wire: Wire,
    log: EventLog,
    blocks: Blocks,
    vcenter_pin: String,
    engine: EngineProgram,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    machines: DockerHandle,
}

impl DockerStage {
    /// Sets the stage: networks, the agent's volume, the vCenter's listener, and no machine yet.
    pub(crate) async fn start(
        docker: Docker,
        seed: Seed,
        log: EventLog,
        setting: &Setting,
        run_dir: PathBuf,
    ) -> Result<DockerStage, DockerWorldError> {
        let clock = RealClock::start();
        let program = PathBuf::from("/proc/self/exe");
        let engine = EngineProgram { program: program.clone(), folder: run_dir.join("engine") };
        let config = |blocks: &Blocks| DockerFleetConfig {
            run_id: format!("{}-{}", std::process::id(), seed),
            run_dir: run_dir.clone(),
            segments: segment_specs(blocks),
            host: setting.host,
            seed,
            clock: Arc::new(clock),
            program: program.clone(),
            node_image: NODE_IMAGE.to_owned(),
        };
        let (fleet, blocks) = start(&docker, Segment::ALL, config).await?;
        let machines = fleet.handle();
        let shared = Shared(Arc::new(Mutex::new(Hub {
            fleet: Some(fleet),
            cloud: SharedCloud::new(setting.vcenter(seed)),
            names: Names::default(),
            log: log.clone(),
            clock,
            replies: BTreeMap::new(),
            reply_count: 0,
            waiting: BTreeMap::new(),
            timers: Vec::new(),
        })));
        let (identity, vcenter_pin) = vcenter_identity()?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(DockerWorldError::Listen)?;
        let address: SocketAddr = listener.local_addr().map_err(DockerWorldError::Listen)?;
        let handler: Arc<dyn Handler> = Arc::new(shared.clone());
        let listening = tokio::spawn(async move {
            // It ends with the run; an error means that no further connection is accepted, which calls then tell.
            let _ended = serve(listener, Some(identity), handler).await;
        });
        let (pumping, bell) = (shared.clone(), machines.clone());
        let pumping = tokio::spawn(async move {
            loop {
                bell.wait_for_events().await;
                pumping.act(|_| ());
            }
        });
        let wire = Wire::new(setting.protocols(), Arc::new(clock), log.clone());
        let calls = machines.clone();
        let vcenter = TcpClient::new(BTreeMap::from([(VCENTER_ENDPOINT.to_owned(), address)]));
        let wire = wire.connected(Arc::new(Behind { vcenter, machines: calls, direct: shared.clone() }));
        Ok(DockerStage {
            shared,
            clock,
            wire,
            log,
            blocks,
            vcenter_pin,
            engine,
            tasks: vec![listening, pumping],
            machines,
        })
    }

    /// Calls to its machines, and news of whether it is still there.
    pub(crate) fn machines(&self) -> DockerHandle {
        self.machines.clone()
    }

    /// Removes everything of the run from the engine. Nobody acts on this world any more.
    pub(crate) async fn shutdown(&mut self) -> SweepReport {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks.drain(..) {
            // It was told to end just now.
            let _aborted = task.await;
        }
        let fleet = self.shared.lock().fleet.take();
        match fleet {
            Some(fleet) => fleet.shutdown().await,
            None => SweepReport::default(),
        }
    }
}

/// A certificate for the vCenter's listener: nobody but this run trusts it, and it does so by its fingerprint.
fn vcenter_identity() -> Result<(TlsIdentity, String), TlsError> {
    let made = rcgen::generate_simple_self_signed(vec!["vcenter.example".to_owned()]);
    let made = made.expect("a self-signed certificate needs nothing but randomness");
    let identity = TlsIdentity::from_pem(&made.cert.pem(), &made.signing_key.serialize_pem())?;
    Ok((identity, fingerprint(made.cert.der())))
}

impl Stage for DockerStage {
    fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn log(&self) -> &EventLog {
        &self.log
    }

    fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    fn pace(&self) -> &Pace {
        &PACE
    }

    fn vcenter(&self) -> (String, Option<String>) {
        (VCENTER_ENDPOINT.to_owned(), Some(self.vcenter_pin.clone()))
    }

    fn perform(&self, operation: Operation) -> Performing {
        self.shared.perform(operation)
    }

    fn create(&self, spec: MachineSpec) -> (MachineId, Performing) {
        let (machine, answer) = self.shared.act(|hub| {
            let (machine, id) = hub.fleet().submit_create(spec);
            (machine, hub.wait(id))
        });
        (machine, Box::pin(ended(answer)))
    }

    fn look(&self, look: &mut dyn FnMut(&FleetView)) {
        look(self.shared.lock().fleet().view());
    }

    fn watch(&self, watch: Watch, target: &str, client: &str) -> WatchId {
        self.shared.act(|hub| {
            let kind = watch.kind;
            let id = hub.fleet().watch(watch);
            hub.names.name_watch(id, target, client, kind);
            id
        })
    }

    fn unwatch(&self, watch: WatchId) {
        self.shared.act(|hub| hub.fleet().unwatch(watch));
    }

    fn time_is_virtual(&self) -> bool {
        false
    }

    fn engine_program(&self) -> Option<&EngineProgram> {
        Some(&self.engine)
    }

    fn cloud_state(&self) -> serde_json::Value {
        self.shared.lock().cloud.state()
    }

    fn upgrade_cloud(&self, version: &str) {
        self.shared.act(|hub| hub.with_cloud(|cloud, host| cloud.lock().set_version(version, host)));
    }
}
