//! Takes samples of one target, evenly spaced.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use grenadier_carriers::TcpClient;
use grenadier_fleet::Mac;
use grenadier_wire::{HttpExchange, TlsTrust};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::judge::{Judge, SAMPLE_TIMEOUT, Sample};
use super::neighbours;
use crate::protocol::{FromAgent, SampleRow, WatchOrder};
use crate::{Outbox, TimeBase};

/// How often rows are sent on: what a prober that is killed takes with it.
const ROWS_EVERY: Duration = Duration::from_millis(250);

/// How often the neighbour table is looked at.
const NEIGHBOUR_EVERY: Duration = Duration::from_millis(50);

/// The longest backend name that is taken from an answer, in bytes.
const NAME_BYTES: usize = 64;

/// A watch that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Sampler {
    _stop: watch::Sender<()>,
}

impl Sampler {
    /// Begins to look.
    pub(crate) fn start(order: WatchOrder, time: TimeBase, outbox: Outbox) -> Sampler {
        let (stop, stopped) = watch::channel(());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(run(order, time, outbox, stopped)),
                Err(error) => outbox.complain(format!("failed to begin watch {}: {error}", order.watch)),
            }
        });
        Sampler { _stop: stop }
    }
}

/// A sample on its way back, with its place in the order of beginnings.
type Ended = (u64, Sample);

async fn run(order: WatchOrder, time: TimeBase, outbox: Outbox, mut stopped: watch::Receiver<()>) {
    let (sender, mut ended) = mpsc::unbounded_channel::<Ended>();
    let mut findings = Findings::new(&order, time, outbox.clone());
    let mut neighbour: Option<Option<Mac>> = None;
    let mut pinned = order.pinned.then(|| Pinned::start(&order, sender.clone()));

    let mut samples = tokio::time::interval(Duration::from_millis(order.every_ms.max(1)));
    // A stall leaves a gap, which the rows show, instead of a burst of samples that were never due.
    samples.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut looks = tokio::time::interval(NEIGHBOUR_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut deliveries = tokio::time::interval(ROWS_EVERY);
    deliveries.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut number = 0;
    loop {
        tokio::select! {
            biased;
            _ = samples.tick() => match &mut pinned {
                Some(pinned) => number = pinned.tick(number),
                None => {
                    tokio::spawn(fresh(number, order.clone(), sender.clone()));
                    number += 1;
                }
            },
            Some((number, sample)) = ended.recv() => findings.take(number, sample),
            _ = looks.tick() => {
                let now = neighbours::current(order.target.ip());
                if neighbour != Some(now) {
                    outbox.put(FromAgent::Neighbour { address: order.target.ip(), mac: now });
                }
                neighbour = Some(now);
            }
            _ = deliveries.tick() => findings.flush(),
            _ = stopped.changed() => break,
        }
    }
    findings.flush();
}

/// One sample over a connection of its own.
async fn fresh(number: u64, order: WatchOrder, done: mpsc::UnboundedSender<Ended>) {
    let exchange = HttpExchange {
        endpoint: order.target.to_string(),
        tls: order.tls.then_some(TlsTrust::Anyone),
        request: request(&order, true),
        timeout: SAMPLE_TIMEOUT,
    };
    let began = Instant::now();
    let answer = tokio::time::timeout(SAMPLE_TIMEOUT, TcpClient::default().send(exchange)).await;
    let result = match answer {
        Ok(Ok(response)) => served_by(response.status(), response.body()),
        Ok(Err(failure)) => Err(failure.to_string()),
        Err(_) => Err(late(&order)),
    };
    // The watch may have ended meanwhile.
    let _ = done.send((number, Sample { began, ended: Instant::now(), result }));
}

fn request(order: &WatchOrder, close: bool) -> Request<Bytes> {
    let request = Request::get("/").header(header::HOST, order.target.to_string());
    let request = if close { request.header(header::CONNECTION, "close") } else { request };
    request.body(Bytes::new()).expect("an address is a valid header value")
}

fn late(order: &WatchOrder) -> String {
    format!("no answer from {} within {} ms", order.target, SAMPLE_TIMEOUT.as_millis())
}

/// The backend's name: the first line of the body of a 200.
fn served_by(status: StatusCode, body: &[u8]) -> Result<String, String> {
    if status != StatusCode::OK {
        return Err(format!("answered {}", status.as_u16()));
    }
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(&line[..line.len().min(NAME_BYTES)]).trim().to_owned())
}

