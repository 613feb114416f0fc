//! The shell.

use rstest::rstest;

use crate::support::{HAPROXY_CFG, Machine, ROOT_PASSWORD, VIP};

#[rstest]
#[case("root", Some(ROOT_PASSWORD), 0)]
#[case("root", None, 0)]
#[case("root", Some("wrong"), 255)]
#[case("admin", Some(ROOT_PASSWORD), 255)]
fn who_may_log_in(#[case] user: &str, #[case] password: Option<&str>, #[case] exit_code: i32) {
    let mut machine = Machine::booted("v0.1.10");
    for _ in 0..2 {
        assert_eq!(machine.sh_as(user, password, "true").0, exit_code);
    }
}

#[test]
fn root_may_be_kept_out() {
    let mut properties = crate::support::properties();
    properties.insert("appliance.permit_root_login".into(), "False".into());
    let mut machine = Machine::with("v0.1.10", &crate::support::facts("v0.1.10"), &properties);
    machine.boot();
    let (exit_code, _, error) = machine.sh("true");
    assert_eq!((exit_code, error.as_str()), (255, "root@198.18.0.10: Permission denied (publickey,password).\n"));
}

#[test]
fn systemctl_tells_what_is() {
    let mut machine = Machine::booted("v0.1.10");
    for service in ["haproxy", "dataplaneapi", "anyip-routes", "route-tables", "haproxy.service"] {
        assert_eq!(machine.sh(&format!("systemctl is-active {service}")), (0, "active\n".into(), String::new()));
        let (exit_code, text, _) = machine.sh(&format!("systemctl status {service}"));
        assert!(exit_code == 0 && text.contains("Active: active (running)"), "{text}");
    }
    assert_eq!(machine.sh("systemctl stop dataplaneapi").0, 0);
    assert!(!machine.listens("198.18.0.10", 5556));
    assert_eq!(machine.sh("systemctl is-active dataplaneapi"), (3, "inactive\n".into(), String::new()));
    assert_eq!(machine.sh("systemctl start dataplaneapi").0, 0);
    assert!(machine.listens("198.18.0.10", 5556));
    assert_eq!(machine.sh("systemctl start sshd").0, 5);
    assert_eq!(machine.sh("systemctl frobnicate haproxy").0, 1);
    assert_eq!(machine.sh("systemctl reload dataplaneapi").0, 1);
}

#[test]
fn a_restart_with_a_broken_configuration_leaves_haproxy_failed() {
    let mut machine = Machine::booted("v0.1.10");
    machine.program("supervisor-shop", VIP, 443);
    let good = machine.host.files[HAPROXY_CFG].clone();
    machine.host.files.insert(HAPROXY_CFG.into(), "frontend x\n  bnd :1\n".into());
    assert_eq!(machine.sh("systemctl reload haproxy").0, 1);
    assert!(machine.listens(VIP, 443), "a reload that fails leaves the old workers");
    assert_eq!(machine.sh("systemctl restart haproxy").0, 1);
    assert!(!machine.listens(VIP, 443));
    let (exit_code, text, _) = machine.sh("systemctl status haproxy");
    assert!(exit_code == 3 && text.contains("Active: failed") && text.contains("unknown keyword 'bnd'"), "{text}");
    assert!(machine.sh("journalctl -xeu haproxy").1.contains("unknown keyword 'bnd'"));
    // With HAProxy dead every reload of the Data Plane API fails, and nothing starts it again.
    machine.host.files.insert(HAPROXY_CFG.into(), good);
    machine.program("supervisor-more", "198.18.2.21", 80);
    assert!(!machine.listens(VIP, 443));
    assert_eq!(machine.api(http::Method::GET, "reloads/2026-01-01-1", None).1["status"], "failed");
    assert!(machine.sh("journalctl -u dataplaneapi").1.contains("Restart failed"));
    assert_eq!(machine.sh("systemctl start haproxy").0, 0);
    assert!(machine.listens(VIP, 443) && machine.listens("198.18.2.21", 80));
}

#[test]
fn with_a_restart_command_a_failed_reload_brings_the_last_good_configuration_back() {
    let mut machine = Machine::booted("v0.1.10");
    machine.program("supervisor-shop", VIP, 443);
    let flags = "ADDITIONAL_FLAGS=--update-map-files --restart-cmd=/usr/bin/systemctl_restart_haproxy\n";
    let config = machine.text("/etc/haproxy/dataplaneapi.cfg") + flags;
    machine.host.files.insert("/etc/haproxy/dataplaneapi.cfg".into(), config.into());
    assert_eq!(machine.sh("systemctl restart dataplaneapi").0, 0);
    assert_eq!(machine.sh("systemctl stop haproxy").0, 0);
    machine.program("supervisor-more", "198.18.2.21", 80);
    assert_eq!(machine.sh("systemctl is-active haproxy").0, 0);
    assert!(machine.listens(VIP, 443) && !machine.listens("198.18.2.21", 80));
    assert!(machine.text(HAPROXY_CFG).contains("198.18.2.21:80"), "the file has the new content, the process the old");
}

#[test]
fn haproxy_checks_files_and_tells_its_version() {
    let mut machine = Machine::booted("v0.2.0");
    assert_eq!(machine.sh(&format!("haproxy -c -f {HAPROXY_CFG}")).1, "Configuration file is valid\n");
    machine.host.files.insert("/tmp/x".into(), "frobnicate\nglobal\n  frobnicate\n".into());
    let (exit_code, _, error) = machine.sh("haproxy -c -f /tmp/x");
    assert!(exit_code == 1 && error.contains("parsing [/tmp/x] : unknown keyword 'frobnicate'"), "{error}");
    assert_eq!(machine.sh("haproxy -c -f /none").0, 1);
    assert!(machine.sh("haproxy -vv").1.starts_with("HAProxy version 2.6.12"));
    assert_eq!(machine.sh("haproxy -f /none").0, 1);
    assert_eq!(machine.sh("ip link").0, 1);
    assert_eq!(machine.sh("frobnicate").0, 127);
}

#[test]
fn customisations_count_after_a_restart() {
    let mut machine = Machine::booted("v0.1.10");
    let edited = machine.text(HAPROXY_CFG).replace("maxconn 60000", "maxconn 50000");
    machine.host.files.insert(HAPROXY_CFG.into(), edited.into());
    assert_eq!(machine.sh("systemctl restart haproxy").0, 0);
    assert_eq!(machine.sh("systemctl restart dataplaneapi").0, 0);
    machine.program("supervisor-shop", VIP, 443);
    assert!(machine.text(HAPROXY_CFG).contains("maxconn 50000"));
}

#[test]
fn a_broken_data_plane_api_fails_alone() {
    let mut machine = Machine::booted("v0.1.10");
    machine.host.files.remove("/etc/haproxy/server.key");
    assert_eq!(machine.sh("systemctl restart dataplaneapi").0, 1);
    let text = machine.sh("systemctl status dataplaneapi").1;
    assert!(text.contains("open /etc/haproxy/server.key: no such file or directory"), "{text}");
    assert_eq!(machine.sh("systemctl is-active haproxy").0, 0);
}
