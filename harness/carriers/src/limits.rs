//! What a listener takes from clients nobody here wrote.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

/// How much of a body that is too large is read and thrown away, so that its sender hears why: then the connection breaks.
const MOST_DISCARDED: usize = 1 << 30;

/// What a listener takes from clients: how much, how many, and how long it waits for them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest body at a path, in bytes.
    pub body_bytes: fn(&str) -> usize,
    /// The bodies of all requests that are being read, in bytes.
    pub all_bodies_bytes: usize,
    /// How many connections are open at once; more wait to be accepted.
    pub connections: usize,
    /// How long a client may take for its part of a TLS handshake, and between two parts of a body.
    pub patience: Duration,
    /// How long a connection may be without a whole request, idle or not.
    pub idle: Duration,
}

/// Bodies that are being read, on all connections.
#[derive(Debug, Default)]
pub(crate) struct Buffered(AtomicUsize);

/// A part of what is being read; given back when dropped.
struct Share {
    buffered: Arc<Buffered>,
    bytes: usize,
}

impl Share {
    /// Whether there is room for so many bytes more.
    fn grow(&mut self, bytes: usize, most: usize) -> bool {
        let before = self.buffered.0.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before.saturating_add(bytes) <= most
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.buffered.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Limits {
    /// Reads a body as a whole, or gives the status that refuses it. An error means that the connection breaks.
    pub(crate) async fn read(
        &self,
        path: &str,
        mut body: Incoming,
        buffered: &Arc<Buffered>,
    ) -> Result<Result<Bytes, StatusCode>, hyper::Error> {
        let most = (self.body_bytes)(path);
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut refused = (announced > most).then_some(StatusCode::PAYLOAD_TOO_LARGE);
        let mut share = Share { buffered: Arc::clone(buffered), bytes: 0 };
        let (mut content, mut seen) = (BytesMut::new(), 0_usize);
        loop {
            let Ok(frame) = tokio::time::timeout(self.patience, body.frame()).await else {
                return Ok(Err(StatusCode::REQUEST_TIMEOUT));
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame?.into_data() else { continue };
            seen = seen.saturating_add(data.len());
            if refused.is_none() {
                if seen > most {
                    refused = Some(StatusCode::PAYLOAD_TOO_LARGE);
                } else if !share.grow(data.len(), self.all_bodies_bytes) {
                    refused = Some(StatusCode::SERVICE_UNAVAILABLE);
                } else {
                    content.extend_from_slice(&data);
                }
            }
            if refused.is_some() {
                content = BytesMut::new();
                if seen > MOST_DISCARDED {
                    break;
                }
            }
        }
        Ok(refused.map_or_else(|| Ok(content.freeze()), Err))
    }
}
