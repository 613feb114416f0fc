//! What must hold of both ends of an HTTP connection, whatever the bytes: for property tests and fuzzers.
//!
//! Each function takes any bytes and panics where a property does not hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use grenadier_wire::{CallAddress, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::exchange;
use crate::server::{Handler, Handling, connection};

/// How many bytes the pipe holds.
const PIPE: usize = 4096;

/// Counts what it was handed, and answers each with its own body.
#[derive(Default)]
struct Echo {
    bytes: AtomicUsize,
}

impl Handler for Echo {
    fn handle(&self, request: http::Request<Bytes>) -> Handling {
        self.bytes.fetch_add(request.body().len(), Ordering::Relaxed);
        Box::pin(async move { Ok::<_, Failure>(http::Response::new(request.into_body())) })
    }
}

/// Bytes of a client: the connection comes to an end, and no more is handed over than was sent.
pub fn server(bytes: &[u8]) {
    let echo = Arc::new(Echo::default());
    let (mut near, far) = tokio::io::duplex(PIPE);
    let client = async {
        let (mut answers, mut requests) = tokio::io::split(&mut near);
        let mut answered = Vec::new();
        let sending = async {
            // A server that has closed does not want the rest.
            let _ = requests.write_all(bytes).await;
            let _ = requests.shutdown().await;
        };
        let (_, read) = futures_util::future::join(sending, answers.read_to_end(&mut answered)).await;
        read.map(|_| answered)
    };
    let serving = connection(far, Arc::clone(&echo) as Arc<dyn Handler>);
    let (answered, ()) = block_on(futures_util::future::join(client, serving));
    assert!(echo.bytes.load(Ordering::Relaxed) <= bytes.len());
    if let Ok(answered) = answered.as_deref().map(String::from_utf8_lossy) {
        assert!(answered.is_empty() || answered.starts_with("HTTP/1."), "{answered}");
    }
}

/// Bytes of a server: the client has an answer or a failure, and its body is not longer than what was sent.
pub fn client(bytes: &[u8]) {
    let (near, mut far) = tokio::io::duplex(PIPE);
    let request = http::Request::post("/a?b=c").body(Bytes::from_static(b"body")).expect("a request");
    let server = async {
        let mut head = [0_u8; 512];
        // The request is there before the answer, as it is with every server.
        let _ = far.read(&mut head).await;
        let _ = far.write_all(bytes).await;
        let _ = far.shutdown().await;
        drop(far);
    };
    let (answer, ()) = block_on(futures_util::future::join(exchange(near, "host:80", request), server));
    if let Ok(response) = answer {
        assert!(response.body().len() <= bytes.len());
    }
}

/// The wire's name of a call: what reads is written so that it reads as the same.
pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(address) = text.parse::<CallAddress>() else { return };
    assert_eq!(address.to_string().parse().as_ref(), Ok(&address));
}

/// Runs a future that waits for nothing but other parts of itself.
fn block_on<F: Future>(main: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers").block_on(main)
}