/// Samples that come back in any order, judged in order of their beginnings.
struct Findings {
    watch: u32,
    judge: Judge,
    time: TimeBase,
    outbox: Outbox,
    /// Back, while one that was begun earlier is still out.
    waiting: BTreeMap<u64, Sample>,
    next: u64,
    rows: Vec<SampleRow>,
}

impl Findings {
    fn new(order: &WatchOrder, time: TimeBase, outbox: Outbox) -> Findings {
        let judge = Judge::new(time);
        Findings { watch: order.watch, judge, time, outbox, waiting: BTreeMap::new(), next: 0, rows: Vec::new() }
    }

    fn take(&mut self, number: u64, sample: Sample) {
        self.waiting.insert(number, sample);
        while let Some(sample) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.rows.push(sample.row(&self.time));
            if let Some((earliest, latest, seen)) = self.judge.take(&sample) {
                self.outbox.put(FromAgent::Observation { watch: self.watch, earliest, latest, seen });
            }
        }
    }

    fn flush(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            self.outbox.put(FromAgent::Samples { watch: self.watch, rows });
        }
    }
}

/// One connection that is kept as long as it lives, and one request on it at a time.
struct Pinned {
    due: mpsc::Sender<u64>,
}

impl Pinned {
    fn start(order: &WatchOrder, done: mpsc::UnboundedSender<Ended>) -> Pinned {
        // One request waits at most: while the connection stalls, its one sample is the finding, not a queue of them.
        let (due, mut orders) = mpsc::channel(1);
        let order = order.clone();
        tokio::spawn(async move {
            let mut connection = None;
            while let Some(number) = orders.recv().await {
                let began = Instant::now();
                let answer = tokio::time::timeout(SAMPLE_TIMEOUT, on_connection(&mut connection, &order)).await;
                let result = answer.unwrap_or_else(|_| Err(late(&order)));
                if result.is_err() {
                    // The next sample makes a new one: whether that works is what an operator's retry would see.
                    connection = None;
                }
                let _ = done.send((number, Sample { began, ended: Instant::now(), result }));
            }
        });
        Pinned { due }
    }

    /// A sample is due; the number of the next one.
    fn tick(&mut self, number: u64) -> u64 {
        match self.due.try_send(number) {
            Ok(()) => number + 1,
            Err(_) => number,
        }
    }
}

async fn on_connection(
    connection: &mut Option<SendRequest<Full<Bytes>>>,
    order: &WatchOrder,
) -> Result<String, String> {
    if connection.is_none() {
        let stream = TcpStream::connect(order.target).await.map_err(|error| format!("connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            // How the connection ends is told by the request that fails on it.
            let _ = driver.await;
        });
        *connection = Some(sender);
    }
    let sender = connection.as_mut().expect("it was just made");
    let answer = sender.send_request(request(order, false).map(Full::new)).await;
    let response = answer.map_err(|error| format!("the kept connection broke: {error}"))?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| format!("the kept connection broke: {error}"))?;
    served_by(status, &body.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Seen;

    #[test]
    fn names_are_the_first_line_of_a_200() {
        assert_eq!(served_by(StatusCode::OK, b"shop-1\nmore"), Ok("shop-1".to_owned()));
        assert_eq!(served_by(StatusCode::OK, &[b'x'; 500]).map(|name| name.len()), Ok(NAME_BYTES));
        assert_eq!(served_by(StatusCode::SERVICE_UNAVAILABLE, b"shop-1"), Err("answered 503".to_owned()));
    }

    #[test]
    fn findings_wait_for_the_sample_that_was_begun_first() {
        let (outbox, messages) = Outbox::for_tests();
        let order = WatchOrder {
            watch: 7,
            target: "198.18.0.1:80".parse().expect("an address"),
            tls: false,
            pinned: false,
            every_ms: 10,
        };
        let mut findings = Findings::new(&order, TimeBase::default(), outbox);
        let began = Instant::now();
        let sample = |result: Result<&str, &str>| Sample {
            began,
            ended: began,
            result: result.map(str::to_owned).map_err(str::to_owned),
        };
        findings.take(1, sample(Ok("b")));
        assert!(messages.try_recv().is_err(), "the first sample is still out");
        findings.take(0, sample(Err("late")));
        let seen: Vec<Seen> = messages
            .try_iter()
            .map(|message| match message {
                FromAgent::Observation { watch: 7, seen, .. } => seen,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(seen, [Seen::Down("late".into()), Seen::Up(vec!["b".into()])]);
    }
}
