//! `curl` in the shells of vantage points.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use grenadier_guest::shell::{self, failed, printed};
use grenadier_guest::{CallKey, Host, ReplyTo};
use grenadier_wire::{Answer, Exchange, Failure, HttpExchange, ShellExchange, ShellOutput, TlsTrust};
use http::Uri;

/// What `curl` waits for at most where nobody says so.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// The runs of `curl` that wait for an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curls(BTreeMap<CallKey, Run>);

#[derive(Clone, Debug)]
struct Run {
    reply: ReplyTo,
    output: Option<String>,
    fail_on_error: bool,
    endpoint: String,
    timeout: Duration,
}

impl Curls {
    /// Runs a command: `curl` as a call with this key, which is answered later, anything else at once.
    pub(crate) fn run(&mut self, key: CallKey, reply: ReplyTo, command: &ShellExchange, host: &mut dyn Host) {
        let line =
            shell::parse(&command.command).ok().filter(|line| line.words.first().is_some_and(|word| word == "curl"));
        let answer = match line {
            None => shell::run(command, host, |_, _, _| None),
            Some(line) => match parse(&line.words[1..]) {
                Ok((mut run, exchange)) => {
                    run.reply = reply;
                    run.output = line.output.or(run.output);
                    self.0.insert(key, run);
                    return host.call(key, exchange);
                }
                Err(output) => output,
            },
        };
        host.reply(reply, Answer::Shell(answer));
    }

    /// Takes the end of a call; whether it was one of these.
    pub(crate) fn called(&mut self, key: CallKey, result: &Result<Answer, Failure>, host: &mut dyn Host) -> bool {
        let Some(run) = self.0.remove(&key) else { return false };
        let mut output = run.output(result);
        if let (Some(path), 0) = (&run.output, output.exit_code)
            && let Err(error) = host.write(path, std::mem::take(&mut output.stdout))
        {
            output = failed(23, format!("curl: (23) {path}: {error}"));
        }
        host.reply(run.reply, Answer::Shell(output));
        true
    }
}

impl Run {
    fn output(&self, result: &Result<Answer, Failure>) -> ShellOutput {
        let (host, port) = self.endpoint.rsplit_once(':').unwrap_or((&self.endpoint, ""));
        let connect = |why: &str| failed(7, format!("curl: (7) Failed to connect to {host} port {port}: {why}"));
        match result {
            Ok(Answer::Http(response)) if self.fail_on_error && response.status().as_u16() >= 400 => {
                let status = response.status().as_u16();
                failed(22, format!("curl: (22) The requested URL returned error: {status}"))
            }
            Ok(Answer::Http(response)) => printed(response.body().clone()),
            Ok(Answer::Shell(_)) => failed(1, "curl: (1) Received HTTP/0.9 when not allowed"),
            Err(Failure::Refused { .. }) => connect("Connection refused"),
            Err(Failure::Unreachable { .. }) => connect("No route to host"),
            Err(Failure::TimedOut { .. }) => {
                let timeout = self.timeout.as_millis();
                failed(28, format!("curl: (28) Connection timed out after {timeout} milliseconds"))
            }
            Err(Failure::ConnectionLost { .. }) => failed(52, "curl: (52) Empty reply from server"),
            Err(Failure::Untrusted { .. }) => {
                failed(60, "curl: (60) SSL certificate problem: unable to get local issuer certificate")
            }
        }
    }
}

fn parse(arguments: &[String]) -> Result<(Run, Exchange), ShellOutput> {
    let usage = |what: String| failed(2, format!("curl: {what}"));
    let (mut timeout, mut url, mut output) = (DEFAULT_TIMEOUT, None, None);
    let (mut insecure, mut fail_on_error) = (false, false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| usage(format!("option {argument}: requires parameter")));
        match argument.as_str() {
            "-m" | "--max-time" => {
                let text = value()?;
                let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                timeout = seconds.ok_or_else(|| usage(format!("option {argument}: expected a number, got {text}")))?;
            }
            "-o" | "--output" => output = Some(value()?.clone()),
            "-k" | "--insecure" => insecure = true,
            "-f" | "--fail" => fail_on_error = true,
            "--silent" | "--show-error" => {}
            flags
                if flags.starts_with('-')
                    && flags.len() > 1
                    && flags[1..].chars().all(|flag| "sSkf".contains(flag)) =>
            {
                insecure |= flags.contains('k');
                fail_on_error |= flags.contains('f');
            }
            flag if flag.starts_with('-') => return Err(usage(format!("option {flag}: is unknown"))),
            text => url = Some(text.to_owned()),
        }
    }
    let text = url.ok_or_else(|| usage("no URL specified!".to_owned()))?;
    let malformed = || failed(3, format!("curl: (3) URL using bad/illegal format or missing URL: {text}"));
    let with_scheme = if text.contains("://") { text.clone() } else { format!("http://{text}") };
    let uri: Uri = with_scheme.parse().map_err(|_| malformed())?;
    let tls = match uri.scheme_str() {
        Some("http") => None,
        // There is no store of authorities: without -k no certificate is trusted.
        Some("https") => Some(if insecure { TlsTrust::Anyone } else { TlsTrust::Pinned("none".to_owned()) }),
        _ => return Err(failed(1, format!("curl: (1) Protocol of {text} not supported"))),
    };
    let authority = uri.authority().ok_or_else(malformed)?;
    let port = authority.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let endpoint = format!("{}:{port}", authority.host());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = http::Request::get(path).header(http::header::HOST, authority.as_str()).body(Bytes::new());
    let exchange = Exchange::Http(HttpExchange {
        endpoint: endpoint.clone(),
        tls,
        request: request.map_err(|_| malformed())?,
        timeout,
    });
    Ok((Run { reply: ReplyTo(0), output, fail_on_error, endpoint, timeout }, exchange))
}

