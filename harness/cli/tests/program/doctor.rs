//! `grenadier doctor`, and what a run says of an engine that it cannot use.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::{Place, SWAP};

/// An engine that answers every request with `answer`, at a socket in `place`.
fn engine(place: &Place, answer: &'static str) -> PathBuf {
    let path = place.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(&connection, answer));
        }
    });
    path
}

fn serve(connection: &UnixStream, answer: &str) {
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    while lines.by_ref().take_while(|line| !line.is_empty()).count() > 0 {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        let mut connection = connection;
        if write!(connection, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).is_err() {
            return;
        }
    }
}

fn told(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text.into_owned())
}

/// What the doctor, and then a run, say of the engine at this socket.
fn asked(place: &Place, socket: &Path) -> [(i32, String); 2] {
    [vec!["doctor"], vec!["run", SWAP, "--world", "docker"]].map(|arguments| {
        let mut command = place.command(&arguments);
        told(&command.env("DOCKER_HOST", format!("unix://{}", socket.display())).output().unwrap())
    })
}

#[test]
fn without_an_engine_the_virtual_world_is_fit_and_the_docker_world_is_not() {
    let place = Place::new();
    let virtual_only = place.start(&["doctor", "--world", "virtual"]);
    assert_eq!((virtual_only.code, virtual_only.err.as_str()), (0, ""));
    assert!(virtual_only.out.ends_with("\nfit for the virtual world: grenadier run haproxy-appliance-swap\n"));
    let both = place.start(&["doctor"]);
    assert_eq!(both.code, 3);
    assert!(both.out.contains("fit       virtual world  haproxy-appliance-swap passed in "), "{}", both.out);
    assert!(both.out.contains("UNFIT     engine "), "{}", both.out);
    assert!(both.out.contains("hint: start a Docker engine, or point DOCKER_HOST at one"), "{}", both.out);
    let json: Value = serde_json::from_str(&place.start(&["doctor", "--format", "json"]).out).unwrap();
    assert_eq!((&json["fit"], &json["exit_code"]), (&Value::Bool(false), &3.into()));
    assert_eq!(json["findings"][1]["fitness"], "unfit");
    assert!(std::fs::read_dir(place.path()).unwrap().next().is_none(), "a doctor leaves nothing");
}

#[test]
fn an_engine_that_is_too_old_is_told_by_what_it_speaks() {
    let place = Place::new();
    let socket = engine(&place, r#"{"Version":"19.03.15","ApiVersion":"1.40","MinAPIVersion":"1.12","Os":"linux"}"#);
    for (code, told) in asked(&place, &socket) {
        assert_eq!(code, 3, "{told}");
        assert!(told.contains("speaks API 1.40, and 1.41 is needed"), "{told}");
        assert!(told.contains("hint: upgrade the engine to 20.10 or later"), "{told}");
    }
}

#[test]
fn something_that_is_no_engine_is_not_taken_for_a_failed_upgrade() {
    let place = Place::new();
    let socket = engine(&place, "<html>an intranet</html>");
    for (code, told) in asked(&place, &socket) {
        assert_eq!(code, 3, "{told}");
        assert!(told.contains("hint: ") && !told.contains("FAILED"), "{told}");
    }
}

#[test]
fn a_user_who_may_not_talk_to_the_engine_is_told_which_group_may() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let socket = engine(&place, "{}");
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o777)).unwrap();
    // Only root can become somebody else; to anybody else the socket is their own.
    let mut nobody = std::process::Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_grenadier"), "doctor"]);
    nobody.current_dir(place.path()).env("DOCKER_HOST", format!("unix://{}", socket.display()));
    let Ok(output) = nobody.output() else { return println!("not covered: no setpriv") };
    let (code, told) = told(&output);
    if told.contains("setpriv") {
        return println!("not covered: {told}");
    }
    assert_eq!(code, 3, "{told}");
    assert!(
        told.contains("this user may not") && told.contains("a member of the group that owns the socket"),
        "{told}"
    );
}

#[test]
fn without_an_engine_nothing_is_compared() {
    let place = Place::new();
    let ended = place.start(&["compare", SWAP]);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert!(ended.err.contains("hint: start a Docker engine"), "{}", ended.err);
    assert!(std::fs::read_dir(place.path()).unwrap().next().is_none(), "it says so before the first run");
}
