//! A fleet of one test, and waiting for what happens in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bytes::Bytes;
use futures_util::StreamExt;
use grenadier_clock::{Clock, Seed};
use grenadier_fleet::{
    Boot, Disk, DiskImage, Fleet, FleetEvent, Hardware, ImageHeader, Mac, MachineId, MachineSpec, Nic, Operation,
    OperationError, OperationOutput, SegmentSpec,
};
use grenadier_fleet_contract::{HOST, RESPONDER, Wish};
use grenadier_fleet_docker::clock::RealClock;
use grenadier_fleet_docker::{DockerFleet, DockerFleetConfig};
use grenadier_wire::{Answer, Failure, HttpExchange, ShellExchange, ShellOutput};
use ipnet::IpNet;
use tempfile::TempDir;

pub(crate) const NODE_IMAGE: &str = "grenadier/node:bookworm";

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A fleet with segments of its own.
pub(crate) struct World {
    pub(crate) fleet: DockerFleet,
    pub(crate) docker: Docker,
    pub(crate) run: String,
    /// The clock that the fleet's events are timed by.
    pub(crate) clock: Arc<dyn Clock>,
    /// Everything that happened so far.
    pub(crate) events: Vec<FleetEvent>,
    block: u8,
    macs: u32,
    _directory: TempDir,
}

/// The blocks of addresses in use: tests run side by side. Each is a /22 of 198.19.0.0/16.
static BLOCKS: Mutex<BTreeSet<u8>> = Mutex::new(BTreeSet::new());

fn blocks() -> MutexGuard<'static, BTreeSet<u8>> {
    BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a free block; the run that had it before has ended.
fn free_block() -> u8 {
    let mut taken = blocks();
    let block = (0..64).find(|block| !taken.contains(block)).expect("fewer tests at once than blocks of addresses");
    taken.insert(block);
    block
}

/// How many runs there have been: each has a name of its own.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// What a fleet of these tests is started with.
pub(crate) fn config(run: &str, directory: &std::path::Path, segments: Vec<SegmentSpec>) -> DockerFleetConfig {
    DockerFleetConfig {
        run_id: run.to_owned(),
        run_dir: directory.to_owned(),
        segments,
        host: HOST,
        seed: Seed(1),
        clock: Arc::new(RealClock::start()),
        program: "/proc/self/exe".into(),
        node_image: NODE_IMAGE.to_owned(),
    }
}

