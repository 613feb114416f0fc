//! Real sockets behind a guest's listeners.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use grenadier_carriers::{Handler, Handling, TlsIdentity, connection, fingerprint, serve};
use grenadier_guest::{Answering, Listener};
use grenadier_wire::{Failure, http_response};
use http::StatusCode;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::probe::{STREAM_PREFACE, echo_datagrams, echo_stream};

/// A request that a listener passes to the guest.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) port: u16,
    pub(crate) request: http::Request<Bytes>,
    pub(crate) answer: oneshot::Sender<http::Response<Bytes>>,
}

/// The sockets that are open, by address and port as the guest names them.
#[derive(Debug)]
pub(crate) struct Listeners {
    open: BTreeMap<(Option<IpAddr>, u16), Open>,
    /// Sockets on their way out: a task that was told to end closes its socket when it next has the floor, and only then the
    /// address is free again.
    closing: BTreeMap<(Option<IpAddr>, u16), JoinHandle<()>>,
    incoming: mpsc::UnboundedSender<Incoming>,
}

#[derive(Debug)]
struct Open {
    certificate: Option<String>,
    answering: Arc<Mutex<Answering>>,
    task: JoinHandle<()>,
}

/// A certificate chain and its key as PEM text.
pub(crate) struct Pem {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Listeners {
    /// No sockets yet; requests for the guest will go to `incoming`.
    pub(crate) fn new(incoming: mpsc::UnboundedSender<Incoming>) -> Listeners {
        Listeners { open: BTreeMap::new(), closing: BTreeMap::new(), incoming }
    }

    /// Opens a socket, or changes what answers at an open one.
    ///
    /// What a proxy answers is the real proxy's business: its process opens its sockets itself, and nothing is opened here.
    ///
    /// # Errors
    /// There is no certificate to show; the text says why. That an address cannot be bound turns out later and is said on
    /// standard error, which ends in the machine's log.
    pub(crate) fn open(
        &mut self,
        listener: &Listener,
        pem: impl FnOnce() -> Result<Pem, String>,
    ) -> Result<(), String> {
        let at = (listener.address, listener.port);
        if matches!(listener.answering, Answering::Proxy(_)) {
            self.close(listener.address, listener.port);
            return Ok(());
        }
        if let Some(open) = self.open.get(&at)
            && open.certificate == listener.certificate
        {
            *open.answering.lock().unwrap_or_else(PoisonError::into_inner) = listener.answering.clone();
            return Ok(());
        }
        // A new certificate means a new socket.
        self.close(listener.address, listener.port);
        let identity = match &listener.certificate {
            None => None,
            Some(wanted) => Some(identity(&pem()?, wanted)?),
        };
        let address = SocketAddr::new(listener.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), listener.port);
        let answering = Arc::new(Mutex::new(listener.answering.clone()));
        let handler = Arc::new(Passing {
            port: listener.port,
            answering: Arc::clone(&answering),
            incoming: self.incoming.clone(),
        });
        let before = self.closing.remove(&at);
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                // It ends as told; its panic would have been printed already.
                let _ = before.await;
            }
            let ended = match (TcpListener::bind(address).await, identity) {
                (Ok(socket), Some(identity)) => serve(socket, Some(identity), handler).await,
                (Ok(socket), None) => serve_plain(socket, handler).await,
                (Err(error), _) => Err(error),
            };
            let Err(error) = ended;
            eprintln!("failed to listen on {address}: {error}");
        });
        self.open.insert(at, Open { certificate: listener.certificate.clone(), answering, task });
        Ok(())
    }

    /// Closes a socket and its connections.
    pub(crate) fn close(&mut self, address: Option<IpAddr>, port: u16) {
        if let Some(open) = self.open.remove(&(address, port)) {
            open.task.abort();
            self.closing.insert((address, port), open.task);
        }
    }
}

/// Serves what is not TLS: HTTP, and where a backend answers the streams and datagrams of probes too.
async fn serve_plain(listener: TcpListener, passing: Arc<Passing>) -> io::Result<Infallible> {
    // Dropping the set ends the connections with their listener.
    let mut tasks = JoinSet::new();
    if passing.backend().is_some() {
        let (address, passing) = (listener.local_addr()?, Arc::clone(&passing));
        tasks.spawn(async move {
            let ended = match UdpSocket::bind(address).await {
                Ok(socket) => echo_datagrams(socket, || passing.backend()).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                eprintln!("failed to take datagrams at {address}: {error}");
            }
        });
    }
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        while tasks.try_join_next().is_some() {}
        let passing = Arc::clone(&passing);
        tasks.spawn(async move {
            match passing.backend() {
                // An error is the client's end of the story.
                Some(name) if begins_a_stream(&stream).await => drop(echo_stream(stream, &name).await),
                _ => connection(stream, passing).await,
            }
        });
    }
}

