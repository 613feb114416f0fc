//! The calling end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use grenadier_events::Actor;
use grenadier_wire::{Answerer, Answering, Exchange, Failure, HttpExchange};
use http::{HeaderValue, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls::connect_tls;

/// Sends HTTP exchanges over TCP, with TLS where they ask for it; one connection for each.
///
/// Endpoints are socket addresses, or names that it was told an address for. Shell exchanges it refuses.
#[derive(Clone, Debug, Default)]
pub struct TcpClient {
    names: Arc<BTreeMap<String, SocketAddr>>,
}

impl TcpClient {
    /// A client that knows these endpoints by name (`vcenter.example:443`).
    pub fn new(names: BTreeMap<String, SocketAddr>) -> TcpClient {
        TcpClient { names: Arc::new(names) }
    }

    /// Sends one request and reads the whole answer. It does not watch the time: the wire does.
    pub async fn send(&self, http: HttpExchange) -> Result<http::Response<Bytes>, Failure> {
        let endpoint = http.endpoint.clone();
        let known = self.names.get(&endpoint).copied().or_else(|| endpoint.parse().ok());
        let address = known.ok_or_else(|| Failure::Unreachable { endpoint: endpoint.clone() })?;
        let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => Failure::Refused { endpoint: endpoint.clone() },
            std::io::ErrorKind::TimedOut => Failure::TimedOut { endpoint: endpoint.clone() },
            _ => Failure::Unreachable { endpoint: endpoint.clone() },
        })?;
        let lost = |_| Failure::ConnectionLost { endpoint: endpoint.clone() };
        stream.set_nodelay(true).map_err(lost)?;
        match &http.tls {
            None => exchange(stream, &endpoint, http.request).await,
            Some(trust) => {
                let connected = connect_tls(stream, address.ip(), trust).await;
                let (stream, _) = connected.map_err(|error| untrusted(&endpoint, &error))?;
                exchange(stream, &endpoint, http.request).await
            }
        }
    }
}

impl Answerer for TcpClient {
    fn answer(&self, _actor: Actor, exchange: Exchange) -> Answering {
        let client = self.clone();
        Box::pin(async move {
            match exchange {
                Exchange::Http(http) => client.send(http).await.map(Into::into),
                Exchange::Shell(shell) => Err(Failure::Refused { endpoint: shell.host }),
            }
        })
    }
}

fn untrusted(endpoint: &str, error: &std::io::Error) -> Failure {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let endpoint = endpoint.to_owned();
    match tls {
        Some(rustls::Error::InvalidCertificate(_)) => {
            Failure::Untrusted { endpoint, reason: "it shows another certificate than the pinned one".to_owned() }
        }
        _ => Failure::ConnectionLost { endpoint },
    }
}

/// One request and its answer over an open stream.
pub(crate) async fn exchange<S>(
    stream: S,
    endpoint: &str,
    mut request: http::Request<Bytes>,
) -> Result<http::Response<Bytes>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let lost = |_| Failure::ConnectionLost { endpoint: endpoint.to_owned() };
    // Host is the one header that HTTP/1.1 asks for; in process nobody needs it.
    if !request.headers().contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(endpoint)
    {
        request.headers_mut().insert(header::HOST, host);
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    *request.uri_mut() = path.parse::<Uri>().expect("a path and query of a URI are a URI");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    let answer = async {
        let response = sender.send_request(request.map(Full::new)).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        drop(sender);
        Ok::<_, hyper::Error>(http::Response::from_parts(parts, body))
    };
    // The connection's future moves the bytes; the answer is complete only when both ends agree.
    let (answer, _ended) = futures_util::future::join(answer, connection).await;
    answer.map_err(lost)
}
