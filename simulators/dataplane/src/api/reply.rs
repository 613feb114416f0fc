//! Answers and errors as the API words them.

use bytes::Bytes;
use grenadier_wire::http_response;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::config::FieldError;

/// An answer before it is put into HTTP.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// JSON and a line feed, or nothing.
    pub(super) body: Bytes,
    /// `Configuration-Version`.
    pub(super) version: Option<u64>,
    /// `Reload-ID`.
    pub(super) reload: Option<String>,
}

impl Reply {
    pub(super) fn new(status: StatusCode, body: Option<Value>) -> Reply {
        Reply { status, body: body.as_ref().map(json_text).unwrap_or_default(), version: None, reload: None }
    }

    /// A success with a body that is text already, about the configuration of this version.
    pub(super) fn text(body: Bytes, version: u64) -> Reply {
        Reply { status: StatusCode::OK, body, version: Some(version), reload: None }
    }

    pub(super) fn ok(body: Value) -> Reply {
        Reply::new(StatusCode::OK, Some(body))
    }
}

/// An error of the configuration client, with the number it puts before its message (client-native
/// `configuration/errors.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    ParentDoesNotExist = 11,
    BothVersionTransaction = 12,
    NoVersionTransaction = 13,
    Validation = 14,
    VersionMismatch = 15,
    TransactionDoesNotExist = 20,
    ObjectDoesNotExist = 30,
    ObjectAlreadyExists = 31,
    ChangingConfig = 40,
    CannotReadFile = 41,
}

impl Code {
    /// The status it is answered with (dataplaneapi `misc/misc.go`).
    fn status(self) -> StatusCode {
        match self {
            Code::ObjectDoesNotExist => StatusCode::NOT_FOUND,
            Code::ObjectAlreadyExists | Code::VersionMismatch => StatusCode::CONFLICT,
            Code::ParentDoesNotExist
            | Code::BothVersionTransaction
            | Code::NoVersionTransaction
            | Code::Validation
            | Code::TransactionDoesNotExist => StatusCode::BAD_REQUEST,
            Code::ChangingConfig | Code::CannotReadFile => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    /// `code` in the body: the status, except for bodies and parameters that break the schema.
    code: u16,
    pub(super) message: String,
}

impl ApiError {
    /// An error of the configuration client.
    pub(super) fn client(code: Code, message: impl AsRef<str>) -> ApiError {
        ApiError::plain(code.status(), format!("{}: {}", code as u16, message.as_ref()))
    }

    /// An error of the API around it.
    pub(super) fn plain(status: StatusCode, message: impl Into<String>) -> ApiError {
        ApiError { status, code: status.as_u16(), message: message.into() }
    }

    /// A body or parameter that breaks the schema: 422 with code 602.
    pub(super) fn schema(message: impl Into<String>) -> ApiError {
        ApiError { status: StatusCode::UNPROCESSABLE_ENTITY, code: 602, message: message.into() }
    }

    pub(super) fn version_mismatch(in_file: u64, given: u64) -> ApiError {
        ApiError::client(
            Code::VersionMismatch,
            format!("Version in configuration file is {in_file}, given version is {given}"),
        )
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::new(self.status, Some(json!({"code": self.code, "message": self.message})))
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> ApiError {
        ApiError::schema(error.to_string())
    }
}

/// A JSON value as bodies have it.
pub(super) fn json_text(value: &Value) -> Bytes {
    let mut text = serde_json::to_vec(value).expect("a JSON value has string keys and finite numbers");
    text.push(b'\n');
    text.into()
}

/// Puts an answer into HTTP.
pub(super) fn render(reply: Reply) -> http::Response<Bytes> {
    let mut response = http_response(reply.status, "application/json", reply.body);
    if let Some(version) = reply.version {
        response.headers_mut().insert("configuration-version", HeaderValue::from(version));
    }
    if let Some(id) = &reply.reload {
        let id = HeaderValue::from_str(id).expect("a reload id is made of digits and dashes");
        response.headers_mut().insert("reload-id", id);
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        let realm = HeaderValue::from_static("Basic realm=\"HAProxy Data Plane API\"");
        response.headers_mut().insert(http::header::WWW_AUTHENTICATE, realm);
    }
    response
}
