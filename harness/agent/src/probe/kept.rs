//! Samples over one connection that is kept as long as it lives.
//!
//! Every sample that is due is sent, also while the one before it has no answer yet: a stall shows by its beginning and its
//! end, and not by how long the prober waits. While no connection is kept, each sample tries a fresh one, and the first that is
//! answered is kept from then on. When the kept one fails, every sample on it failed, none is sent again, and one control
//! sample on a fresh connection tells whether the target is there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use grenadier_fleet::FailureClass;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::connection::ending;
use super::finding::{Failed, Finding, SAMPLE_TIMEOUT, Sample};
use super::findings::Ended;
use super::fresh::{Answering, control, take};
use super::speech::belongs;
use crate::protocol::WatchOrder;

/// A sample that was begun and has no answer yet.
type Begun = (u64, Instant);

/// The queue of the connection that is kept; none while there is none.
type Slot = Arc<Mutex<Option<mpsc::UnboundedSender<Begun>>>>;

/// A connection that is kept as long as it lives.
pub(super) struct Kept {
    order: Arc<WatchOrder>,
    slot: Slot,
    done: mpsc::UnboundedSender<Ended>,
}

impl Kept {
    pub(super) fn new(order: Arc<WatchOrder>, done: mpsc::UnboundedSender<Ended>) -> Kept {
        Kept { order, slot: Slot::default(), done }
    }

    /// Begins a sample.
    pub(super) fn begin(&self, number: u64) {
        let queue = self.slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let begun = (number, Instant::now());
        if queue.is_some_and(|queue| queue.send(begun).is_ok()) {
            return;
        }
        let (order, slot, done) = (Arc::clone(&self.order), Arc::clone(&self.slot), self.done.clone());
        tokio::spawn(async move {
            let (sample, answering) = take(number, &order, false).await;
            // The watch may have ended meanwhile.
            let _ = done.send((number, sample));
            let Some(answering) = answering else { return };
            let (sender, queue) = mpsc::unbounded_channel();
            {
                let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                if slot.is_some() {
                    // Another sample was quicker; this connection is not needed.
                    return;
                }
                *slot = Some(sender);
            }
            hold(answering, order, slot, queue, done).await;
        });
    }
}

/// Keeps a connection until it fails, and tells of every sample on it.
async fn hold(
    mut answering: Answering,
    order: Arc<WatchOrder>,
    slot: Slot,
    mut queue: mpsc::UnboundedReceiver<Begun>,
    done: mpsc::UnboundedSender<Ended>,
) {
    let mut out: VecDeque<Begun> = VecDeque::new();
    let Some(failed) = talk(&mut answering, &order, &mut queue, &mut out, &done).await else { return };
    let ended = Instant::now();
    drop(answering);
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
    queue.close();
    while let Ok(begun) = queue.try_recv() {
        out.push_back(begun);
    }
    let Some((number, _)) = out.front().copied() else { return };
    // What came back wrong is wrong whatever a fresh connection would say.
    let failed = match failed.class {
        FailureClass::BytesLost | FailureClass::BytesRepeated => failed,
        _ => control(failed, number, &order).await,
    };
    for (number, began) in out {
        let sample = Sample { began, ended, finding: Finding::Failed(failed.clone()) };
        let _ = done.send((number, sample));
    }
}

/// Sends what is due and takes what comes, until the connection fails and at least one sample shows it; none where nobody
/// wants samples any more.
async fn talk(
    answering: &mut Answering,
    order: &WatchOrder,
    queue: &mut mpsc::UnboundedReceiver<Begun>,
    out: &mut VecDeque<Begun>,
    done: &mpsc::UnboundedSender<Ended>,
) -> Option<Failed> {
    let Answering { stream, speech, behind: came } = answering;
    loop {
        let patience = out.front().map(|(_, began)| *began + SAMPLE_TIMEOUT);
        let patience = async {
            match patience {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            read = stream.read_buf(came) => match read {
                Ok(0) => Some(ending(None)),
                Ok(_) => None,
                Err(error) => Some(ending(Some(&error))),
            },
            begun = queue.recv() => {
                let begun = begun?;
                out.push_back(begun);
                let request = speech.request(begun.0);
                // A buffer that takes no more is a stall as well.
                match tokio::time::timeout(SAMPLE_TIMEOUT, stream.write_all(&request)).await {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(ending(Some(&error))),
                    Err(_) => Some(stalled()),
                }
            }
            () = patience => Some(stalled()),
        };
        while let Some((number, began)) = out.front().copied() {
            let Some(answer) = speech.answer(number, came, ended.is_some()) else { break };
            match answer {
                Ok(answered) => {
                    let finding = belongs(order, answered).map_or_else(Finding::Failed, Finding::Answered);
                    let _ = done.send((number, Sample::ending_now(began, finding)));
                    out.pop_front();
                }
                // From here on it is not known which answer belongs to which request.
                Err(failed) if failed.class != FailureClass::WrongAnswer => return Some(failed),
                Err(failed) => {
                    let _ = done.send((number, Sample::ending_now(began, Finding::Failed(failed))));
                    out.pop_front();
                }
            }
        }
        let failed = match ended {
            Some(ending) => Some(speech.broken(came, ending)),
            None if out.is_empty() && !came.is_empty() => {
                Some(Failed::new(FailureClass::BytesRepeated, "more came back than was sent"))
            }
            None => None,
        };
        if let Some(failed) = failed {
            if out.is_empty() {
                // Nobody was being served. The next sample meets a connection that is gone.
                out.push_back(queue.recv().await?);
            }
            return Some(failed);
        }
    }
}

fn stalled() -> Failed {
    let text = format!("no answer within {} ms", SAMPLE_TIMEOUT.as_millis());
    Failed::new(FailureClass::Stalled, text)
}
