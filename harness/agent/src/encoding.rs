//! JSON forms of what other crates define for use in memory.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use grenadier_fleet::GuestReport;
use grenadier_wire::{Answer, Failure, HttpExchange, Secret, ShellExchange, ShellOutput, TlsTrust};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes as base64 text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base64(pub Bytes);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Base64, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(|bytes| Base64(bytes.into())).map_err(serde::de::Error::custom)
    }
}

/// A shell command on its way to a machine's agent.
///
/// The password travels in clear: the channel is a pipe between two processes of one run, and nothing of it is written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShellForm {
    host: String,
    user: String,
    password: Option<String>,
    command: String,
    stdin: Base64,
    timeout: Duration,
}

impl From<ShellExchange> for ShellForm {
    fn from(shell: ShellExchange) -> ShellForm {
        ShellForm {
            host: shell.host,
            user: shell.user,
            password: shell.password.map(|password| password.reveal().to_owned()),
            command: shell.command,
            stdin: Base64(shell.stdin),
            timeout: shell.timeout,
        }
    }
}

impl From<ShellForm> for ShellExchange {
    fn from(form: ShellForm) -> ShellExchange {
        ShellExchange {
            host: form.host,
            user: form.user,
            password: form.password.map(Secret::new),
            command: form.command,
            stdin: form.stdin.0,
            timeout: form.timeout,
        }
    }
}

/// Header fields in order of sending. Values need not be text.
type Headers = Vec<(String, Base64)>;

fn to_headers(headers: &http::HeaderMap) -> Headers {
    let form = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), Base64(Bytes::copy_from_slice(value.as_bytes())))
    };
    headers.iter().map(form).collect()
}

fn from_headers(form: Headers, into: &mut http::HeaderMap) -> Result<(), String> {
    for (name, value) in form {
        let name: HeaderName = name.parse().map_err(|error| format!("header name: {error}"))?;
        let value = HeaderValue::from_bytes(&value.0).map_err(|error| format!("header {name}: {error}"))?;
        into.append(name, value);
    }
    Ok(())
}

/// An HTTP request on its way to the agent that makes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HttpForm {
    endpoint: String,
    tls: Option<TrustForm>,
    method: String,
    uri: String,
    headers: Headers,
    body: Base64,
    timeout: Duration,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TrustForm {
    Anyone,
    Pinned(String),
}

impl From<HttpExchange> for HttpForm {
    fn from(http: HttpExchange) -> HttpForm {
        let (parts, body) = http.request.into_parts();
        HttpForm {
            endpoint: http.endpoint,
            tls: http.tls.map(|trust| match trust {
                TlsTrust::Anyone => TrustForm::Anyone,
                TlsTrust::Pinned(pin) => TrustForm::Pinned(pin),
            }),
            method: parts.method.as_str().to_owned(),
            uri: parts.uri.to_string(),
            headers: to_headers(&parts.headers),
            body: Base64(body),
            timeout: http.timeout,
        }
    }
}

impl TryFrom<HttpForm> for HttpExchange {
    type Error = String;

    fn try_from(form: HttpForm) -> Result<HttpExchange, String> {
        let mut request = http::Request::new(form.body.0);
        *request.method_mut() = Method::from_bytes(form.method.as_bytes()).map_err(|error| error.to_string())?;
        *request.uri_mut() = form.uri.parse::<Uri>().map_err(|error| error.to_string())?;
        from_headers(form.headers, request.headers_mut())?;
        let tls = form.tls.map(|trust| match trust {
            TrustForm::Anyone => TlsTrust::Anyone,
            TrustForm::Pinned(pin) => TlsTrust::Pinned(pin),
        });
        Ok(HttpExchange { endpoint: form.endpoint, tls, request, timeout: form.timeout })
    }
}

/// What came back, on its way to the fleet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerForm {
    /// From HTTP.
    Http {
        /// Status code.
        status: u16,
        /// Header fields.
        headers: Headers,
        /// The whole body.
        body: Base64,
    },
    /// From a shell.
    Shell {
        /// Exit code.
        exit_code: i32,
        /// Standard output.
        stdout: Base64,
        /// Standard error.
        stderr: Base64,
    },
    /// Nothing came back.
    #[serde(with = "FailureForm")]
    Failed(Failure),
}

