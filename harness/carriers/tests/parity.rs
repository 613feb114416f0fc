//! One table of exchanges over every carrier: what comes back does not depend on how it was carried.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use grenadier_carriers::{DuplexClient, Handler, Handling, TcpClient, TlsIdentity, fingerprint, serve};
use grenadier_events::Actor;
use grenadier_wire::{Answer, Answerer, Answering, Exchange, Failure, HttpExchange, TlsTrust};
use http::{HeaderValue, Method, StatusCode};
use tokio::net::TcpListener;

/// Echoes what it was asked, breaks on `/broken`, and remembers the requests it saw.
#[derive(Default)]
struct Echo(Mutex<Vec<String>>);

impl Handler for Echo {
    fn handle(&self, request: http::Request<Bytes>) -> Handling {
        self.0.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        if request.uri().path() == "/broken" {
            return Box::pin(async { Err(Failure::ConnectionLost { endpoint: "echo".into() }) });
        }
        let cookie = request.headers().get("cookie").cloned().unwrap_or(HeaderValue::from_static("none"));
        let text = format!("{} {} {}", request.method(), request.uri(), String::from_utf8_lossy(request.body()));
        let mut response = grenadier_wire::http_response(StatusCode::ACCEPTED, "text/plain", text);
        response.headers_mut().insert("x-cookie", cookie);
        Box::pin(async { Ok(response) })
    }
}

/// The in-process carrier: no bytes at all.
struct InProcess(Arc<Echo>);

impl Answerer for InProcess {
    fn answer(&self, _actor: Actor, exchange: Exchange) -> Answering {
        let Exchange::Http(http) = exchange else { unreachable!("the table has no shells") };
        let answer = self.0.handle(http.request);
        Box::pin(async { answer.await.map(Into::into) })
    }
}

fn exchange(endpoint: &str, tls: Option<TlsTrust>, method: Method, path: &str, body: &str) -> Exchange {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", "a=b; HttpOnly")
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    Exchange::Http(HttpExchange { endpoint: endpoint.into(), tls, request, timeout: Duration::from_secs(5) })
}

async fn table(carrier: &dyn Answerer, endpoint: &str, tls: Option<TlsTrust>, echo: &Echo) {
    let long = "x".repeat(300_000);
    for (method, path, body) in [
        (Method::GET, "/", ""),
        (Method::POST, "/sdk?x=1&y=%20", "<Envelope/>"),
        (Method::PUT, "/folder/a%2Fb", long.as_str()),
    ] {
        let sent = exchange(endpoint, tls.clone(), method.clone(), path, body);
        let Answer::Http(response) = carrier.answer(Actor::Engine, sent).await.unwrap() else { panic!("no HTTP") };
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()["x-cookie"], "a=b; HttpOnly");
        assert!(!response.headers().contains_key("date"), "a date would be the wall clock's");
        assert_eq!(*response.body(), format!("{method} {path} {body}"));
    }
    let broken = carrier.answer(Actor::Engine, exchange(endpoint, tls, Method::POST, "/broken", "")).await;
    assert!(matches!(broken, Err(Failure::ConnectionLost { .. })), "{broken:?}");
    assert_eq!(echo.0.lock().unwrap().len(), 4, "the effect happened although the reply was lost");
}

#[tokio::test]
async fn every_carrier_brings_the_same() {
    let echo = Arc::new(Echo::default());
    table(&InProcess(Arc::clone(&echo)), "echo.example:80", None, &echo).await;

    let echo = Arc::new(Echo::default());
    table(&DuplexClient::new(echo.clone()), "echo.example:80", None, &echo).await;

    let echo = Arc::new(Echo::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(listener, None, echo.clone()));
    let client = TcpClient::new(BTreeMap::from([("echo.example:80".into(), address)]));
    table(&client, "echo.example:80", None, &echo).await;
    server.abort();

    let echo = Arc::new(Echo::default());
    let (identity, pin) = identity();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(serve(listener, Some(identity), echo.clone()));
    table(&TcpClient::default(), &endpoint, Some(TlsTrust::Pinned(pin)), &echo).await;
    let stranger = exchange(&endpoint, Some(TlsTrust::Pinned("00".repeat(32))), Method::GET, "/", "");
    let refused = TcpClient::default().answer(Actor::Engine, stranger).await;
    assert!(matches!(refused, Err(Failure::Untrusted { .. })), "{refused:?}");
    let plain = TcpClient::default().answer(Actor::Engine, exchange(&endpoint, None, Method::GET, "/", "")).await;
    assert!(matches!(plain, Err(Failure::ConnectionLost { .. })), "{plain:?}");
    server.abort();
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    drop(listener);
    let refused = TcpClient::default().answer(Actor::Engine, exchange(&endpoint, None, Method::GET, "/", "")).await;
    assert_eq!(refused.unwrap_err(), Failure::Refused { endpoint });
}

#[test]
fn an_identity_needs_certificate_and_key() {
    assert!(TlsIdentity::from_pem("", "").is_err());
    let certified = rcgen::generate_simple_self_signed(vec!["a.example".into()]).unwrap();
    assert!(TlsIdentity::from_pem(&certified.cert.pem(), "-----BEGIN PRIVATE KEY-----").is_err());
}

fn identity() -> (TlsIdentity, String) {
    let certified = rcgen::generate_simple_self_signed(vec!["echo.example".into()]).unwrap();
    let identity = TlsIdentity::from_pem(&certified.cert.pem(), &certified.signing_key.serialize_pem()).unwrap();
    (identity, fingerprint(certified.cert.der()))
}
