//! Clauses of the Data Plane API's contract.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_dataplane::memory::Memory;
use grenadier_dataplane::{DataPlaneApi, Settings};
use http::Method;

/// Of two transactions on one version, the second to be committed is refused, and what the first did stays.
pub(crate) fn a_stale_commit_is_refused(overturned: Option<&str>) -> Result<(), String> {
    let settings = Settings { ignores_versions: overturned == Some("ignores-versions"), ..Settings::default() };
    let mut memory = Memory::default();
    let config = "global\n  maxconn 100\n\nuserlist controller\n  user admin insecure-password secret\n";
    memory.files.insert(settings.config_file.clone(), config.into());
    let prefix = settings.generation.prefix();
    let mut api = DataPlaneApi::start(settings, Time::ZERO, &mut memory).map_err(|error| error.to_string())?;
    let mut ask = |method: Method, path: &str, body: &'static str| {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/{prefix}/services/haproxy{path}"))
            .header("authorization", format!("Basic {}", STANDARD.encode("admin:secret")))
            .body(Bytes::from(body))
            .expect("a request");
        api.handle(Time::ZERO, &request, &mut memory).status().as_u16()
    };
    let mut statuses =
        vec![ask(Method::POST, "/transactions?version=1", ""), ask(Method::POST, "/transactions?version=1", "")];
    statuses.push(ask(Method::POST, "/configuration/backends?transaction_id=transaction-1", r#"{"name":"a"}"#));
    statuses.push(ask(Method::POST, "/configuration/backends?transaction_id=transaction-2", r#"{"name":"b"}"#));
    statuses.push(ask(Method::PUT, "/transactions/transaction-1", ""));
    statuses.push(ask(Method::PUT, "/transactions/transaction-2", ""));
    let first_stays = ask(Method::GET, "/configuration/backends/a", "") == 200;
    match statuses.as_slice() {
        [201, 201, 202, 202, 202, 409 | 406] if first_stays => Ok(()),
        _ => Err(format!("{statuses:?}, the first change {}", if first_stays { "stays" } else { "is gone" })),
    }
}
