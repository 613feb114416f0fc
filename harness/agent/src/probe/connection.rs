//! A TCP connection to a target, with TLS where it speaks that, and what its errors mean.

use std::io;
use std::time::Instant;

use grenadier_carriers::connect_tls;
use grenadier_fleet::FailureClass;
use grenadier_wire::TlsTrust;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout_at;

use super::finding::{Failed, Finding, SAMPLE_TIMEOUT};
use crate::protocol::WatchOrder;

/// A connection, whatever is below it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Why a sample ends without an answer.
pub(super) enum Stop {
    /// By what the target or the way to it did.
    Failed(Failed),
    /// By the prober's own doing.
    Own(String),
}

impl From<Stop> for Finding {
    fn from(stop: Stop) -> Finding {
        match stop {
            Stop::Failed(failed) => Finding::Failed(failed),
            Stop::Own(reason) => Finding::unknown(reason),
        }
    }
}

impl Stop {
    pub(super) fn failed(class: FailureClass, text: impl Into<String>) -> Stop {
        Stop::Failed(Failed::new(class, text))
    }
}

/// Opens a connection by `deadline`.
pub(super) async fn open(order: &WatchOrder, deadline: Instant) -> Result<Box<dyn Stream>, Stop> {
    let stream = open_tcp(order, deadline).await?;
    if !order.tls {
        return Ok(Box::new(stream));
    }
    let (stream, _) = shake_hands(order, stream, deadline).await?;
    Ok(stream)
}

/// Opens a TCP connection by `deadline`.
pub(super) async fn open_tcp(order: &WatchOrder, deadline: Instant) -> Result<TcpStream, Stop> {
    let connected = timeout_at(deadline.into(), TcpStream::connect(order.target)).await;
    let stream = connected.map_err(|_| silent("no connection to", order))?;
    let stream = stream.map_err(|error| refusal(&error))?;
    stream.set_nodelay(true).map_err(|error| Stop::Own(format!("set up a connection: {error}")))?;
    Ok(stream)
}

/// Certificates in DER form, in the order in which they were shown.
pub(super) type Shown = Vec<Vec<u8>>;

/// Makes a connection a TLS one by `deadline`, whoever the other end claims to be.
pub(super) async fn shake_hands(
    order: &WatchOrder,
    stream: TcpStream,
    deadline: Instant,
) -> Result<(Box<dyn Stream>, Shown), Stop> {
    let shaken = timeout_at(deadline.into(), connect_tls(stream, order.target.ip(), &TlsTrust::Anyone)).await;
    let shaken = shaken.map_err(|_| silent("no TLS handshake with", order))?;
    let (stream, shown) = shaken.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Stop::failed(FailureClass::Reset, "the connection was reset within the TLS handshake")
        }
        io::ErrorKind::UnexpectedEof => {
            Stop::failed(FailureClass::Closed, "the connection was closed within the TLS handshake")
        }
        _ => Stop::failed(FailureClass::Handshake, format!("TLS handshake: {error}")),
    })?;
    Ok((Box::new(stream), shown))
}

/// Nothing came, up to the end of a sample's patience.
pub(super) fn silent(what: &str, order: &WatchOrder) -> Stop {
    let text = format!("{what} {} within {} ms", order.target, SAMPLE_TIMEOUT.as_millis());
    Stop::failed(FailureClass::Silent, text)
}

/// Why a connection does not come about.
pub(super) fn refusal(error: &io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Stop::failed(FailureClass::Refused, "the connection was refused"),
        io::ErrorKind::ConnectionReset => {
            Stop::failed(FailureClass::Reset, "the connection was reset before it was made")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Stop::failed(FailureClass::Unreachable, format!("{error}"))
        }
        io::ErrorKind::TimedOut => Stop::failed(FailureClass::Silent, "the kernel gave the connection up"),
        // No descriptor, no port, no memory: that is about us.
        _ => Stop::Own(format!("open a connection: {error}")),
    }
}

/// How a connection that was made ends: none where it was closed in an orderly way.
pub(super) fn ending(error: Option<&io::Error>) -> Failed {
    match error.map(io::Error::kind) {
        None | Some(io::ErrorKind::UnexpectedEof) => Failed::new(FailureClass::Closed, "the connection was closed"),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            Failed::new(FailureClass::Unreachable, "the way to the other end was lost")
        }
        Some(io::ErrorKind::TimedOut) => Failed::new(FailureClass::Silent, "the kernel gave the connection up"),
        Some(_) => Failed::new(FailureClass::Reset, "the connection was reset"),
    }
}
