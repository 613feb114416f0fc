//! One connection to a Docker engine.

pub use bollard::Docker;
use std::time::Duration;

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
}

impl ConnectError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        "start a Docker engine, or point DOCKER_HOST at one (unix:// and tcp:// work); the virtual world needs none"
    }
}

/// Connects to the engine that `DOCKER_HOST` names (the default socket without it) and agrees on an API version with it.
///
/// The client library speaks a newer API than most engines, and engines refuse versioned paths they do not know, so the
/// version is negotiated before anything else is asked.
pub async fn connect() -> Result<Docker, ConnectError> {
    let address = std::env::var("DOCKER_HOST").unwrap_or_else(|_| DEFAULT_ADDRESS.to_owned());
    let unreachable = |source| ConnectError::Unreachable { address: address.clone(), source };
    let docker = Docker::connect_with_defaults().map_err(unreachable)?;
    match tokio::time::timeout(ANSWER_DEADLINE, docker.negotiate_version()).await {
        Ok(answer) => answer.map_err(|source| ConnectError::Unreachable { address: address.clone(), source }),
        Err(_) => Err(ConnectError::Silent { address }),
    }
}

/// Whether an error of the engine carries this HTTP status.
pub(crate) fn has_status(error: &bollard::errors::Error, status: u16) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code, .. } if *status_code == status)
}
