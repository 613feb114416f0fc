//! Serves a vCenter above a fleet in memory on a loopback port, in real time, for clients nobody here wrote.
//!
//! Prints `listening on 127.0.0.1:PORT` and runs until it is ended or its standard input is closed. An optional argument sets
//! the idle limit of sessions in seconds.
#![allow(clippy::disallowed_methods, reason = "a server for foreign clients lives in real time")]

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use grenadier_clock::{Seed, Time};
use grenadier_fleet::{Cloud, Host};
use grenadier_vsphere::testing::{MemoryFleet, MemoryHost};
use grenadier_vsphere::{User, VSphere, VSphereConfig};
use grenadier_wire::{ReplyTo, Secret};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How often time is looked at: short against the 100 ms that an operation of the fleet takes.
const TICK: Duration = Duration::from_millis(5);

struct World {
    cloud: VSphere,
    host: MemoryHost,
    began: Instant,
    waiting: Vec<(ReplyTo, oneshot::Sender<http::Response<Bytes>>)>,
    last_reply: u64,
}

impl World {
    fn advance(&mut self) {
        let now = Time::ZERO + self.began.elapsed();
        self.host.advance(&mut self.cloud, now);
        for (to, response) in std::mem::take(&mut self.host.replies) {
            if let Some(position) = self.waiting.iter().position(|(waiting, _)| *waiting == to) {
                // Whoever gave up waiting is gone; nothing is to be done about it.
                let _ = self.waiting.swap_remove(position).1.send(response);
            }
        }
    }

    fn ask(&mut self, request: http::Request<Bytes>) -> oneshot::Receiver<http::Response<Bytes>> {
        self.last_reply += 1;
        let (reply, (sender, receiver)) = (ReplyTo(self.last_reply), oneshot::channel());
        self.waiting.push((reply, sender));
        self.advance();
        self.cloud.handle(reply, request, &mut self.host);
        self.advance();
        receiver
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    world: Arc<Mutex<World>>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    // The lock must not be held while the answer is awaited.
    let answer = lock(&world).ask(http::Request::from_parts(parts, body));
    let response = answer.await?;
    Ok(response.map(Full::new))
}

fn config(session_timeout: Option<Duration>) -> VSphereConfig {
    let user = |name: &str, missing: &[&str]| User {
        name: name.to_owned(),
        password: Secret::new("secret"),
        missing_privileges: missing.iter().map(|privilege| (*privilege).to_owned()).collect::<BTreeSet<_>>(),
    };
    let mut config = VSphereConfig::new("7.0.3", Seed(1));
    config.users = vec![user("administrator@vsphere.local", &[]), user("reader@vsphere.local", &["VApp.Import"])];
    config.networks = ["management", "workload", "frontend"].map(str::to_owned).to_vec();
    config.upload_base = "http://*".to_owned();
    config.session_timeout = session_timeout.unwrap_or(config.session_timeout);
    config
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let timeout = std::env::args().nth(1).map(|text| text.parse()).transpose()?.map(Duration::from_secs);
    let host = Host { cpus: 8, memory_mib: 16_384, storage_mib: 102_400 };
    let world = Arc::new(Mutex::new(World {
        cloud: VSphere::new(config(timeout)),
        host: MemoryHost::new(MemoryFleet::new(host)),
        began: Instant::now(),
        waiting: Vec::new(),
        last_reply: 0,
    }));
    // Whoever starts this keeps its standard input open; a test that is killed leaves no server behind.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let ticking = Arc::clone(&world);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TICK).await;
            lock(&ticking).advance();
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&world), request));
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            if let Err(error) = served {
                eprintln!("connection ended: {error}");
            }
        });
    }
}
