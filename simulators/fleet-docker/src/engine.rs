//! One connection to a Docker engine.

pub use bollard::Docker;
pub use bollard::errors::Error;
use std::time::Duration;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptions;
use futures_util::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an engine listens when `DOCKER_HOST` says nothing.
const DEFAULT_ADDRESS: &str = "unix:///var/run/docker.sock";

/// How long an engine has to say which API version it speaks. A local one answers within a few milliseconds; a stopped one
/// behind a socket unit may have to start first.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// No engine could be reached: the environment is not fit for the docker world (exit code 3).
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// `DOCKER_HOST` names a transport that this program does not speak, or the socket is not there.
    #[error("reach a Docker engine at {address}")]
    Unreachable {
        /// The value of `DOCKER_HOST`, or the default socket.
        address: String,
        /// What the transport said.
        #[source]
        source: bollard::errors::Error,
    },
    /// Something accepted the connection and then said nothing.
    #[error("get an answer from the Docker engine at {address} within {} s", ANSWER_DEADLINE.as_secs())]
    Silent {
        /// The value of `DOCKER_HOST`, or the default socket.
        address: String,
    },
    /// This user may not talk to it.
    #[error("talk to the Docker engine at {address}: this user may not")]
    Forbidden {
        /// The value of `DOCKER_HOST`, or the default socket.
        address: String,
        /// What the transport said.
        #[source]
        source: bollard::errors::Error,
    },
    /// It is older than any that was tried.
    #[error("the Docker engine at {address} speaks API {speaks}, and {} is needed", api(OLDEST))]
    TooOld {
        /// The value of `DOCKER_HOST`, or the default socket.
        address: String,
        /// The newest API version it speaks.
        speaks: String,
    },
}

impl ConnectError {
    fn of(address: &str, source: bollard::errors::Error) -> ConnectError {
        let address = address.to_owned();
        if is_forbidden(&source) {
            return ConnectError::Forbidden { address, source };
        }
        ConnectError::Unreachable { address, source }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ConnectError::Unreachable { .. } | ConnectError::Silent { .. } => {
                "start a Docker engine, or point DOCKER_HOST at one (unix:// and tcp:// work); the virtual world needs none"
            }
            ConnectError::Forbidden { .. } => {
                "run as root, or as a member of the group that owns the socket (`docker`, usually); the virtual world needs no engine"
            }
            ConnectError::TooOld { .. } => "upgrade the engine to 20.10 or later; the virtual world needs none",
        }
    }
}

/// What the engine tells from now on, of that which has one of these values for each of these keys.
pub(crate) fn events(
    docker: &Docker,
    filters: &[(&str, &[&str])],
) -> impl Stream<Item = Result<EventMessage, Error>> + Unpin + use<> {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let filters = filters.iter().map(|(key, values)| ((*key).to_owned(), owned(values))).collect();
    Box::pin(docker.events(Some(EventsOptions { filters: Some(filters), ..Default::default() })))
}

/// The oldest API that was tried: that of engine 20.10.
const OLDEST: (usize, usize) = (1, 41);

fn api((major, minor): (usize, usize)) -> String {
    format!("{major}.{minor}")
}

/// Whether the system said that this user may not, somewhere down the chain.
fn is_forbidden(error: &bollard::errors::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let io = cause.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::PermissionDenied) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Connects to the engine that `DOCKER_HOST` names (the default socket without it) and agrees on an API version with it.
///
/// The client library speaks a newer API than most engines, and engines refuse versioned paths they do not know, so the
/// version is negotiated before anything else is asked.
pub async fn connect() -> Result<Docker, ConnectError> {
    let address = std::env::var("DOCKER_HOST").unwrap_or_else(|_| DEFAULT_ADDRESS.to_owned());
    let unreachable = |source| ConnectError::of(&address, source);
    let docker = Docker::connect_with_defaults().map_err(unreachable)?;
    let docker = match tokio::time::timeout(ANSWER_DEADLINE, docker.negotiate_version()).await {
        Ok(answer) => answer.map_err(unreachable)?,
        Err(_) => return Err(ConnectError::Silent { address }),
    };
    let speaks = docker.client_version();
    let speaks = (speaks.major_version, speaks.minor_version);
    if speaks < OLDEST { Err(ConnectError::TooOld { address, speaks: api(speaks) }) } else { Ok(docker) }
}

/// The machine that an engine runs on, as the engine tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EngineHost {
    /// Its processors.
    pub processors: u32,
    /// Its memory in MiB.
    pub memory_mib: u64,
    /// Its kernel.
    pub kernel: String,
    /// The engine's version.
    pub engine: String,
    /// How the engine keeps files.
    pub storage: String,
}

/// What an engine tells of its machine; what it does not tell is empty.
///
/// # Errors
/// It does not answer.
pub async fn host_of(docker: &Docker) -> Result<EngineHost, bollard::errors::Error> {
    let info = docker.info().await?;
    Ok(EngineHost {
        processors: info.ncpu.and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
        memory_mib: info.mem_total.and_then(|bytes| u64::try_from(bytes >> 20).ok()).unwrap_or_default(),
        kernel: info.kernel_version.unwrap_or_default(),
        engine: info.server_version.unwrap_or_default(),
        storage: info.driver.unwrap_or_default(),
    })
}

/// Whether an error of the engine carries this HTTP status.
pub(crate) fn has_status(error: &bollard::errors::Error, status: u16) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code, .. } if *status_code == status)
}
