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

#[cfg(test)]
mod tests {
    use grenadier_fleet::ProbeKind;
    use tokio::net::{TcpListener, TcpStream};

    use super::super::echo::{RECORD_BYTES, STREAM_PREFACE, record};
    use super::super::finding::Answered;
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nshop-1";

    struct Rig {
        listener: Option<TcpListener>,
        kept: Kept,
        ended: mpsc::UnboundedReceiver<Ended>,
    }

    impl Rig {
        async fn new(kind: ProbeKind) -> Rig {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let target = listener.local_addr().expect("it is bound");
            let order = WatchOrder { watch: 1, target, kind, tls: false, backends: Vec::new(), every_ms: 10 };
            let (done, ended) = mpsc::unbounded_channel();
            Rig { listener: Some(listener), kept: Kept::new(Arc::new(order), done), ended }
        }

        async fn accept(&self) -> TcpStream {
            self.listener.as_ref().expect("it listens").accept().await.expect("a connection").0
        }

        async fn end(&mut self) -> (u64, Finding) {
            let (number, sample) = self.ended.recv().await.expect("samples end");
            (number, sample.finding)
        }

        /// A connection over which the first sample was answered.
        async fn kept_connection(&mut self) -> TcpStream {
            self.kept.begin(0);
            let mut stream = self.accept().await;
            request(&mut stream).await;
            stream.write_all(ANSWER).await.expect("the client is there");
            assert_eq!(self.end().await, (0, Finding::Answered(Answered::by("shop-1"))));
            stream
        }
    }

    /// Reads one request.
    async fn request(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            text.push(char::from(stream.read_u8().await.expect("a request")));
        }
        text
    }

    fn failed(finding: Finding) -> (FailureClass, String) {
        match finding {
            Finding::Failed(failed) => (failed.class, failed.text),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn samples_do_not_wait_for_each_other_and_share_one_connection() {
        let mut rig = Rig::new(ProbeKind::HttpPinned).await;
        let mut stream = rig.kept_connection().await;
        for number in 1..4 {
            rig.kept.begin(number);
        }
        for _ in 1..4 {
            assert!(!request(&mut stream).await.contains("close"));
        }
        stream.write_all(&ANSWER.repeat(3)).await.expect("the client is there");
        for number in 1..4 {
            assert_eq!(rig.end().await, (number, Finding::Answered(Answered::by("shop-1"))));
        }
    }

    #[tokio::test]
    async fn a_reset_is_told_with_what_a_fresh_connection_meets_and_nothing_is_sent_again() {
        let mut rig = Rig::new(ProbeKind::HttpPinned).await;
        let stream = rig.kept_connection().await;
        rig.kept.begin(1);
        stream.peek(&mut [0; 1]).await.expect("a request");
        // Closing what has bytes unread is a reset.
        drop(stream);
        let mut fresh = rig.accept().await;
        assert!(request(&mut fresh).await.contains("connection: close"), "the control is no part of the sample");
        fresh.write_all(ANSWER).await.expect("the client is there");
        let (number, finding) = rig.end().await;
        let (class, text) = failed(finding);
        assert_eq!((number, class), (1, FailureClass::Reset));
        assert_eq!(text, "the kept connection: the connection was reset; a fresh one was answered by shop-1");
        // From the next sample on another connection is kept.
        rig.kept.begin(2);
        let mut next = rig.accept().await;
        assert!(!request(&mut next).await.contains("close"));
        next.write_all(ANSWER).await.expect("the client is there");
        assert_eq!(rig.end().await.0, 2);
    }

    #[tokio::test]
    async fn where_nobody_listens_any_more_it_is_the_target_that_is_down() {
        let mut rig = Rig::new(ProbeKind::HttpPinned).await;
        let stream = rig.kept_connection().await;
        rig.listener = None;
        rig.kept.begin(1);
        stream.peek(&mut [0; 1]).await.expect("a request");
        drop(stream);
        let (class, text) = failed(rig.end().await.1);
        assert_eq!(class, FailureClass::Refused);
        assert_eq!(text, "the kept connection: the connection was reset; a fresh one: the connection was refused");
    }

    #[tokio::test]
    async fn a_connection_that_ends_while_nobody_asks_fails_the_next_sample() {
        let mut rig = Rig::new(ProbeKind::HttpPinned).await;
        drop(rig.kept_connection().await);
        rig.kept.begin(1);
        let mut fresh = rig.accept().await;
        request(&mut fresh).await;
        fresh.write_all(ANSWER).await.expect("the client is there");
        let (class, _) = failed(rig.end().await.1);
        assert!(matches!(class, FailureClass::Closed | FailureClass::Reset), "{class:?}");
    }

    #[tokio::test]
    async fn a_stream_notices_bytes_that_are_lost_and_bytes_that_come_twice() {
        for (sent_back, class) in [(9, FailureClass::BytesLost), (7, FailureClass::BytesRepeated)] {
            let mut rig = Rig::new(ProbeKind::TcpStream).await;
            rig.kept.begin(7);
            let mut stream = rig.accept().await;
            let mut came = vec![0; STREAM_PREFACE.len() + RECORD_BYTES];
            stream.read_exact(&mut came).await.expect("a preface and a record");
            stream.write_all(b"shop-1\n").await.expect("the client is there");
            stream.write_all(&record(7)).await.expect("the client is there");
            assert_eq!(rig.end().await, (7, Finding::Answered(Answered::by("shop-1"))));
            rig.kept.begin(8);
            rig.kept.begin(9);
            let mut records = vec![0; 2 * RECORD_BYTES];
            stream.read_exact(&mut records).await.expect("two records");
            stream.write_all(&record(sent_back)).await.expect("the client is there");
            assert_eq!(failed(rig.end().await.1).0, class);
        }
    }
}
