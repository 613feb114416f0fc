//! Calls to the Data Plane API.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_wire::{Answer, Exchange, Failure, HttpExchange, TlsTrust};
use http::{HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
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

/// Where the Data Plane API is and how an operator logs in, ready to be put into requests.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    endpoint: String,
    tls: TlsTrust,
    host: HeaderValue,
    authorization: HeaderValue,
}

impl Access {
    /// Makes it from a configuration.
    ///
    /// # Errors
    /// The endpoint cannot stand in a header; the text says so.
    pub(crate) fn of(config: &OperatorConfig) -> Result<Access, String> {
        let credentials = STANDARD.encode(format!("{}:{}", config.user, config.password));
        let mut authorization = HeaderValue::try_from(format!("Basic {credentials}"))
            .expect("Base64 and a blank are characters of a header");
        authorization.set_sensitive(true);
        Ok(Access {
            endpoint: config.endpoint.clone(),
            tls: TlsTrust::Pinned(config.pin.clone()),
            host: HeaderValue::try_from(&config.endpoint)
                .map_err(|_| format!("endpoint {:?} is no host and port", config.endpoint))?,
            authorization,
        })
    }

    /// A request to the Data Plane API. `path` begins below `/v2/services/haproxy/`.
    pub(crate) fn request(&self, method: &Method, path: &str, body: Option<&Value>) -> Exchange {
        let mut request = http::Request::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default());
        *request.method_mut() = method.clone();
        let uri = http::Uri::try_from(format!("{BASE}/{path}"));
        *request.uri_mut() = uri.expect("paths are made of names and numbers");
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let (endpoint, tls) = (self.endpoint.clone(), Some(self.tls.clone()));
        Exchange::Http(HttpExchange { endpoint, tls, request, timeout: TIMEOUT })
    }
}

/// A list of objects.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed<'a> {
    /// The configuration's version.
    #[serde(rename = "_version")]
    pub(crate) version: Option<u64>,
    #[serde(borrow)]
    pub(crate) data: Vec<Object<'a>>,
}

/// A frontend, a backend, a bind or a server: what an operator looks at.
#[derive(Debug, Deserialize)]
pub(crate) struct Object<'a> {
    #[serde(borrow)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) default_backend: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) address: Option<Cow<'a, str>>,
    pub(crate) port: Option<u64>,
}

/// A transaction.
#[derive(Debug, Deserialize)]
pub(crate) struct Begun {
    pub(crate) id: String,
}

/// What an error says.
#[derive(Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    message: Option<String>,
}

/// The body of a successful answer.
pub(crate) fn body_of(call: impl Fn() -> String, result: Result<Answer, Failure>) -> Result<Bytes, CallError> {
    let Answer::Http(response) = result? else { return Err(CallError::Unexpected { call: call() }) };
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        let told = serde_json::from_slice::<Told>(&body).unwrap_or_default();
        let message = told.message.unwrap_or_else(|| "no message".to_owned());
        return Err(CallError::Status { call: call(), status: head.status, message });
    }
    Ok(body)
}
