//! What a rollback leaves behind in the docker world is found on the real system: somebody changes the old appliance while it is
//! taken back into service, and the comparison names each change.
//!
//! Where no Docker engine answers, the test says by its name that it is not covered; it needs the images (`grenadier images`).

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What is changed, and where the comparison must show it.
const PLANTED: [(&str, &str); 7] = [
    ("ip rule add from 198.18.7.0/24 lookup 77", "/state/kernel/rules/from 198.18.7.0"),
    ("ip route add 198.18.8.0/24 dev lo table rtctl_frontend", "/state/kernel/routes/198.18.8.0"),
    ("ip route add local 198.18.9.16/28 dev lo", "/state/kernel/routes/local 198.18.9.16"),
    ("ip address add 198.18.10.1/32 dev eth0", "/state/kernel/links/eth0/addresses/"),
    ("echo '# by hand' >> /etc/vmware/route-tables.cfg", "/files/etc/vmware/route-tables.cfg"),
    ("echo other > /etc/haproxy/ca.crt", "/files/etc/haproxy/ca.crt"),
    ("echo new > /etc/haproxy/left-behind.cfg", "/files/etc/haproxy/left-behind.cfg"),
];

#[test]
fn every_change_on_the_real_system_is_named() {
    let place = tempfile::tempdir().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_grenadier"))
        .args(["run", "haproxy-appliance-swap", "--world", "docker", "--seed", "71", "--out"])
        .arg(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let name = format!("name=grenadier-{}-71-machine-.*-haproxy$", run.id());
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The new appliance is off again, and the old one serves: what is left of the rollback is to see that it does.
    let undone = lines.any(|line| line.contains("UNDO") && line.contains("power-on-new"));
    let serves = undone && lines.any(|line| line.trim_start().starts_with("UP"));
    if !serves {
        let output = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(3) && said.contains("Docker engine at"),
            "the run ended too early: {said}"
        );
        println!("not covered: every_change_on_the_real_system_is_named: no Docker engine");
        return;
    }
    let found = Command::new("docker").args(["ps", "--quiet", "--filter", &name]).output().unwrap();
    let container = String::from_utf8(found.stdout).unwrap().trim().to_owned();
    let script = PLANTED.map(|(command, _)| command).join(" && ");
    let planted = Command::new("docker").args(["exec", &container, "sh", "-c", &script]).output().unwrap();
    assert!(planted.status.success(), "{container}: {}", String::from_utf8_lossy(&planted.stderr));
    lines.for_each(drop);
    assert_eq!(run.wait().unwrap().code(), Some(1));
    let verdict = std::fs::read_to_string(place.path().join("verdict.json")).unwrap();
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    let checks = verdict["checks"].as_array().unwrap();
    let restored = checks.iter().find(|check| check["check"] == "restored").unwrap();
    assert_eq!(restored["status"], "fail", "{restored:#}");
    let told = restored.to_string();
    for (command, shown) in PLANTED {
        assert!(told.contains(shown), "`{command}` does not show: {restored:#}");
    }
}
