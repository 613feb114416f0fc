//! A host whose time is real.

use std::io;

use futures_util::future::{Either, select};
use grenadier_wire::Wire;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{Asked, Ended, EngineProcess, go_on, heard, line, make, sleep};
use crate::wire::ToEngine;

impl EngineProcess {
    /// Starts the process and makes its calls on `wire`, in real time, until it ends. Its steps are written to the wire's log.
    ///
    /// Where this is dropped, the process is killed with SIGKILL: it gets no chance to do anything any more. Calls it had begun
    /// go on, as they would on a network.
    ///
    /// # Errors
    /// The process could not be started, or its output not be read.
    pub async fn run(&self, wire: &Wire) -> io::Result<Ended> {
        let (alive, stdin, stdout) = self.start()?;
        let mut stdin = tokio::process::ChildStdin::from_std(stdin)?;
        let mut lines = BufReader::new(tokio::process::ChildStdout::from_std(stdout)?).lines();
        let (answers, mut answered) = unbounded_channel::<ToEngine>();
        let _heard = answers.send(ToEngine::Begin { now: wire.clock().now() });
        let answering = async move {
            while let Some(answer) = answered.recv().await {
                // A process that has ended needs no answers any more.
                if stdin.write_all(&line(&answer)).await.is_err() {
                    break;
                }
            }
            // Its standard input stays open until it ends: an end would tell the process that nobody is there.
            std::future::pending::<()>().await;
        };
        let hearing = async {
            let mut result = None;
            while let Some(line) = lines.next_line().await? {
                match heard(&line, wire)? {
                    // In tasks of their own: they go on where the process is killed.
                    Some(Asked::Call { id, step, call }) => tell(make(wire.clone(), id, step, call), &answers),
                    Some(Asked::Sleep { id, length }) => tell(sleep(wire, id, length), &answers),
                    Some(Asked::Moment { id, step, moment }) => tell(go_on(wire.clone(), id, step, moment), &answers),
                    Some(Asked::Ended(ended)) => result = Some(ended),
                    Some(Asked::Idle) | None => {}
                }
            }
            Ok::<_, io::Error>(result)
        };
        let (hearing, answering) = (std::pin::pin!(hearing), std::pin::pin!(answering));
        // What was declared last goes first: a process whose standard input ends before it is killed could still do something.
        let alive = alive;
        let result = match select(hearing, answering).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Ok(None),
        };
        wire.set_step(None);
        alive.ended(result?)
    }
}

fn tell(answer: impl Future<Output = ToEngine> + Send + 'static, answers: &UnboundedSender<ToEngine>) {
    let answers = answers.clone();
    tokio::spawn(async move {
        // The process may have ended meanwhile.
        let _unheard = answers.send(answer.await);
    });
}