impl From<Result<Answer, Failure>> for AnswerForm {
    fn from(result: Result<Answer, Failure>) -> AnswerForm {
        match result {
            Ok(Answer::Http(response)) => AnswerForm::Http {
                status: response.status().as_u16(),
                headers: to_headers(response.headers()),
                body: Base64(response.into_body()),
            },
            Ok(Answer::Shell(output)) => AnswerForm::Shell {
                exit_code: output.exit_code,
                stdout: Base64(output.stdout),
                stderr: Base64(output.stderr),
            },
            Err(failure) => AnswerForm::Failed(failure),
        }
    }
}

impl AnswerForm {
    /// The answer of `endpoint`. One that cannot be read counts as a broken connection.
    pub fn into_result(self, endpoint: &str) -> Result<Answer, Failure> {
        let broken = |_| Failure::ConnectionLost { endpoint: endpoint.to_owned() };
        match self {
            AnswerForm::Http { status, headers, body } => {
                let mut response = http::Response::new(body.0);
                *response.status_mut() = StatusCode::from_u16(status).map_err(|error| broken(error.to_string()))?;
                from_headers(headers, response.headers_mut()).map_err(broken)?;
                Ok(response.into())
            }
            AnswerForm::Shell { exit_code, stdout, stderr } => {
                Ok(ShellOutput { exit_code, stdout: stdout.0, stderr: stderr.0 }.into())
            }
            AnswerForm::Failed(failure) => Err(failure),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Failure", rename_all = "kebab-case")]
enum FailureForm {
    Refused { endpoint: String },
    Unreachable { endpoint: String },
    TimedOut { endpoint: String },
    ConnectionLost { endpoint: String },
    Untrusted { endpoint: String, reason: String },
}

/// Every report a guest can make.
#[derive(Serialize, Deserialize)]
#[serde(remote = "GuestReport", rename_all = "kebab-case")]
pub(crate) enum ReportForm {
    Up,
    BootFailed(String),
    Tools { hostname: String, addresses: Vec<(u32, Vec<std::net::IpAddr>)> },
    Service { service: String, state: String, detail: String },
    Log { service: String, line: String },
    Operator { cluster: String, state: String, attempt: u32, detail: String },
    Config { key: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through_json<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
        serde_json::from_str(&serde_json::to_string(value).expect("it has string keys"))
            .expect("its own text reads back")
    }

    #[test]
    fn requests_and_answers_survive_the_channel() {
        let request = http::Request::put("/v2/x?version=3")
            .header("Authorization", "Basic eA==")
            .header("X-Odd", HeaderValue::from_bytes(b"\xff").expect("obs-text is allowed"))
            .body(Bytes::from_static(b"\x00\xffbody"))
            .expect("a well-formed request");
        let http = HttpExchange {
            endpoint: "198.18.0.10:5556".into(),
            tls: Some(TlsTrust::Pinned("ab".into())),
            request,
            timeout: Duration::from_millis(1500),
        };
        let back = HttpExchange::try_from(through_json(&HttpForm::from(http.clone()))).expect("it was a request");
        assert_eq!(format!("{back:?}"), format!("{http:?}"));

        let response = http::Response::builder().status(409).header("Reload-ID", "1").body(Bytes::from("no"));
        let answer = AnswerForm::from(Ok(Answer::Http(response.expect("a well-formed response"))));
        let Ok(Answer::Http(back)) = through_json(&answer).into_result("e") else { panic!("{answer:?}") };
        assert_eq!(
            (back.status().as_u16(), &back.headers()["Reload-ID"], &back.body()[..]),
            (409, &HeaderValue::from(1), &b"no"[..])
        );

        for failure in [
            Failure::Refused { endpoint: "e".into() },
            Failure::Unreachable { endpoint: "e".into() },
            Failure::TimedOut { endpoint: "e".into() },
            Failure::ConnectionLost { endpoint: "e".into() },
            Failure::Untrusted { endpoint: "e".into(), reason: "r".into() },
        ] {
            let back = through_json(&AnswerForm::from(Err(failure.clone()))).into_result("e");
            assert_eq!(back.map(|answer| answer.summary()), Err(failure));
        }
    }

    #[test]
    fn a_broken_answer_is_a_broken_connection() {
        let answer = AnswerForm::Http { status: 42, headers: Vec::new(), body: Base64::default() };
        let lost = Failure::ConnectionLost { endpoint: "e".into() };
        assert_eq!(answer.into_result("e").map(|answer| answer.summary()), Err(lost));
    }
}
