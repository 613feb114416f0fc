//! One use of the wire and what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use thiserror::Error;

use crate::Secret;

/// One use of the wire.
#[derive(Clone, Debug)]
pub enum Exchange {
    /// An HTTP request with its whole body.
    Http(HttpExchange),
    /// A command in a machine's shell, as SSH would run it.
    Shell(ShellExchange),
}

/// An HTTP request and where it goes.
#[derive(Clone, Debug)]
pub struct HttpExchange {
    /// Host and port: `198.18.0.10:5556`, `vcenter.example:443`.
    pub endpoint: String,
    /// TLS, and whom the client trusts; none for plain HTTP.
    pub tls: Option<TlsTrust>,
    /// The request. Its URI carries path and query only.
    pub request: http::Request<Bytes>,
    /// How long the client waits for the whole answer.
    pub timeout: Duration,
}

/// Whom a TLS client trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsTrust {
    /// Whoever answers.
    Anyone,
    /// Only a certificate with this SHA-256 (of its DER form, lowercase hexadecimal).
    Pinned(String),
}

/// A command in a machine's shell.
#[derive(Clone, Debug)]
pub struct ShellExchange {
    /// The machine's address.
    pub host: String,
    /// The login name.
    pub user: String,
    /// The login's password, where it has one.
    pub password: Option<Secret>,
    /// The command line.
    pub command: String,
    /// What it reads.
    pub stdin: Bytes,
    /// How long the client waits for it to end.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To an HTTP request.
    Http(http::Response<Bytes>),
    /// To a shell command.
    Shell(ShellOutput),
}

/// Whom an answer goes to. Answering later than at once is allowed; never answering is a hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplyTo(pub u64);

/// What a shell command left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellOutput {
    /// Its exit code.
    pub exit_code: i32,
    /// Its standard output.
    pub stdout: Bytes,
    /// Its standard error.
    pub stderr: Bytes,
}

/// No answer, and why.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens there.
    #[error("connection refused by {endpoint}")]
    Refused {
        /// Host and port.
        endpoint: String,
    },
    /// No such host, or nobody answered ARP for it.
    #[error("no route to {endpoint}")]
    Unreachable {
        /// Host and port.
        endpoint: String,
    },
    /// The answer did not come in time; the effect may have happened.
    #[error("no answer from {endpoint} in time")]
    TimedOut {
        /// Host and port.
        endpoint: String,
    },
    /// The connection broke before the whole answer was there; the effect may have happened.
    #[error("connection to {endpoint} lost before the answer was complete")]
    ConnectionLost {
        /// Host and port.
        endpoint: String,
    },
    /// The peer's certificate was not the one the client trusts.
    #[error("certificate of {endpoint} not trusted: {reason}")]
    Untrusted {
        /// Host and port.
        endpoint: String,
        /// What was wrong with it.
        reason: String,
    },
}

impl Exchange {
    /// Host and port (the host alone for a shell).
    pub fn endpoint(&self) -> &str {
        match self {
            Exchange::Http(http) => &http.endpoint,
            Exchange::Shell(shell) => &shell.host,
        }
    }

    /// How long the client waits.
    pub fn timeout(&self) -> Duration {
        match self {
            Exchange::Http(http) => http.timeout,
            Exchange::Shell(shell) => shell.timeout,
        }
    }
}

impl Answer {
    /// One word for logs: the status code or the exit code.
    pub fn summary(&self) -> String {
        match self {
            Answer::Http(response) => response.status().as_u16().to_string(),
            Answer::Shell(output) => format!("exit {}", output.exit_code),
        }
    }
}

impl From<ShellOutput> for Answer {
    fn from(output: ShellOutput) -> Answer {
        Answer::Shell(output)
    }
}

impl From<http::Response<Bytes>> for Answer {
    fn from(response: http::Response<Bytes>) -> Answer {
        Answer::Http(response)
    }
}

/// A response with a status, a content type and a body.
pub fn http_response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> http::Response<Bytes> {
    let mut response = http::Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
