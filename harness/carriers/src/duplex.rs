//! Both ends over an in-memory pipe: the bytes of the wire without a socket.

use std::sync::Arc;

use grenadier_events::Actor;
use grenadier_wire::{Answerer, Answering, Exchange, Failure};

use crate::client::exchange;
use crate::server::{Handler, connection};

/// How many bytes the pipe holds before the writer waits.
const PIPE_BYTES: usize = 64 << 10;

/// Sends HTTP exchanges to a handler as HTTP/1.1 bytes through a pipe. It needs no runtime: the caller's polls move both ends.
#[derive(Clone)]
pub struct DuplexClient(Arc<dyn Handler>);

impl DuplexClient {
    /// A client whose every exchange goes to `handler`.
    pub fn new(handler: Arc<dyn Handler>) -> DuplexClient {
        DuplexClient(handler)
    }
}

impl Answerer for DuplexClient {
    fn answer(&self, _actor: Actor, sent: Exchange) -> Answering {
        let handler = Arc::clone(&self.0);
        Box::pin(async move {
            let http = match sent {
                Exchange::Http(http) => http,
                Exchange::Shell(shell) => return Err(Failure::Refused { endpoint: shell.host }),
            };
            let (near, far) = tokio::io::duplex(PIPE_BYTES);
            let serving = connection(far, handler);
            let (answer, ()) = futures_util::future::join(exchange(near, &http.endpoint, http.request), serving).await;
            answer.map(Into::into)
        })
    }
}