#[cfg(test)]
mod tests {
    use grenadier_guest::testing::TestHost;
    use http::StatusCode;
    use rstest::rstest;

    use super::*;

    fn command(text: &str) -> ShellExchange {
        ShellExchange {
            host: "198.18.1.50".into(),
            user: "root".into(),
            password: None,
            command: text.into(),
            stdin: Bytes::new(),
            timeout: Duration::from_secs(10),
        }
    }

    fn run(text: &str, result: Result<Answer, Failure>) -> (i32, String, TestHost) {
        let (mut host, mut curls) = (TestHost::default(), Curls::default());
        curls.run(7, ReplyTo(1), &command(text), &mut host);
        if host.calls.pop().is_some() {
            assert!(curls.called(7, &result, &mut host));
        }
        let [(ReplyTo(1), Answer::Shell(output))] = &host.replies[..] else { panic!("one answer: {:?}", host.replies) };
        let text = String::from_utf8([output.stdout.as_ref(), output.stderr.as_ref()].concat()).unwrap();
        (output.exit_code, text, host)
    }

    fn answer(status: u16, body: &'static str) -> Result<Answer, Failure> {
        let mut response = http::Response::new(Bytes::from_static(body.as_bytes()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(Answer::Http(response))
    }

    #[rstest]
    #[case(Err(Failure::Refused { endpoint: String::new() }), 7)]
    #[case(Err(Failure::Unreachable { endpoint: String::new() }), 7)]
    #[case(Err(Failure::TimedOut { endpoint: String::new() }), 28)]
    #[case(Err(Failure::ConnectionLost { endpoint: String::new() }), 52)]
    #[case(Err(Failure::Untrusted { endpoint: String::new(), reason: String::new() }), 60)]
    #[case(answer(200, "shop-1"), 0)]
    #[case(answer(503, "no"), 0)]
    fn exit_codes_are_those_of_curl(#[case] result: Result<Answer, Failure>, #[case] exit_code: i32) {
        assert_eq!(run("curl -sS -m 5 http://198.18.2.20:443/", result).0, exit_code);
    }

    #[test]
    fn the_call_goes_where_the_url_says() {
        let (mut host, mut curls) = (TestHost::default(), Curls::default());
        curls.run(7, ReplyTo(1), &command("curl -skS -m 1.5 https://198.18.2.20:8443/a?b=c"), &mut host);
        let [(7, Exchange::Http(http))] = &host.calls[..] else { panic!("one call: {:?}", host.calls) };
        assert_eq!((http.endpoint.as_str(), http.timeout), ("198.18.2.20:8443", Duration::from_millis(1500)));
        assert_eq!((http.request.uri().to_string().as_str(), &http.tls), ("/a?b=c", &Some(TlsTrust::Anyone)));
        assert!(host.replies.is_empty());
    }

    #[test]
    fn errors_and_files() {
        assert_eq!(run("curl -f http://198.18.2.20/", answer(503, "no")).0, 22);
        assert_eq!(run("curl", answer(200, "")).0, 2);
        assert_eq!(run("curl --frobnicate http://x/", answer(200, "")).0, 2);
        assert_eq!(run("curl ftp://x/", answer(200, "")).0, 1);
        assert_eq!(run("echo hello", answer(200, "")).1, "hello\n");
        let (exit_code, text, host) = run("curl -s http://198.18.2.20/ > /tmp/body", answer(200, "shop-1"));
        assert_eq!((exit_code, text.as_str(), &host.files["/tmp/body"][..]), (0, "", &b"shop-1"[..]));
    }
}
