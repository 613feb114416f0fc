//! From an engine to an empty fleet.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::StartContainerOptions;
use grenadier_agent::protocol::Boot;
use grenadier_clock::{Clock, Seed};
use grenadier_fleet::{FleetView, Host, OperationError, SegmentSpec};

use tokio::sync::RwLock;

use crate::container::{PROGRAM, PROGRAM_DIRECTORY, body, create, upload};
use crate::engine::has_status;
use crate::fleet::DockerFleet;
use crate::interference::Interference;
use crate::owner::{Owner, OwnerError};
use crate::program::{self, ProgramError};
use crate::segments::{self, SegmentError};
use crate::session::Session;
use crate::shared::{Notes, Shared};
use crate::supervisor::Supervisor;
use crate::sweep::{Scope, sweep};

/// What a fleet is started with.
pub struct DockerFleetConfig {
    /// The run's id: letters, digits, `_`, `.` and `-`. It is part of every name on the engine.
    pub run_id: String,
    /// Where raw samples are kept.
    pub run_dir: PathBuf,
    /// The segments. Subnets lie in 198.18.0.0/15, and the engine takes the top eighth of each for itself.
    pub segments: Vec<SegmentSpec>,
    /// What the host of the cloud's machines has.
    pub host: Host,
    /// The run's seed.
    pub seed: Seed,
    /// The run's clock: [`crate::clock::RealClock`].
    pub clock: Arc<dyn Clock>,
    /// A static program that plays `agent` (in containers) and `supervise RUN` (beside us): `/proc/self/exe`, usually.
    pub program: PathBuf,
    /// The image of machines that have none of their own, and of the one that makes calls for us.
    pub node_image: String,
}

/// A fleet could not be started: the environment is not fit (exit code 3). Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This process cannot say who it is, so what it makes could not be swept.
    #[error("label the run's containers")]
    Owner(#[from] OwnerError),
    /// The program cannot play the agent.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A segment could not be made.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The supervisor could not be started.
    #[error("start the supervisor")]
    Supervisor(#[source] std::io::Error),
    /// The engine refused something.
    #[error("{what}")]
    Engine {
        /// What was asked of it.
        what: &'static str,
        /// What it answered.
        #[source]
        source: Error,
    },
    /// The container that makes calls for us could not be made.
    #[error("make the run's relay container")]
    Relay(#[source] OperationError),
}

impl StartError {
    /// Whether another run took the addresses since they were chosen: choose others.
    pub fn is_taken(&self) -> bool {
        matches!(self, StartError::Segment(SegmentError::Engine { source, .. }) if has_status(source, 403))
    }

    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            StartError::Segment(SegmentError::Engine { .. }) => {
                Some("another run may have these addresses: `grenadier clean` removes what dead runs left")
            }
            StartError::Relay(_) => Some("`grenadier images` makes the images that are missing"),
            _ => None,
        }
    }
}

impl DockerFleet {
    /// Sweeps what dead runs left, then makes the run's networks and the container that makes calls for those outside.
    ///
    /// Must be called on a tokio runtime, which then performs the fleet's operations.
    pub async fn start(docker: Docker, config: DockerFleetConfig) -> Result<DockerFleet, StartError> {
        let owner = Owner::this_process(&config.run_id)?;
        let program_bytes = program::read(&config.program)?;
        let supervisor = Supervisor::start(&config.program, &config.run_id).map_err(StartError::Supervisor)?;
        // What other runs left and cannot be removed is theirs; it shows where it is in our way.
        sweep(&docker, Scope::OwnerGone).await;

        let by_name: std::collections::BTreeMap<_, _> =
            config.segments.iter().map(|segment| (segment.name.clone(), segment.clone())).collect();
        let plugs = by_name.keys().map(|segment| (segment.clone(), tokio::sync::Mutex::default())).collect();
        let shared = Arc::new(Shared {
            docker,
            owner,
            seed: config.seed,
            clock: config.clock,
            node_image: config.node_image,
            segments: by_name.clone(),
            notes: Notes::default(),
            changing: RwLock::new(()),
            plugs,
            present: Mutex::default(),
            relay: OnceLock::new(),
        });
        match prepare(&shared, &program_bytes).await {
            Ok(relay) => {
                shared.relay.set(relay).unwrap_or_else(|_| unreachable!("a fleet is started once"));
                let view = FleetView { host: config.host, segments: by_name, machines: Default::default() };
                let interference = Interference::listen(Arc::clone(&shared));
                let mut fleet = DockerFleet::new(shared, view, config.run_dir);
                fleet.supervisor = Some(supervisor);
                fleet.interference = Some(interference);
                Ok(fleet)
            }
            Err(error) => {
                let report = sweep(&shared.docker, Scope::Run(config.run_id)).await;
                if report.is_clean() {
                    supervisor.dismiss();
                }
                Err(error)
            }
        }
    }
}

async fn prepare(shared: &Shared, program: &[u8]) -> Result<Session, StartError> {
    for segment in shared.segments.values() {
        segments::create(&shared.docker, &shared.owner, segment).await?;
    }
    let volume = VolumeCreateRequest {
        name: Some(shared.program_volume()),
        labels: Some(shared.owner.labels().into_iter().collect()),
        ..Default::default()
    };
    let engine = |what| move |source| StartError::Engine { what, source };
    shared.docker.create_volume(volume).await.map_err(engine("create the agent's volume"))?;

    let everywhere: Vec<String> = shared.segments.keys().cloned().collect();
    let body = body(shared, shared.node_image.clone(), &everywhere, true);
    let name = shared.relay_container();
    let id = create(shared, name, body, &everywhere).await.map_err(StartError::Relay)?;
    upload(shared, &id, PROGRAM_DIRECTORY, PROGRAM, program, 0o755).await.map_err(StartError::Relay)?;
    let boot = Boot {
        machine: "relay".to_owned(),
        seed: shared.seed,
        nics: Vec::new(),
        config: Default::default(),
        remove: Vec::new(),
        guest: None,
        mishaps: Default::default(),
    };
    let opened = Session::open(&shared.docker, shared.clock.clone(), &id, boot).await;
    let (session, mut told) = opened.map_err(engine("attach to the relay container"))?;
    let plugging = shared.plugging(&everywhere).await;
    let started = shared.docker.start_container(&id, None::<StartContainerOptions>).await;
    drop(plugging);
    started.map_err(engine("start the relay container"))?;
    // It tells nothing but its own troubles, which show in the calls that fail.
    tokio::spawn(async move { while told.recv().await.is_some() {} });
    Ok(session)
}
