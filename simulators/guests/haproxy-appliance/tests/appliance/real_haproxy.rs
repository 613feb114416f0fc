//! What the appliance generates, judged by the real HAProxy where there is one.

use std::process::Command;

use rstest::rstest;

use crate::support::{HAPROXY_CFG, Machine, VIP};

/// What `haproxy -c` says to a configuration, exit code and text: none where there is no HAProxy here.
fn judged(config: &str) -> Option<Result<(), (i32, String)>> {
    if Command::new("haproxy").arg("-v").output().is_err() {
        println!("not covered: no haproxy program here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haproxy.cfg");
    std::fs::write(&file, config).unwrap();
    let output = Command::new("haproxy").arg("-c").arg("-f").arg(&file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { Ok(()) } else { Err((output.status.code().unwrap(), text)) })
}

#[rstest]
fn it_accepts_what_every_version_generates(#[values("v0.1.10", "v0.2.0")] version: &str) {
    let mut machine = Machine::booted(version);
    machine.program("supervisor-shop", VIP, 443);
    machine.program("tenant-1-api", "198.18.2.21", 6443);
    if let Some(judgement) = judged(&machine.text(HAPROXY_CFG)) {
        assert_eq!(judgement, Ok(()));
    }
}

#[rstest]
#[case("global\n  frobnicate\n")]
#[case("frontend x\n  bnd :1\n")]
#[case("frontend x\n  bind 1.2.3.4\n")]
#[case("frontend x\n  bind :1\n  default_backend nope\n")]
#[case("backend x\n  server s 1.1.1.1:1\n  server s 1.1.1.2:1\n")]
#[case("backend x\nbackend x\n")]
#[case("frontend x\n  server s 1.1.1.1:1\n")]
#[case("backend x\n  server s 1.1.1.1:1")]
#[case("backend x\n  server s 1.1.1.1:1\n")]
fn it_refuses_what_the_model_refuses(#[case] config: &str) {
    let mut machine = Machine::booted("v0.2.0");
    machine.host.files.insert("/tmp/x".into(), config.to_owned().into());
    let exit_code = machine.sh("haproxy -c -f /tmp/x").0;
    assert_ne!(exit_code, 0);
    if let Some(judgement) = judged(config) {
        assert_eq!(judgement.unwrap_err().0, exit_code);
    }
}

#[rstest]
#[case("frontend x\n  bind :1\nbackend x\n  server s 1.1.1.1:1 check\n")]
#[case("listen x\n  bind 127.0.0.1:1\n  no option dontlognull\n  server s 1.1.1.1:1\n")]
#[case(
    "global\n  stats socket /tmp/x\n  maxconn 500\n  tune.bufsize 32768\ndefaults\n  timeout client 10s\nbackend x # y\n"
)]
fn it_accepts_what_the_model_accepts(#[case] config: &str) {
    let mut machine = Machine::booted("v0.2.0");
    machine.host.files.insert("/tmp/x".into(), config.to_owned().into());
    assert_eq!(machine.sh("haproxy -c -f /tmp/x").0, 0);
    if let Some(judgement) = judged(config) {
        assert_eq!(judgement, Ok(()));
    }
}
