//! Calls to the Data Plane API.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_wire::{Answer, Exchange, Failure, HttpExchange, TlsTrust};
use http::{Method, StatusCode, header};
use serde_json::Value;
use thiserror::Error;

use crate::OperatorConfig;

/// How long it waits for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where everything of HAProxy is.
const BASE: &str = "/v2/services/haproxy";

/// A call did not succeed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum CallError {
    /// No answer.
    #[error("{0}")]
    Failed(#[from] Failure),
    /// An answer that is no success.
    #[error("{call} answered {}: {message}", status.as_u16())]
    Status { call: String, status: StatusCode, message: String },
    /// An answer that says something else than expected.
    #[error("{call} answered something else than expected")]
    Unexpected { call: String },
}

/// A request to the Data Plane API. `path` begins below `/v2/services/haproxy/`.
pub(crate) fn request(config: &OperatorConfig, method: &Method, path: &str, body: Option<&Value>) -> Exchange {
    let credentials = STANDARD.encode(format!("{}:{}", config.user, config.password));
    let mut builder = http::Request::builder()
        .method(method)
        .uri(format!("{BASE}/{path}"))
        .header(header::HOST, &config.endpoint)
        .header(header::AUTHORIZATION, format!("Basic {credentials}"));
    if body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    Exchange::Http(HttpExchange {
        endpoint: config.endpoint.clone(),
        tls: Some(TlsTrust::Pinned(config.pin.clone())),
        request: builder.body(body).expect("method, path and headers are made of checked parts"),
        timeout: TIMEOUT,
    })
}

/// The body of a successful answer; null where it has none.
pub(crate) fn body_of(call: &str, result: Result<Answer, Failure>) -> Result<Value, CallError> {
    let unexpected = || CallError::Unexpected { call: call.to_owned() };
    let Answer::Http(response) = result? else { return Err(unexpected()) };
    let body = response.body();
    if !response.status().is_success() {
        let parsed = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let message = parsed.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned();
        return Err(CallError::Status { call: call.to_owned(), status: response.status(), message });
    }
    if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body).map_err(|_| unexpected()) }
}
