//! A small process that removes a run's containers when the run's own process cannot.
//!
//! It holds the reading end of a pipe. A run that ends in order says so before it closes the pipe; one that is killed does
//! not, and then the supervisor sweeps. It is in a process group of its own, so that Ctrl-C reaches the run alone. What kills
//! it too (a CI runner that kills everything of a job) leaves the next run's sweep.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::ListContainersOptions;

use crate::engine::connect;
use crate::owner::RUN;
use crate::sweep::{Scope, sweep};

/// What an owner says when nothing is left to be done.
const DONE: &[u8] = b"done\n";

/// The supervisor of a run, as its owner holds it. Dropped without [`Supervisor::dismiss`], it sweeps.
#[derive(Debug)]
pub struct Supervisor {
    child: Child,
}

impl Supervisor {
    /// Starts `PROGRAM supervise RUN`.
    pub fn start(program: &Path, run: &str) -> std::io::Result<Supervisor> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        command.args(["supervise", run]).process_group(0);
        // Nothing of it may keep a terminal or a pipe of the run's caller open.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(|child| Supervisor { child })
    }

    /// Tells it that the run is over and clean, and waits for its end.
    pub fn dismiss(mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            // One that was killed has nothing left to be told.
            let _ = pipe.write_all(DONE);
        }
        let _ = self.child.wait();
    }
}

/// How long a run's containers must have kept their states, so that nothing the owner ordered last is on its way any more.
const REST: Duration = Duration::from_secs(1);
/// How long that is waited for.
const REST_DEADLINE: Duration = Duration::from_secs(10);
const REST_POLL: Duration = Duration::from_millis(100);

/// How long an engine that has gone may take to come back: it may be restarted by hand.
const RETURN_DEADLINE: Duration = Duration::from_secs(10 * 60);
const RETURN_POLL: Duration = Duration::from_secs(1);

/// Waits until the engine has carried out what a killed owner had ordered: a container that is removed while it starts can
/// leave its network unremovable.
async fn at_rest(docker: &Docker, run: &str) {
    let filters = Some([("label".to_owned(), vec![format!("{RUN}={run}")])].into());
    let options = ListContainersOptions { all: true, filters, ..Default::default() };
    let (began, mut since, mut before) = (Instant::now(), Instant::now(), None);
    while began.elapsed() < REST_DEADLINE && since.elapsed() < REST {
        // An engine that does not answer has nothing on its way; the sweep will say so.
        let containers = docker.list_containers(Some(options.clone())).await.unwrap_or_default();
        let mut states: Vec<_> = containers.into_iter().map(|container| (container.id, container.state)).collect();
        states.sort_by(|one, other| one.0.cmp(&other.0));
        if before.as_ref() != Some(&states) {
            (since, before) = (Instant::now(), Some(states));
        }
        tokio::time::sleep(REST_POLL).await;
    }
}

/// What `supervise RUN` does: waits for the owner's end and sweeps the run, unless the owner said that it is clean.
pub fn supervise(run: &str) -> ExitCode {
    let mut said = Vec::new();
    // A broken pipe means the same as its end.
    let _ = std::io::stdin().lock().read_to_end(&mut said);
    if said == DONE {
        return ExitCode::SUCCESS;
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let clean = runtime.block_on(async {
        let began = Instant::now();
        loop {
            match connect().await {
                Ok(docker) => {
                    at_rest(&docker, run).await;
                    return sweep(&docker, Scope::Run(run.to_owned())).await.is_clean();
                }
                Err(_) if began.elapsed() >= RETURN_DEADLINE => return false,
                Err(_) => tokio::time::sleep(RETURN_POLL).await,
            }
        }
    });
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
