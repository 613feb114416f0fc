//! The conversation with one agent: from before its container starts until the container ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::query_parameters::AttachContainerOptions;
use futures_util::StreamExt;
use grenadier_agent::protocol::{AnswerForm, Boot, FromAgent, ToAgent, line};
use grenadier_clock::{Clock, Time};
use grenadier_fleet::GuestReport;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot};

/// What an agent was asked and has not answered.
#[derive(Debug)]
enum Asked {
    Answer(oneshot::Sender<AnswerForm>),
    State(oneshot::Sender<Option<Value>>),
}

/// A live conversation. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    orders: mpsc::UnboundedSender<ToAgent>,
    asked: Arc<Mutex<BTreeMap<u64, Asked>>>,
    count: Arc<AtomicU64>,
}

/// What an agent says that is no answer, in order. It ends when the agent does.
pub(crate) type Told = mpsc::UnboundedReceiver<FromAgent>;

impl Session {
    /// Attaches to a container that was created and not started. `boot` is what the agent is told when it says that it runs.
    pub(crate) async fn open(
        docker: &Docker,
        clock: Arc<dyn Clock>,
        container: &str,
        boot: Boot,
    ) -> Result<(Session, Told), Error> {
        let options =
            AttachContainerOptions { stdin: true, stdout: true, stderr: true, stream: true, ..Default::default() };
        let AttachContainerResults { output, input } = docker.attach_container(container, Some(options)).await?;
        let (orders, queue) = mpsc::unbounded_channel();
        let (teller, told) = mpsc::unbounded_channel();
        let (hello, heard) = oneshot::channel();
        let session = Session { orders, asked: Arc::default(), count: Arc::default() };
        tokio::spawn(write(input, clock, heard, boot, queue));
        tokio::spawn(read(output, session.clone(), teller, hello));
        Ok((session, told))
    }

    /// Says something. An agent that is gone does not hear it, and its end is told elsewhere.
    pub(crate) fn say(&self, order: ToAgent) {
        let _ = self.orders.send(order);
    }

    /// Asks something that is answered with an answer; none where the agent ends or `patience` does.
    pub(crate) async fn ask(&self, patience: Duration, order: impl FnOnce(u64) -> ToAgent) -> Option<AnswerForm> {
        let (sender, receiver) = oneshot::channel();
        self.await_answer(patience, Asked::Answer(sender), order, receiver).await
    }

    /// Asks for the guest's volatile state; none where no guest runs.
    pub(crate) async fn state(&self, patience: Duration) -> Option<Value> {
        let (sender, receiver) = oneshot::channel();
        let order = |request| ToAgent::ReadState { request };
        self.await_answer(patience, Asked::State(sender), order, receiver).await.flatten()
    }

    async fn await_answer<T>(
        &self,
        patience: Duration,
        asked: Asked,
        order: impl FnOnce(u64) -> ToAgent,
        receiver: oneshot::Receiver<T>,
    ) -> Option<T> {
        let request = self.count.fetch_add(1, Ordering::Relaxed);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(request, asked);
        self.say(order(request));
        let answer = tokio::time::timeout(patience, receiver).await;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&request);
        answer.ok()?.ok()
    }
}

/// Writes the boot message once the agent runs, then orders as they come.
async fn write(
    mut input: impl tokio::io::AsyncWrite + Unpin,
    clock: Arc<dyn Clock>,
    heard: oneshot::Receiver<()>,
    boot: Boot,
    mut queue: mpsc::UnboundedReceiver<ToAgent>,
) {
    if heard.await.is_err() {
        return;
    }
    let mut next = Some(ToAgent::Boot(Box::new(boot)));
    while let Some(mut order) = next {
        if let ToAgent::Clock { now } = &mut order {
            // As late as can be: what the question waited in the queue must not count as travel.
            *now = clock.now();
        }
        // A container that ended does not read any more, which the reading side tells.
        if input.write_all(line(&order).as_bytes()).await.is_err() || input.flush().await.is_err() {
            return;
        }
        next = queue.recv().await;
    }
}

/// Reads messages until the container ends. Then whoever still waits for an answer is let go.
async fn read(
    mut output: impl futures_util::Stream<Item = Result<LogOutput, Error>> + Unpin,
    session: Session,
    teller: mpsc::UnboundedSender<FromAgent>,
    hello: oneshot::Sender<()>,
) {
    let (mut messages, mut complaints) = (Lines::default(), Lines::default());
    let mut hello = Some(hello);
    // A broken stream means the same as its end: nothing more will be told.
    while let Some(Ok(piece)) = output.next().await {
        match piece {
            LogOutput::StdOut { message } => {
                for line in messages.take(&message) {
                    let message = serde_json::from_str(&line)
                        .unwrap_or_else(|error| FromAgent::Report { report: complaint(format!("{error}: {line}")) });
                    let taken = |request| session.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&request);
                    match message {
                        FromAgent::Hello => {
                            hello.take().map(|hello| hello.send(()));
                        }
                        FromAgent::Clock => session.say(ToAgent::Clock { now: Time::ZERO }),
                        FromAgent::Answer { request, answer } => {
                            if let Some(Asked::Answer(asker)) = taken(request) {
                                // The asker may have lost patience meanwhile.
                                let _ = asker.send(answer);
                            }
                        }
                        FromAgent::State { request, state } => {
                            if let Some(Asked::State(asker)) = taken(request) {
                                let _ = asker.send(state);
                            }
                        }
                        other => {
                            let _ = teller.send(other);
                        }
                    }
                }
            }
            LogOutput::StdErr { message } | LogOutput::Console { message } => {
                for line in complaints.take(&message) {
                    let _ = teller.send(FromAgent::Report { report: complaint(line) });
                }
            }
            LogOutput::StdIn { .. } => {}
        }
    }
    session.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn complaint(line: String) -> GuestReport {
    GuestReport::Log { service: "agent".to_owned(), line }
}

/// Lines out of pieces that end anywhere.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, piece: &[u8]) -> Vec<String> {
        self.0.extend_from_slice(piece);
        let Some(end) = self.0.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.0.split_off(end + 1);
        let whole = std::mem::replace(&mut self.0, rest);
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_of_pieces() {
        let mut lines = Lines::default();
        assert!(lines.take(b"one").is_empty());
        assert_eq!(lines.take(b"!\ntwo\nthr"), ["one!", "two"]);
        assert_eq!(lines.take(b"ee\n"), ["three"]);
    }
}
