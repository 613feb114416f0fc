//! Runs in the docker world that somebody ends: nothing is left, strangers' containers are untouched, and where the process lived
//! to write it the report is there.
//!
//! Where no Docker engine answers at a Unix socket, each test says `not covered`; it needs the images (`grenadier images`).

#![allow(
    clippy::disallowed_methods,
    reason = "these tests start processes and wait for another one's work in real time"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_grenadier");
/// How long the supervisor has after a SIGKILL. It needs a second or two on a machine with nothing else to do.
const SUPERVISED: Duration = Duration::from_secs(90);

/// A run measures outages in real time, so each has the machine for itself.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the engine answers; none where there is none.
fn engine(method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let address = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let mut stream = UnixStream::connect(address.strip_prefix("unix://")?).ok()?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = "Host: engine\r\nConnection: close\r\nContent-Type: application/json\r\n";
    write!(stream, "{method} {path} HTTP/1.0\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).unwrap_or_default()))
}

/// Names of everything on the engine that carries this run's label.
fn of_run(run: &str) -> Vec<String> {
    let filters = format!("%7B%22label%22%3A%5B%22grenadier.run%3D{run}%22%5D%7D");
    let listed = |path: String, at: &str| {
        let (status, found) = engine("GET", &path, None).expect("the engine answered before");
        assert_eq!(status, 200, "{path}: {found}");
        let all = if at.is_empty() { found } else { found[at].clone() };
        all.as_array().cloned().unwrap_or_default()
    };
    let found = [
        listed(format!("/containers/json?all=1&filters={filters}"), ""),
        listed(format!("/networks?filters={filters}"), ""),
        listed(format!("/volumes?filters={filters}"), "Volumes"),
        listed(format!("/images/json?filters={filters}"), ""),
    ];
    found.concat().iter().map(|object| object["Name"].as_str().unwrap_or("container or image").to_owned()).collect()
}

/// A container of somebody else's, made of an image of ours and called like one of ours.
struct Stranger(String);

impl Stranger {
    /// None, with a line that says why, where there is no engine or no image.
    fn new(name: &str) -> Option<Stranger> {
        let name = format!("grenadier-{}-{name}", std::process::id());
        let body = json!({"Image": "grenadier/node:bookworm", "Cmd": ["sleep", "1000"]});
        match engine("POST", &format!("/containers/create?name={name}"), Some(&body)) {
            Some((201, _)) => Some(Stranger(name)),
            other => {
                println!("not covered: no Docker engine with our images ({other:?})");
                None
            }
        }
    }

    fn is_there(&self) -> bool {
        engine("GET", &format!("/containers/{}/json", self.0), None).is_some_and(|(status, _)| status == 200)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        engine("DELETE", &format!("/containers/{}?force=1", self.0), None);
    }
}

/// Starts a swap and waits until this phase or step of the engine has passed.
fn started(out: &Path, seed: &str, passed: &str) -> Child {
    let mut child = Command::new(PROGRAM)
        .args(["run", "haproxy-appliance-swap", "--world", "docker", "--seed", seed, "--out"])
        .arg(out)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let found = lines.by_ref().any(|line| {
        let passes = ["PASS", "STEP"].iter().any(|word| line.trim_start().starts_with(word));
        passes && line.trim_end().ends_with(passed)
    });
    assert!(found, "the run ended before {passed} had passed");
    // Whoever reads goes on reading, so that the run does not end of a closed pipe instead.
    std::thread::spawn(move || lines.count());
    child
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Ends a run with `name` once `passed` has passed, and gives its folder to look into. It leaves nothing of its own, and
/// whatever is a stranger's. None where there is no engine.
fn ended(name: &str, seed: &str, passed: &str, supervised: Duration) -> Option<(Option<i32>, tempfile::TempDir)> {
    let _alone = alone();
    let stranger = Stranger::new(passed)?;
    let place = tempfile::tempdir().unwrap();
    let mut child = started(place.path(), seed, passed);
    let run = format!("{}-{seed}", child.id());
    assert!(!of_run(&run).is_empty(), "there is something to be left");
    signal(&child, name);
    let code = child.wait().unwrap().code();
    let deadline = Instant::now() + supervised;
    let mut left = of_run(&run);
    while !left.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
        left = of_run(&run);
    }
    assert_eq!(left, Vec::<String>::new());
    assert!(stranger.is_there());
    Some((code, place))
}

/// Ends a run politely: it cleans up before it ends, says so, and reports.
fn politely(name: &str, seed: &str, passed: &str) {
    let Some((code, place)) = ended(name, seed, passed, Duration::ZERO) else { return };
    assert_eq!(code, Some(4));
    let kept = std::fs::read_to_string(place.path().join("verdict.json")).unwrap();
    let verdict: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!((&verdict["verdict"], &verdict["exit_code"]), (&json!("interrupted"), &json!(4)));
    assert!(place.path().join("report.html").exists() && place.path().join("events.jsonl").exists());
}

#[test]
fn interrupted_while_the_load_balancers_are_created() {
    politely("-INT", "51", "early-create");
}

#[test]
fn terminated_while_nobody_serves() {
    politely("-TERM", "52", "power-off-old");
}

#[test]
fn killed_while_nobody_serves() {
    // Its supervisor removes what it leaves, and nobody calls `grenadier clean`.
    let Some((code, _)) = ended("-KILL", "53", "power-off-old", SUPERVISED) else { return };
    assert_eq!(code, None, "the signal ended it");
}

#[test]
fn terminated_in_the_rollback() {
    politely("-TERM", "54", "verify-upgraded");
}