impl World {
    /// A fleet with these segments, each a /24 of the test's own block.
    pub(crate) async fn new(docker: Docker, segments: &[&str]) -> World {
        let run = format!("test-{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let directory = tempfile::tempdir().expect("a temporary directory");
        loop {
            let block = free_block();
            let specs = segments.iter().zip(0..).map(|(name, index)| SegmentSpec {
                name: (*name).to_owned(),
                subnet: format!("198.19.{}.0/24", block * 4 + index).parse().expect("a subnet"),
            });
            let config = config(&run, directory.path(), specs.collect());
            let clock = Arc::clone(&config.clock);
            match DockerFleet::start(docker.clone(), config).await {
                Ok(fleet) => {
                    return World {
                        fleet,
                        docker,
                        run,
                        clock,
                        events: Vec::new(),
                        block,
                        macs: 0,
                        _directory: directory,
                    };
                }
                // Somebody else's run has these addresses: nobody here tries them again.
                Err(error) if error.is_taken() => {}
                Err(error) => panic!("failed to {error}: {:?}", std::error::Error::source(&error)),
            }
        }
    }

    /// An address in one of the segments, by the number of the segment and of the host.
    pub(crate) fn address(&self, segment: u8, host: u8) -> String {
        format!("198.19.{}.{host}", self.block * 4 + segment)
    }

    pub(crate) fn net(&self, segment: u8, host: u8, prefix: u8) -> IpNet {
        format!("{}/{prefix}", self.address(segment, host)).parse().expect("an address with a prefix")
    }

    /// A machine of this product with a card on each of the segments.
    pub(crate) fn spec(&mut self, name: &str, container: &str, product: &str, segments: &[&str]) -> MachineSpec {
        let header = ImageHeader {
            product: product.to_owned(),
            version: "v1".to_owned(),
            container: container.to_owned(),
            facts: BTreeMap::new(),
            payload_bytes: 0,
        };
        let image = DiskImage { bytes: header.encode(), header };
        let nics = segments.iter().zip(4000..).map(|(segment, key)| {
            self.macs += 1;
            Nic { key, segment: (*segment).to_owned(), mac: Mac::vmware(self.macs), connected: true }
        });
        MachineSpec {
            name: name.to_owned(),
            hardware: Hardware { cpus: 1, memory_mib: 64 },
            nics: nics.collect(),
            disks: vec![Disk {
                key: 2000,
                path: format!("{name}.vmdk"),
                capacity_mib: 16,
                image: Some(Arc::new(image)),
            }],
            config: BTreeMap::new(),
            record: BTreeMap::new(),
            hosted: true,
        }
    }

    /// A responder on one segment.
    pub(crate) fn responder(&mut self, name: &str, segment: &str, address: IpNet, range: Option<IpNet>) -> MachineSpec {
        let mut spec = self.spec(name, NODE_IMAGE, RESPONDER, &[segment]);
        let wish = Wish { addresses: vec![address], range, name: name.to_owned() };
        spec.config.insert("responder".to_owned(), serde_json::to_string(&wish).expect("plain fields"));
        spec
    }

    /// A fleet with one segment, `frontend`, and on it a responder `one` that is up, at host 10.
    pub(crate) async fn with_responder(docker: Docker) -> (World, MachineId) {
        let mut world = World::new(docker, &["frontend"]).await;
        let address = world.net(0, 10, 24);
        let spec = world.responder("one", "frontend", address, None);
        let machine = world.create(spec).await;
        world.boot(machine).await;
        (world, machine)
    }

    /// Takes in what happened, waiting for something where nothing did.
    pub(crate) async fn take(&mut self) {
        self.fleet.wait_for_events().await;
        self.events.extend(self.fleet.take_events());
    }

    /// Waits for an event from `from` on; its place.
    pub(crate) async fn event(&mut self, from: usize, what: &str, wanted: impl Fn(&FleetEvent) -> bool) -> usize {
        let began = Instant::now();
        loop {
            if let Some(place) = self.events[from..].iter().position(&wanted) {
                return from + place;
            }
            let left = DEADLINE.saturating_sub(began.elapsed());
            if tokio::time::timeout(left, self.take()).await.is_err() {
                panic!("waited {} s for {what}; since then: {:#?}", DEADLINE.as_secs(), &self.events[from..]);
            }
        }
    }

    /// Performs an operation to its end.
    pub(crate) async fn perform(&mut self, operation: Operation) -> Result<OperationOutput, OperationError> {
        let what = format!("the end of {operation:?}");
        let from = self.events.len();
        let operation = self.fleet.submit(operation);
        let is_end = |event: &FleetEvent| matches!(event, FleetEvent::OperationFinished { id, .. } if *id == operation);
        let place = self.event(from, &what, is_end).await;
        match &self.events[place] {
            FleetEvent::OperationFinished { result, .. } => result.clone(),
            other => unreachable!("{other:?}"),
        }
    }

    /// Performs an operation that must succeed.
    pub(crate) async fn must(&mut self, operation: Operation) -> OperationOutput {
        let what = format!("{operation:?}");
        self.perform(operation).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Makes a machine.
    pub(crate) async fn create(&mut self, spec: MachineSpec) -> MachineId {
        let from = self.events.len();
        let (machine, operation) = self.fleet.submit_create(spec);
        let is_end = |event: &FleetEvent| matches!(event, FleetEvent::OperationFinished { id, .. } if *id == operation);
        let place = self.event(from, "a new machine", is_end).await;
        let FleetEvent::OperationFinished { result, .. } = &self.events[place] else { unreachable!("just matched") };
        result.as_ref().unwrap_or_else(|error| panic!("create a machine: {error}"));
        machine
    }

    /// Turns a machine on and waits until its guest is up.
    pub(crate) async fn boot(&mut self, machine: MachineId) {
        let from = self.events.len();
        self.must(Operation::PowerOn { machine }).await;
        self.up(from, machine).await;
    }

    /// Waits until a guest is up, after the event at `from`.
    pub(crate) async fn up(&mut self, from: usize, machine: MachineId) {
        let began = Instant::now();
        while self.fleet.view().machines[&machine].boot != Boot::Up {
            let left = DEADLINE.saturating_sub(began.elapsed());
            if tokio::time::timeout(left, self.take()).await.is_err() {
                panic!("the guest of {machine} is not up: {:#?}", &self.events[from..]);
            }
        }
    }

    pub(crate) async fn files(&mut self, machine: MachineId) -> BTreeMap<String, Bytes> {
        match self.must(Operation::ReadFiles { machine }).await {
            OperationOutput::Files(files) => files,
            other => panic!("{other:?}"),
        }
    }

    /// Runs a command in a machine's shell and gives all it left.
    pub(crate) async fn shell(&self, host: &str, command: &str) -> Result<ShellOutput, Failure> {
        let shell = ShellExchange {
            host: host.to_owned(),
            user: "root".to_owned(),
            password: None,
            command: command.to_owned(),
            stdin: Bytes::new(),
            timeout: Duration::from_secs(20),
        };
        match self.fleet.handle().guest_shell(shell).await? {
            Answer::Shell(output) => Ok(output),
            Answer::Http(response) => panic!("a shell does not answer with {response:?}"),
        }
    }

    /// Runs a command that must exit 0 and gives its output.
    pub(crate) async fn sh(&self, host: &str, command: &str) -> String {
        let output = self.shell(host, command).await.unwrap_or_else(|failure| panic!("{command}: {failure}"));
        assert_eq!(output.exit_code, 0, "{command}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Gets `/` of an endpoint through the run's network.
    pub(crate) async fn get(&self, endpoint: &str) -> Result<String, Failure> {
        let request = http::Request::get("/").body(Bytes::new()).expect("a well-formed request");
        // Linux gives an address up that nobody answers ARP for after 3 s.
        let timeout = Duration::from_secs(6);
        let http = HttpExchange { endpoint: endpoint.to_owned(), tls: None, request, timeout };
        match self.fleet.handle().guest_http(http).await? {
            Answer::Http(response) => Ok(String::from_utf8_lossy(response.body()).into_owned()),
            Answer::Shell(output) => panic!("HTTP does not answer with {output:?}"),
        }
    }

    /// The engine's name of a machine's container.
    pub(crate) fn container(&self, machine: MachineId, name: &str) -> String {
        format!("grenadier-{}-{machine}-{name}", self.run)
    }

    /// Runs a program in a machine's container past its agent, and gives what it said.
    pub(crate) async fn exec(&self, machine: MachineId, name: &str, command: &[&str]) -> String {
        let options = CreateExecOptions {
            cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            attach_stdout: Some(true),
            ..Default::default()
        };
        let exec = self.docker.create_exec(&self.container(machine, name), options).await.expect("it runs").id;
        let started = self.docker.start_exec(&exec, None).await.expect("it can be started");
        let StartExecResults::Attached { mut output, .. } = started else { panic!("its output was asked for") };
        let mut said = Vec::new();
        while let Some(piece) = output.next().await {
            said.extend(piece.expect("its output can be read").into_bytes());
        }
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Ends the fleet; nothing of it may be left.
    pub(crate) async fn end(self) {
        let report = self.fleet.shutdown().await;
        assert!(report.is_clean(), "{:?}", report.failures);
        assert!(!report.removed.is_empty(), "a fleet has at least its networks");
        assert_eq!(left_of(&self.docker, &self.run).await, Vec::<String>::new());
        blocks().remove(&self.block);
    }
}

/// What a run still has on the engine.
pub(crate) async fn left_of(docker: &Docker, run: &str) -> Vec<String> {
    use bollard::query_parameters::{
        ListContainersOptions, ListImagesOptions, ListNetworksOptions, ListVolumesOptions,
    };
    let filters = || Some([("label".to_owned(), vec![format!("{}={run}", grenadier_fleet_docker::owner::RUN)])].into());
    let answers = "the engine answers";
    let containers = ListContainersOptions { all: true, filters: filters(), ..Default::default() };
    let containers = docker.list_containers(Some(containers)).await.expect(answers);
    let networks = docker.list_networks(Some(ListNetworksOptions { filters: filters() })).await.expect(answers);
    let volumes = docker.list_volumes(Some(ListVolumesOptions { filters: filters() })).await.expect(answers);
    let images = ListImagesOptions { filters: filters(), ..Default::default() };
    let images = docker.list_images(Some(images)).await.expect(answers);
    let containers = containers.into_iter().map(|container| format!("{:?}", container.names));
    let networks = networks.into_iter().map(|network| format!("{:?}", network.name));
    let volumes = volumes.volumes.unwrap_or_default().into_iter().map(|volume| volume.name);
    containers.chain(networks).chain(volumes).chain(images.into_iter().map(|image| image.id)).collect()
}
