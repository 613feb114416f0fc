//! Serving: it says where, answers there, and ends when it is told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use crate::support::Place;

/// A server, and the address in the one line that it printed.
pub(crate) fn serve(place: &Place, arguments: &[&str]) -> (Child, String, BufReader<std::process::ChildStdout>) {
    let mut all = vec!["serve", "vsphere", "-l", "127.0.0.1:0"];
    all.extend(arguments);
    let mut child = place.command(&all).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned(), out)
}

/// Sends what Ctrl-C sends.
pub(crate) fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

#[test]
fn it_prints_where_it_listens_answers_there_and_ends_well_when_interrupted() {
    let place = Place::new();
    let (mut child, url, mut out) = serve(&place, &["--tls=false", "--vm", "1", "--password", "p@ss"]);
    let address = url.strip_prefix("http://user:p%40ss@").and_then(|rest| rest.strip_suffix("/sdk")).expect(&url);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /sdk/vimServiceVersions.xml HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("<version>8.0.3.0</version>"), "{answer}");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line is all it prints");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn tls_is_the_default() {
    let (mut child, url, _out) = serve(&Place::new(), &[]);
    assert!(url.starts_with("https://user:pass@127.0.0.1:"), "{url}");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_the_environments_fault() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Place::new().start(&["serve", "vsphere", "--listen", &address]);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert!(ended.err.contains(&format!("listen on {address}")) && ended.err.contains("hint:"), "{}", ended.err);
}

#[test]
fn what_it_cannot_be_told_is_wrong_input() {
    for arguments in [
        ["--account", "reader:secret"],
        ["--account", "reader:secret:god"],
        ["--release", "eight"],
        ["--spare", "8:16"],
        ["--listen", "nowhere"],
    ] {
        let ended = Place::new().start(&[&["serve", "vsphere"][..], &arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.err);
    }
}
