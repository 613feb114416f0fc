//! Real sockets behind a guest's listeners.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use grenadier_carriers::{Handler, Handling, TlsIdentity, fingerprint, serve};
use grenadier_guest::{Answering, Listener};
use grenadier_wire::{Failure, http_response};
use http::StatusCode;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

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
    incoming: mpsc::UnboundedSender<Incoming>,
}

#[derive(Debug)]
struct Open {
    certificate: Option<String>,
    answering: Arc<Mutex<Answering>>,
    task: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A certificate chain and its key as PEM text.
pub(crate) struct Pem {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Listeners {
    /// No sockets yet; requests for the guest will go to `incoming`.
    pub(crate) fn new(incoming: mpsc::UnboundedSender<Incoming>) -> Listeners {
        Listeners { open: BTreeMap::new(), incoming }
    }

    /// Opens a socket, or changes what answers at an open one.
    ///
    /// What a proxy answers is the real proxy's business: its process opens its sockets itself, and nothing is opened here.
    ///
    /// # Errors
    /// The address cannot be bound, or there is no certificate to show; the text says which.
    pub(crate) fn open(
        &mut self,
        listener: &Listener,
        pem: impl FnOnce() -> Result<Pem, String>,
    ) -> Result<(), String> {
        let at = (listener.address, listener.port);
        if matches!(listener.answering, Answering::Proxy(_)) {
            self.open.remove(&at);
            return Ok(());
        }
        if let Some(open) = self.open.get(&at)
            && open.certificate == listener.certificate
        {
            *open.answering.lock().unwrap_or_else(PoisonError::into_inner) = listener.answering.clone();
            return Ok(());
        }
        // A new certificate means a new socket, and the old one must be closed before that.
        self.open.remove(&at);
        let identity = match &listener.certificate {
            None => None,
            Some(wanted) => Some(identity(&pem()?, wanted)?),
        };
        let address = SocketAddr::new(listener.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), listener.port);
        let socket = std::net::TcpListener::bind(address)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .and_then(TcpListener::from_std)
            .map_err(|error| format!("listen on {address}: {error}"))?;
        let answering = Arc::new(Mutex::new(listener.answering.clone()));
        let handler = Arc::new(Passing {
            port: listener.port,
            answering: Arc::clone(&answering),
            incoming: self.incoming.clone(),
        });
        let task = tokio::spawn(async move {
            // Accepting fails when the process is out of files; the sockets are then closed and clients are refused.
            let Err(error) = serve(socket, identity, handler).await;
            eprintln!("listener on {address} ended: {error}");
        });
        self.open.insert(at, Open { certificate: listener.certificate.clone(), answering, task: task.abort_handle() });
        Ok(())
    }

    /// Closes a socket and its connections.
    pub(crate) fn close(&mut self, address: Option<IpAddr>, port: u16) {
        self.open.remove(&(address, port));
    }
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

impl Handler for Passing {
    fn handle(&self, request: http::Request<Bytes>) -> Handling {
        let answering = self.answering.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match answering {
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
