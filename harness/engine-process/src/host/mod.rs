//! Starting a process of the engine, and giving it calls and time.

mod real_time;
mod virtual_time;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use grenadier_agent::protocol::AnswerForm;
use grenadier_events::{Actor, Kind};
use grenadier_wire::{Exchange, Failure, Secret, StepMoment, Wire};

use crate::result::ResultLine;
use crate::wire::{CallForm, FromEngine, ToEngine};

/// A process of the engine, before it is started.
#[derive(Clone, Debug)]
pub struct EngineProcess {
    /// The `grenadier` binary.
    pub program: PathBuf,
    /// `upgrade`, `resume` or `rollback`.
    pub verb: String,
    /// What it performs: `haproxy-appliance/hardened`.
    pub procedure: String,
    /// Its journal.
    pub journal: PathBuf,
    /// Its parameters.
    pub parameters: PathBuf,
    /// The variables of the environment in which it finds its secrets.
    pub secrets: Vec<(String, Secret)>,
    /// Where its standard error goes.
    pub output: PathBuf,
}

/// How a process of the engine ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What it said; none where it ended without a result.
    pub result: Option<ResultLine>,
    /// How the operating system says it ended.
    pub status: ExitStatus,
}

impl Ended {
    /// The exit code; minus the signal's number where one killed it.
    pub fn exit_code(&self) -> i32 {
        self.status.code().or(self.status.signal().map(|signal| -signal)).unwrap_or(-1)
    }
}

/// A started process. It does not outlive this: it is killed with SIGKILL and waited for, so that its journal is free.
struct Alive {
    child: Child,
    /// Where it is written down that it was killed.
    output: File,
}

impl Alive {
    /// Waits for the end of a process whose standard output has ended.
    fn ended(mut self, result: Option<ResultLine>) -> io::Result<Ended> {
        Ok(Ended { result, status: self.child.wait()? })
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let id = self.child.id();
            let ended = self.child.kill().and_then(|()| self.child.wait());
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            // It is for people; nobody misses it who cannot read it.
            let _unwritten = writeln!(self.output, "process {id} was killed: {how}");
        }
    }
}

impl EngineProcess {
    fn start(&self) -> io::Result<(Alive, ChildStdin, ChildStdout)> {
        let output = File::options().create(true).append(true).open(&self.output)?;
        let mut command = Command::new(&self.program);
        command.args(["engine", &self.verb, "--wire", "stdio", "--procedure", &self.procedure]);
        command.arg("--journal").arg(&self.journal).arg("--parameters").arg(&self.parameters);
        command.envs(self.secrets.iter().map(|(name, secret)| (name, secret.reveal())));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(output.try_clone()?);
        let mut alive = Alive { child: command.spawn()?, output };
        match (alive.child.stdin.take(), alive.child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok((alive, stdin, stdout)),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// What an engine asks its host for.
enum Asked {
    Call { id: u64, step: Option<String>, call: CallForm },
    Sleep { id: u64, length: Duration },
    Moment { id: u64, step: String, moment: StepMoment },
    Idle,
    Ended(ResultLine),
}

/// Reads a line of the engine. What it only tells goes into the log.
fn heard(line: &str, wire: &Wire) -> io::Result<Option<Asked>> {
    let message: FromEngine = serde_json::from_str(line)?;
    let emit = |kind| wire.log().emit(wire.clock().now(), Actor::Engine, kind);
    Ok(match message {
        FromEngine::StepStarted { step, verb } => {
            wire.set_step(Some(&step));
            emit(Kind::StepStarted { step, verb });
            None
        }
        FromEngine::StepFinished { step, verb, error } => {
            emit(Kind::StepFinished { step, verb, error });
            None
        }
        FromEngine::Call { id, step, call } => Some(Asked::Call { id, step, call }),
        FromEngine::Sleep { id, length_ns } => Some(Asked::Sleep { id, length: Duration::from_nanos(length_ns) }),
        FromEngine::Moment { id, step, moment } => Some(Asked::Moment { id, step, moment }),
        FromEngine::Idle => Some(Asked::Idle),
        FromEngine::Ended(result) => Some(Asked::Ended(result)),
    })
}

/// Makes a call of the engine.
async fn make(wire: Wire, id: u64, step: Option<String>, call: CallForm) -> ToEngine {
    let answer = match Exchange::try_from(call) {
        Ok(exchange) => {
            wire.set_step(step.as_deref());
            wire.call(Actor::Engine, exchange).await
        }
        Err(_) => Err(Failure::ConnectionLost { endpoint: "a request that is none".to_owned() }),
    };
    ToEngine::Answer { id, now: wire.clock().now(), answer: AnswerForm::from(answer) }
}

/// Lets the engine sleep. The time runs from this call on.
fn sleep(wire: &Wire, id: u64, length: Duration) -> impl Future<Output = ToEngine> + Send + use<> {
    let (sleep, clock) = (wire.clock().sleep(length), std::sync::Arc::clone(wire.clock()));
    async move {
        sleep.await;
        ToEngine::Woken { id, now: clock.now() }
    }
}

/// Lets the engine go on in its step, unless it is to end there.
async fn go_on(wire: Wire, id: u64, step: String, moment: StepMoment) -> ToEngine {
    wire.at_moment(&step, moment).await;
    ToEngine::GoOn { id, now: wire.clock().now() }
}

fn line(message: &ToEngine) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("a message has string keys");
    line.push(b'\n');
    line
}