/// Whether the client says what begins a stream, which no method of HTTP does.
async fn begins_a_stream(stream: &TcpStream) -> bool {
    let mut first = [0; 1];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0] == STREAM_PREFACE[0]
}

/// The identity to show, which must be the one that the guest says it shows.
fn identity(pem: &Pem, wanted: &str) -> Result<TlsIdentity, String> {
    let leaf = CertificateDer::from_pem_slice(pem.chain.as_bytes()).map_err(|error| format!("certificate: {error}"))?;
    let found = fingerprint(&leaf);
    if found != wanted {
        return Err(format!("the certificate file holds {found}, the guest says it shows {wanted}"));
    }
    TlsIdentity::from_pem(&pem.chain, &pem.key).map_err(|error| error.to_string())
}

/// Answers at one socket.
struct Passing {
    port: u16,
    answering: Arc<Mutex<Answering>>,
    incoming: mpsc::UnboundedSender<Incoming>,
}

impl Passing {
    fn answering(&self) -> Answering {
        self.answering.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The name of the backend that answers here, where one does.
    fn backend(&self) -> Option<String> {
        match self.answering() {
            Answering::Backend(name) => Some(name),
            Answering::Guest | Answering::Proxy(_) => None,
        }
    }
}

impl Handler for Passing {
    fn handle(&self, request: http::Request<Bytes>) -> Handling {
        match self.answering() {
            Answering::Backend(name) => {
                Box::pin(std::future::ready(Ok(http_response(StatusCode::OK, "text/plain", name))))
            }
            Answering::Guest | Answering::Proxy(_) => {
                let (answer, answered) = oneshot::channel();
                // A guest that is gone drops the request, and the connection breaks.
                let _ = self.incoming.send(Incoming { port: self.port, request, answer });
                let lost = Failure::ConnectionLost { endpoint: format!("port {}", self.port) };
                Box::pin(async move { answered.await.map_err(|_| lost) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use grenadier_carriers::TcpClient;
    use grenadier_wire::HttpExchange;

    use super::*;

    fn listener(port: u16, name: &str) -> Listener {
        let address = Some(Ipv4Addr::LOCALHOST.into());
        Listener { address, port, certificate: None, answering: Answering::Backend(name.to_owned()) }
    }

    async fn get(port: u16) -> Result<Bytes, Failure> {
        let http = HttpExchange {
            endpoint: format!("127.0.0.1:{port}"),
            tls: None,
            request: http::Request::new(Bytes::new()),
            timeout: std::time::Duration::from_secs(5),
        };
        // The socket is opened by a task of its own, and one on its way out may still take a connection and break it.
        for _ in 0..100 {
            match TcpClient::default().send(http.clone()).await {
                Err(_) => tokio::task::yield_now().await,
                Ok(response) => return Ok(response.into_body()),
            }
        }
        TcpClient::default().send(http).await.map(http::Response::into_body)
    }

    /// A service that is restarted closes its socket and opens it again in one go.
    #[tokio::test]
    async fn an_address_can_be_opened_again_at_once() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = free.expect("a free port").port();
        let mut listeners = Listeners::new(mpsc::unbounded_channel().0);
        let no_pem = || Err("none is needed".to_owned());
        listeners.open(&listener(port, "one"), no_pem).expect("no certificate is needed");
        assert_eq!(get(port).await, Ok("one".into()));
        listeners.open(&listener(port, "two"), no_pem).expect("no certificate is needed");
        assert_eq!(get(port).await, Ok("two".into()), "what answers can be changed without closing");
        listeners.close(Some(Ipv4Addr::LOCALHOST.into()), port);
        listeners.open(&listener(port, "three"), no_pem).expect("no certificate is needed");
        assert_eq!(get(port).await, Ok("three".into()));
        listeners.close(Some(Ipv4Addr::LOCALHOST.into()), port);
        tokio::task::yield_now().await;
        assert!(matches!(get(port).await, Err(Failure::Refused { .. })));
    }
}
