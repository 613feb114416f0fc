//! The appliances and vantage machines of the small world.

use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_wire::{Failure, HttpExchange, ShellExchange, ShellOutput, TlsTrust};
use http::StatusCode;
use sha2::{Digest, Sha256};

use crate::testing::protocol::plain;
use crate::testing::world::{BOOT, Machine, State};

/// How long after its boot the operators have programmed an appliance.
const OPERATORS: Duration = Duration::from_secs(10);

const STOCK: &str = "# _version=1
global
  maxconn 60000
defaults
  mode tcp
userlist controller
  user client password y
";

const OTHER_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nZGVm\n-----END CERTIFICATE-----\n";

fn der_hash(pem: &str) -> String {
    let der: &[u8] = if pem == OTHER_CERTIFICATE { b"def" } else { b"abc" };
    Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a boot does to a machine's files.
pub(super) fn boot(machine: &mut Machine, regenerates: bool) {
    machine.down.clear();
    machine.stale.clear();
    if machine.files.is_empty() {
        let given = |key: &str| machine.properties.get(key).cloned().unwrap_or_default();
        let files = [
            ("/etc/haproxy/server.crt", given("appliance.ca_cert")),
            ("/etc/haproxy/server.key", given("appliance.ca_cert_key")),
            ("/etc/haproxy/haproxy.cfg", STOCK.to_owned()),
            ("/etc/haproxy/dataplaneapi.cfg", "TLS_HOST=198.18.0.10\n".to_owned()),
        ];
        machine.files = files.map(|(path, content)| (path.to_owned(), content)).into();
        if regenerates {
            machine.files.insert("/etc/haproxy/server.crt".into(), OTHER_CERTIFICATE.into());
        }
    }
    machine.shown = machine.files["/etc/haproxy/server.crt"].clone();
}

/// Whether the operators have programmed this appliance.
fn programmed(machine: &Machine, no_routes_on_new: bool, now: Time) -> bool {
    let old = machine.version == "v0.1.10";
    old || (!no_routes_on_new && machine.on.is_some_and(|since| now >= since + BOOT + OPERATORS))
}

/// The Data Plane API.
pub(super) fn api(state: &mut State, now: Time, exchange: &HttpExchange) -> Result<http::Response<Bytes>, Failure> {
    let endpoint = exchange.endpoint.clone();
    assert_eq!(endpoint, "198.18.0.10:5556");
    let silent = state.knobs.no_routes_on_new;
    let Some(machine) = state.serving(now) else { return Err(Failure::Unreachable { endpoint }) };
    if machine.down.iter().any(|service| service == "dataplaneapi") {
        return Err(Failure::Refused { endpoint });
    }
    if exchange.tls != Some(TlsTrust::Pinned(der_hash(&machine.shown))) {
        return Err(Failure::Untrusted { endpoint, reason: "another fingerprint".into() });
    }
    // "client:hunter2" in Base64.
    if exchange.request.headers().get("authorization").unwrap() != "Basic Y2xpZW50Omh1bnRlcjI=" {
        return Ok(plain(StatusCode::UNAUTHORIZED));
    }
    let routes = programmed(machine, silent, now);
    let path = exchange.request.uri().path_and_query().unwrap().as_str();
    let data = match path.trim_start_matches("/v2").trim_start_matches("/services/haproxy") {
        "/info" => return Ok(http::Response::new(r#"{"api":{"version":"v2.1.0"}}"#.into())),
        "/configuration/frontends" if routes => {
            r#"[{"name":"supervisor-shop","default_backend":"supervisor-shop","mode":"tcp"},{"name":"stats"}]"#
        }
        "/configuration/frontends" => "[]",
        "/configuration/binds?frontend=supervisor-shop" => r#"[{"name":"b","address":"198.18.2.20","port":443}]"#,
        "/transactions?status=in_progress" => return Ok(http::Response::new("[]".into())),
        other => panic!("this API does not know {other}"),
    };
    Ok(http::Response::new(format!(r#"{{"_version":3,"data":{data}}}"#).into()))
}

/// The appliance's shell.
pub(super) fn shell(state: &mut State, now: Time, shell: &ShellExchange) -> Result<ShellOutput, Failure> {
    let Some(machine) = state.serving(now) else {
        return Err(Failure::Unreachable { endpoint: shell.host.clone() });
    };
    let exit = |exit_code| ShellOutput { exit_code, ..ShellOutput::default() };
    let words: Vec<&str> = shell.command.split(' ').collect();
    let output = match words.as_slice() {
        ["test", "-f", path] => exit(i32::from(!machine.files.contains_key(*path))),
        ["cat", path] => match machine.files.get(*path) {
            Some(content) => ShellOutput { stdout: content.clone().into(), ..ShellOutput::default() },
            None => exit(1),
        },
        ["cat", ">", path] => {
            let content = String::from_utf8(shell.stdin.to_vec()).unwrap();
            machine.files.insert((*path).to_owned(), content.clone());
            match *path {
                "/etc/haproxy/haproxy.cfg" => machine.stale.push("haproxy".to_owned()),
                "/etc/haproxy/dataplaneapi.cfg" | "/etc/haproxy/server.crt" | "/etc/haproxy/server.key" => {
                    machine.stale.push("dataplaneapi".to_owned());
                }
                _ => {}
            }
            state.writes.push(((*path).to_owned(), content));
            exit(0)
        }
        ["rm", "-f", path] => {
            machine.files.remove(*path);
            exit(0)
        }
        ["haproxy", "-c", "-f", path] => exit(i32::from(machine.files[*path].contains("nonsense"))),
        ["ip", "route", "show", "table", "all"] => exit(0),
        ["systemctl", "is-active", service] => {
            let down = machine.down.iter().any(|down| down == service);
            let text = if down { "inactive\n" } else { "active\n" };
            ShellOutput { exit_code: if down { 3 } else { 0 }, stdout: text.into(), ..ShellOutput::default() }
        }
        ["systemctl", "stop", service] => {
            machine.down.push((*service).to_owned());
            exit(0)
        }
        // What runs already is not started.
        ["systemctl", "start", service] if !machine.down.iter().any(|down| down == service) => exit(0),
        ["systemctl", "start" | "restart", service] => {
            machine.down.retain(|down| down != service);
            machine.stale.retain(|stale| stale != service);
            if *service == "dataplaneapi" {
                machine.shown = machine.files["/etc/haproxy/server.crt"].clone();
            }
            exit(0)
        }
        other => panic!("this shell does not know {other:?}"),
    };
    Ok(output)
}

/// A vantage machine's shell.
pub(super) fn curl(state: &mut State, now: Time, shell: &ShellExchange) -> ShellOutput {
    assert!(shell.command.starts_with("curl -sS -m 5 http://198.18.2."), "{}", shell.command);
    let silent = state.knobs.no_routes_on_new;
    // One of the addresses never answered, before the upgrade neither.
    let dead = shell.command.contains("198.18.2.29");
    let answers = !dead
        && state.serving(now).is_some_and(|machine| {
            programmed(machine, silent, now) && !machine.down.iter().any(|service| service == "haproxy")
        });
    ShellOutput { exit_code: if answers { 0 } else { 7 }, ..ShellOutput::default() }
}
