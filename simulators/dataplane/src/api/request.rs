//! Requests, taken apart.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::reply::ApiError;
use crate::config::Params;

/// A request, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    /// The path's segments, percent-decoded.
    pub(super) path: Vec<Cow<'a, str>>,
    query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    body: &'a Bytes,
}

impl<'a> Request<'a> {
    pub(super) fn read(request: &'a http::Request<Bytes>) -> Request<'a> {
        let path = request.uri().path().split('/').filter(|part| !part.is_empty());
        let query = request.uri().query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
        let pair = |part: &'a str| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = match value.contains('+') {
                true => Cow::Owned(decode(&value.replace('+', " ")).into_owned()),
                false => decode(value),
            };
            (decode(key), value)
        };
        Request {
            method: request.method(),
            path: path.map(decode).collect(),
            query: query.map(pair).collect(),
            body: request.body(),
        }
    }

    /// A parameter of the query, the last one of that name; an empty one counts as missing.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().rfind(|(key, _)| key == name);
        found.map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.parameter(name).ok_or_else(|| ApiError::schema(format!("{name} in query is required")))
    }

    /// `version`. The real one cannot tell 0 from a missing one.
    pub(super) fn version(&self) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.parameter("version") else { return Ok(None) };
        let number = text.parse::<u64>();
        let number =
            number.map_err(|_| ApiError::schema(format!("version in query must be of type int64: {text:?}")))?;
        Ok(Some(number).filter(|number| *number != 0))
    }

    /// A parameter that is true or false, false by default.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.parameter(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(text) => Err(ApiError::schema(format!("{name} in query must be of type bool: {text:?}"))),
        }
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Result<Params, ApiError> {
        if self.body.is_empty() {
            return Err(ApiError::schema("data in body is required"));
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(ApiError::plain(StatusCode::BAD_REQUEST, "parsing data body failed, because it is no object")),
            Err(error) => {
                let message = format!("parsing data body failed, because {error}");
                Err(ApiError::plain(StatusCode::BAD_REQUEST, message))
            }
        }
    }

    /// The body as text.
    pub(super) fn text(&self) -> Result<&str, ApiError> {
        std::str::from_utf8(self.body)
            .map_err(|_| ApiError::plain(StatusCode::BAD_REQUEST, "parsing data body failed, because it is no UTF-8"))
    }
}

/// Undoes percent-encoding; what is no valid escape stays as it is.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = if *first == b'%' { tail.get(..2) } else { None };
        let value = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_decoded() {
        let request = http::Request::get("/v2/a%2Fb/c?version=3&frontend=a+b%20c&force_reload=true&x")
            .body(Bytes::new())
            .unwrap();
        let request = Request::read(&request);
        assert_eq!(request.path, ["v2", "a/b", "c"]);
        assert_eq!(request.parameter("frontend"), Some("a b c"));
        assert_eq!((request.version(), request.flag("force_reload")), (Ok(Some(3)), Ok(true)));
        assert_eq!(request.required("backend").unwrap_err().message, "backend in query is required");
        assert_eq!(decode("100%"), "100%");
    }
}
