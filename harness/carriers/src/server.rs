//! The listening end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use grenadier_wire::{Failure, http_response};
use http::{HeaderValue, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::TlsIdentity;
use crate::limits::{Buffered, Limits};

/// The largest request body that is read, in bytes: an appliance image of ours is far smaller.
const MOST_BODY_BYTES: usize = 256 << 20;

/// An answer in the making. An error means that the connection breaks without one.
pub type Handling = Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, Failure>> + Send>>;

/// What answers behind a listener.
pub trait Handler: Send + Sync {
    /// Answers one request with its whole body.
    fn handle(&self, request: http::Request<Bytes>) -> Handling;
}

/// Accepts connections until its future is dropped; each is served by a task of its own.
///
/// # Errors
/// The listener's, when accepting fails. A client that breaks its connection is no error.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsIdentity>,
    handler: Arc<dyn Handler>,
) -> io::Result<Infallible> {
    // Dropping the set ends the connections with their listener.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (tls, handler) = (tls.clone(), Arc::clone(&handler));
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            match tls {
                None => connection(stream, handler).await,
                Some(identity) => {
                    // A client that does not like our certificate has told us so by closing.
                    if let Ok(stream) = identity.acceptor().accept(stream).await {
                        connection(stream, handler).await;
                    }
                }
            }
        });
    }
}

/// [`serve`] for clients that nobody here wrote: what they may take is limited.
///
/// # Errors
/// The listener's, when accepting fails. A client that breaks its connection is no error, nor is a want of file handles,
/// which passes when a connection ends.
pub async fn serve_within(
    listener: TcpListener,
    tls: Option<TlsIdentity>,
    handler: Arc<dyn Handler>,
    limits: Limits,
) -> io::Result<Infallible> {
    let mut connections = tokio::task::JoinSet::new();
    let buffered = Arc::new(Buffered::default());
    loop {
        while connections.try_join_next().is_some() {}
        while connections.len() >= limits.connections {
            connections.join_next().await;
        }
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // EMFILE and ENFILE: the client waits until somebody else has gone.
            Err(error) if matches!(error.raw_os_error(), Some(23 | 24)) && !connections.is_empty() => {
                connections.join_next().await;
                continue;
            }
            // The client went away before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        // A client that has gone already needs no haste.
        let _gone = stream.set_nodelay(true);
        let (tls, handler, limits, buffered) =
            (tls.clone(), Arc::clone(&handler), limits.clone(), Arc::clone(&buffered));
        connections.spawn(async move {
            match tls {
                None => connection_within(stream, handler, limits, buffered).await,
                Some(identity) => {
                    let shaken = tokio::time::timeout(limits.patience, identity.acceptor().accept(stream)).await;
                    if let Ok(Ok(stream)) = shaken {
                        connection_within(stream, handler, limits, buffered).await;
                    }
                }
            }
        });
    }
}

async fn connection_within<S>(stream: S, handler: Arc<dyn Handler>, limits: Limits, buffered: Arc<Buffered>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
{
    let idle = limits.idle;
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (handler, limits, buffered) = (Arc::clone(&handler), limits.clone(), Arc::clone(&buffered));
        async move {
            let (parts, body) = request.into_parts();
            let body = limits.read(parts.uri.path(), body, &buffered).await.map_err(io::Error::other)?;
            let answer = match body {
                Ok(body) => handler.handle(http::Request::from_parts(parts, body)).await.map_err(io::Error::other)?,
                Err(status) => {
                    let mut refused = http_response(status, "text/plain", format!("{status}\n"));
                    refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    refused
                }
            };
            Ok::<_, io::Error>(answer.map(Full::new))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .serve_connection(TokioIo::new(stream), service);
    // An error here is the client's end of the story.
    let _ended = connection.await;
}

/// Serves one connection to its end.
pub async fn connection<S>(stream: S, handler: Arc<dyn Handler>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send,
{
    let service = service_fn(move |request: http::Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let (parts, body) = request.into_parts();
            let body = match Limited::new(body, MOST_BODY_BYTES).collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) => return Err(io::Error::other(error)),
            };
            let answer = handler.handle(http::Request::from_parts(parts, body)).await;
            answer.map(|response| response.map(Full::new)).map_err(io::Error::other)
        }
    });
    // The date is the wall clock's: it would make two equal runs differ.
    let connection = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    // An error here is the client's end of the story, or a reply that a fault rule took away.
    let _ended = connection.await;
}
