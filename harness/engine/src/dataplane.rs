//! A client for HAProxy's Data Plane API, version 2: it reads what is programmed.
//!
//! Written from the API's specification (haproxytech/dataplaneapi, version 2.1).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_events::Actor;
use grenadier_wire::{Answer, Exchange, Failure, HttpExchange, Secret, TlsTrust, Wire};
use http::{Method, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::retry::{Backoff, Certainty, retry_after, whole};

const CALL_TIMEOUT: Duration = Duration::from_secs(15);
const CONFIGURATION: &str = "/v2/services/haproxy/configuration";

/// Where a Data Plane API is and who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataplaneAccess {
    /// Host and port: `198.18.0.10:5556`.
    pub endpoint: String,
    /// Whom to trust over TLS; none for plain HTTP.
    pub tls: Option<TlsTrust>,
    /// The user.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// Why the Data Plane API did not do what was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DataplaneError {
    /// No answer came.
    #[error("{request} to {endpoint} got no answer")]
    NoAnswer {
        /// Method and path.
        request: String,
        /// Host and port.
        endpoint: String,
        /// Why.
        #[source]
        source: Failure,
    },
    /// It answered, but not with what was asked for.
    #[error("{request} to {endpoint} was answered with HTTP status {status}: {message}")]
    Status {
        /// Method and path.
        request: String,
        /// Host and port.
        endpoint: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The answer has another shape than the API's.
    #[error("the answer to {request} from {endpoint} could not be read: {reason}")]
    Garbled {
        /// Method and path.
        request: String,
        /// Host and port.
        endpoint: String,
        /// Why.
        reason: String,
    },
}

/// A frontend.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Frontend {
    /// Its name.
    pub name: String,
    /// The backend it passes connections to.
    #[serde(default)]
    pub default_backend: Option<String>,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Transaction {
    /// Its id.
    pub id: String,
    /// The version of the configuration that it began with.
    #[serde(rename = "_version")]
    pub version: u64,
}

/// A bind of a frontend or a server of a backend.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Socket {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its address.
    #[serde(default)]
    pub address: String,
    /// Its port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// What the API wraps every resource in.
#[derive(Deserialize)]
struct Wrapped<T> {
    #[serde(rename = "_version", default)]
    version: Option<u64>,
    data: T,
}

/// A client for one Data Plane API, for one actor.
pub struct Dataplane {
    wire: Wire,
    actor: Actor,
    access: DataplaneAccess,
}

impl Dataplane {
    /// A client for the API that `access` names.
    pub fn new(wire: &Wire, actor: Actor, access: DataplaneAccess) -> Dataplane {
        Dataplane { wire: wire.clone(), actor, access }
    }

    /// The API's own version, `v2.1.0 …`: the cheapest call that needs the password.
    ///
    /// # Errors
    /// It does not answer, or does not let us in.
    pub async fn version(&self) -> Result<String, DataplaneError> {
        let info: Value = self.get("/v2/info").await?;
        Ok(info["api"]["version"].as_str().unwrap_or_default().to_owned())
    }

    /// All frontends.
    ///
    /// # Errors
    /// It does not answer, or does not let us in.
    pub async fn frontends(&self) -> Result<Vec<Frontend>, DataplaneError> {
        self.list(&format!("{CONFIGURATION}/frontends")).await
    }

    /// The version of the configuration; none where the API does not tell.
    ///
    /// # Errors
    /// It does not answer, or does not let us in.
    pub async fn configuration_version(&self) -> Result<Option<u64>, DataplaneError> {
        let wrapped: Wrapped<Value> = self.get(&format!("{CONFIGURATION}/frontends")).await?;
        Ok(wrapped.version)
    }

    /// The transactions that are open.
    ///
    /// # Errors
    /// It does not answer, or does not let us in.
    pub async fn open_transactions(&self) -> Result<Vec<Transaction>, DataplaneError> {
        self.get("/v2/services/haproxy/transactions?status=in_progress").await
    }

    /// Gives a transaction up. One that is not there any more is no error.
    ///
    /// # Errors
    /// It does not answer, or does not let us in.
    pub async fn give_up(&self, id: &str) -> Result<(), DataplaneError> {
        match self.request(&Method::DELETE, &format!("/v2/services/haproxy/transactions/{}", query(id))).await {
            // Generations differ in how they say that there is none.
            Ok(_) | Err(DataplaneError::Status { status: 400 | 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The binds of a frontend.
    ///
    /// # Errors
    /// There is no such frontend, or the API does not answer.
    pub async fn binds(&self, frontend: &str) -> Result<Vec<Socket>, DataplaneError> {
        self.list(&format!("{CONFIGURATION}/binds?frontend={}", query(frontend))).await
    }

    /// The servers of a backend.
    ///
    /// # Errors
    /// There is no such backend, or the API does not answer.
    pub async fn servers(&self, backend: &str) -> Result<Vec<Socket>, DataplaneError> {
        self.list(&format!("{CONFIGURATION}/servers?backend={}", query(backend))).await
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, DataplaneError> {
        // An empty list is `null` in some releases.
        let wrapped: Wrapped<Option<Vec<T>>> = self.get(path).await?;
        Ok(wrapped.data.unwrap_or_default())
    }

    /// Reads a resource.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, DataplaneError> {
        let body = self.request(&Method::GET, path).await?;
        serde_json::from_slice(&body).map_err(|error| DataplaneError::Garbled {
            request: format!("GET {path}"),
            endpoint: self.access.endpoint.clone(),
            reason: error.to_string(),
        })
    }

    /// Asks for something that may be asked for twice: again where the answer was lost or the API was busy.
    async fn request(&self, method: &Method, path: &str) -> Result<Bytes, DataplaneError> {
        let mut attempt = 1;
        loop {
            let (error, asked) = match self.request_once(method, path).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            let final_ = match &error {
                DataplaneError::NoAnswer { source, .. } => Certainty::of(source) == Certainty::Final,
                DataplaneError::Status { status, .. } => *status < 500 && *status != 429,
                DataplaneError::Garbled { .. } => true,
            };
            let Some(pause) = Backoff::CALL.pause(attempt).filter(|_| !final_) else { return Err(error) };
            self.wire.clock().sleep(asked.map_or(pause, |asked| asked.max(pause))).await;
            attempt += 1;
        }
    }

    /// Asks once. With the error goes how long the server asked to be left alone.
    async fn request_once(&self, method: &Method, path: &str) -> Result<Bytes, (DataplaneError, Option<Duration>)> {
        let what = || (format!("{method} {path}"), self.access.endpoint.clone());
        let credentials = STANDARD.encode(format!("{}:{}", self.access.user, self.access.password.reveal()));
        let request = http::Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::HOST, &self.access.endpoint)
            .header(header::AUTHORIZATION, format!("Basic {credentials}"))
            .body(Bytes::new())
            .expect("a path with an escaped query is valid");
        let exchange = Exchange::Http(HttpExchange {
            endpoint: self.access.endpoint.clone(),
            tls: self.access.tls.clone(),
            request,
            timeout: CALL_TIMEOUT,
        });
        let (request, endpoint) = what();
        let response = match self.wire.call(self.actor, exchange).await {
            Ok(Answer::Http(response)) => response,
            Ok(Answer::Shell(_)) => {
                let reason = "it came from a shell".to_owned();
                return Err((DataplaneError::Garbled { request, endpoint, reason }, None));
            }
            Err(source) => return Err((DataplaneError::NoAnswer { request, endpoint, source }, None)),
        };
        let asked = retry_after(&response);
        let response = match whole(response, &endpoint) {
            Ok(response) => response,
            Err(source) => return Err((DataplaneError::NoAnswer { request, endpoint, source }, None)),
        };
        if !response.status().is_success() {
            let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
            let message = body["message"].as_str().unwrap_or_default().to_owned();
            let status = response.status().as_u16();
            return Err((DataplaneError::Status { request, endpoint, status, message }, asked));
        }
        Ok(response.into_body())
    }
}

/// A value in a query, escaped (RFC 3986, unreserved characters stay).
fn query(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn names_are_escaped_in_queries() {
        assert_eq!(query("supervisor-shop"), "supervisor-shop");
        assert_eq!(query("a b&c=ü"), "a%20b%26c%3D%C3%BC");
    }
}
