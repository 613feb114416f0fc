//! Notices that the engine under a run has gone.

use std::fmt;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::InspectContainerOptions;
use futures_util::StreamExt;

use crate::engine::{events, has_status};

/// How long an engine may be silent before it counts as gone. One that keeps its containers over a restart is back within it.
const SILENCE: Duration = Duration::from_secs(10);
/// How long an engine that stops takes after it has ended a container.
const FAREWELL: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_millis(250);

/// What happened to the world that a run stands on. It is nobody's fault who is under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The engine stopped, or was cut off.
    Silent,
    /// It was restarted, and its containers ended with it.
    Restarted,
    /// Somebody ended or removed the container that the run makes its calls from.
    Relay,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Silent => "the Docker engine does not answer any more",
            Loss::Restarted => "the Docker engine was restarted, and the run's containers ended with it",
            Loss::Relay => "somebody ended or removed the container from which the run makes its calls",
        })
    }
}

/// Whether the relay container runs.
enum Relay {
    Runs,
    Ended,
    Unknown,
}

/// Ready when the world of the run whose relay container this is has gone.
pub(crate) async fn lost(docker: &Docker, relay: &str) -> Loss {
    loop {
        // The stream ends with the engine. Where a proxy ends it, the relay still runs, and we listen anew.
        let mut heard = listen(docker, relay).await;
        let began = Instant::now();
        loop {
            heard = match (look(docker, relay).await, heard) {
                (Relay::Runs, _) => break,
                (Relay::Ended, Heard::Nothing) => return Loss::Restarted,
                // An engine that stops ends its containers first.
                (Relay::Ended, Heard::End) if began.elapsed() >= FAREWELL => return Loss::Relay,
                (Relay::Unknown, _) if began.elapsed() >= SILENCE => return Loss::Silent,
                (Relay::Unknown, _) => Heard::Nothing,
                (Relay::Ended, Heard::End) => Heard::End,
            };
            tokio::time::sleep(POLL).await;
        }
        // Nothing that fails at once is asked for all the time.
        tokio::time::sleep(POLL).await;
    }
}

/// Whether the relay container runs, now.
pub(crate) async fn is_there(docker: &Docker, relay: &str) -> bool {
    matches!(look(docker, relay).await, Relay::Runs)
}

/// What the engine told while somebody listened.
#[derive(Clone, Copy)]
enum Heard {
    /// That the relay ended.
    End,
    /// Nothing more came.
    Nothing,
}

async fn listen(docker: &Docker, relay: &str) -> Heard {
    match events(docker, &[("container", &[relay]), ("event", &["die", "destroy"])]).next().await {
        Some(Ok(_)) => Heard::End,
        Some(Err(_)) | None => Heard::Nothing,
    }
}

async fn look(docker: &Docker, relay: &str) -> Relay {
    match tokio::time::timeout(SILENCE, docker.inspect_container(relay, None::<InspectContainerOptions>)).await {
        Ok(Ok(container)) if container.state.as_ref().and_then(|state| state.running) == Some(true) => Relay::Runs,
        Ok(Ok(_)) => Relay::Ended,
        Ok(Err(error)) if has_status(&error, 404) => Relay::Ended,
        Ok(Err(_)) | Err(_) => Relay::Unknown,
    }
}
