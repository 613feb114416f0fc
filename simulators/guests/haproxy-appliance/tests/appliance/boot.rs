//! Boots.

use std::time::Duration;

use grenadier_fleet::GuestReport;
use grenadier_guest::{Answering, Guest as _, Input};
use grenadier_haproxy_appliance::fingerprint_of_pem;
use rstest::rstest;

use crate::support::{HAPROXY_CFG, Machine, SERVER_CRT, SERVER_KEY, VIP, facts, properties};

#[rstest]
fn every_version_boots_and_serves(#[values("v0.1.8", "v0.1.9", "v0.1.10", "v0.2.0")] version: &str) {
    let mut machine = Machine::booted(version);
    assert!(machine.was_told(&GuestReport::Up));
    let tools = GuestReport::Tools {
        hostname: "haproxy.local".into(),
        addresses: vec![
            (4000, vec!["198.18.0.10".parse().unwrap()]),
            (4001, vec!["198.18.1.10".parse().unwrap()]),
            (4002, vec!["198.18.2.10".parse().unwrap()]),
        ],
    };
    assert!(machine.was_told(&tools));
    assert_eq!(machine.text("/etc/vmware-haproxy-release"), format!("VERSION={version}\n"));
    assert_eq!(machine.host.local_routes, ["198.18.2.16/28".parse().unwrap()]);
    let api = machine.host.listeners.iter().find(|listener| listener.port == 5556).unwrap();
    assert_eq!(api.address, Some("198.18.0.10".parse().unwrap()));
    assert_eq!(api.answering, Answering::Guest);
    assert_eq!(api.certificate, Some(fingerprint_of_pem(&machine.text(SERVER_CRT)).unwrap()));
    machine.program("supervisor-shop", VIP, 443);
    assert!(machine.listens(VIP, 443));
    let routes = machine.guest.state()["haproxy"]["routes"].clone();
    assert_eq!(routes[0]["servers"][0], "198.18.1.40:8080");
}

#[test]
fn stages_take_their_time() {
    let mut machine = Machine::new("v0.1.10");
    machine.tell(Input::Boot);
    machine.pass(Duration::from_millis(12_999));
    assert!(machine.host.addresses.is_empty(), "cloud-init and network: 13 s");
    machine.pass(Duration::from_millis(1));
    assert_eq!(machine.host.addresses.len(), 3);
    machine.pass(Duration::from_secs(1));
    assert_eq!(machine.states_of("haproxy"), ["starting", "running"]);
    machine.pass(Duration::from_millis(1_999));
    assert!(!machine.was_told(&GuestReport::Up));
    machine.pass(Duration::from_millis(1));
    assert!(machine.was_told(&GuestReport::Up), "16 s at the first boot");

    machine.host.reports.clear();
    let began = machine.now();
    machine.tell(Input::Boot);
    while !machine.was_told(&GuestReport::Up) {
        let far = began + Duration::from_secs(60);
        assert!(machine.host.step(&mut machine.guest, far), "it comes up");
    }
    assert_eq!(machine.now() - began, Duration::from_secs(8), "8 s at a later one");
}

#[test]
fn routes_survive_a_reboot_and_open_transactions_do_not() {
    let mut machine = Machine::booted("v0.1.10");
    machine.program("supervisor-shop", VIP, 443);
    let (status, _) = machine.api(http::Method::POST, "transactions?version=2", None);
    assert_eq!(status, 201);
    assert_eq!(machine.guest.state()["dataplaneapi"]["transactions"].as_array().unwrap().len(), 1);
    let configuration = machine.text(HAPROXY_CFG);
    machine.power_cycle();
    assert!(machine.listens(VIP, 443));
    assert_eq!(machine.text(HAPROXY_CFG), configuration);
    assert_eq!(machine.guest.state()["dataplaneapi"]["transactions"].as_array().unwrap().len(), 0);
}

#[rstest]
#[case("v0.1.9", true)]
#[case("v0.1.10", false)]
#[case("v0.2.0", false)]
fn a_reboot_breaks_the_pin_up_to_v0_1_9(#[case] version: &str, #[case] breaks: bool) {
    let mut machine = Machine::booted(version);
    let before = machine.text(SERVER_CRT);
    machine.power_cycle();
    assert_eq!(machine.text(SERVER_CRT) != before, breaks);
    let shown = machine.host.listeners.iter().find(|listener| listener.port == 5556).unwrap().certificate.clone();
    assert_eq!(shown, Some(fingerprint_of_pem(&machine.text(SERVER_CRT)).unwrap()), "it shows what the file holds");
}

#[rstest]
#[case("v0.2.0", true)]
#[case("v0.1.9", false)]
fn the_old_appliances_certificate_is_taken_over(#[case] version: &str, #[case] kept: bool) {
    let old = Machine::booted("v0.1.8");
    let mut properties = properties();
    properties.insert("appliance.ca_cert".into(), old.text(SERVER_CRT));
    properties.insert("appliance.ca_cert_key".into(), old.text(SERVER_KEY));
    let mut new = Machine::with(version, &facts(version), &properties);
    new.boot();
    assert!(new.was_told(&GuestReport::Up));
    assert_eq!(new.text(SERVER_CRT) == old.text(SERVER_CRT), kept, "a version that regenerates replaces a given one");
}

#[rstest]
#[case(None, "there is no OVF environment in guestinfo.ovfEnv")]
#[case(Some(("network.workload_ip", "")), "property network.workload_ip is missing")]
#[case(Some(("appliance.root_pwd", "")), "property appliance.root_pwd is missing")]
#[case(
    Some(("network.management_ip", "dhcp")),
    "property network.management_ip must be an address in CIDR form such as 198.18.0.10/24, got `dhcp`"
)]
fn properties_of_no_use_fail_the_boot(#[case] change: Option<(&str, &str)>, #[case] reason: &str) {
    let mut properties = properties();
    if let Some((key, value)) = change {
        properties.insert(key.into(), value.into());
    }
    let mut machine = Machine::with("v0.2.0", &facts("v0.2.0"), &properties);
    if change.is_none() {
        machine.host.config.clear();
    }
    machine.boot();
    assert!(machine.was_told(&GuestReport::BootFailed(reason.into())), "{:?}", machine.host.reports);
    assert!(machine.host.listeners.is_empty() && machine.host.addresses.is_empty());
    // The next boot, with what was missing, is a first one.
    let complete = Machine::new("v0.2.0");
    machine.host.config = complete.host.config;
    machine.power_cycle();
    assert!(machine.was_told(&GuestReport::Up));
}

#[test]
fn regression_vmware_haproxy_36_a_range_that_never_arrives_kills_haproxy_at_the_next_boot() {
    let mut machine = Machine::booted("v0.1.10");
    machine.program("supervisor-shop", VIP, 443);
    // The new range was added in vCenter, but not to anyip-routes.cfg. The reload says it succeeded and old workers go on.
    machine.program("supervisor-new", "198.18.2.70", 443);
    assert!(machine.text(HAPROXY_CFG).contains("198.18.2.70:443"));
    assert_eq!(machine.api(http::Method::GET, "reloads/2026-01-01-1", None).1["status"], "succeeded");
    machine.pass(Duration::from_secs(5));
    assert!(machine.listens(VIP, 443) && !machine.listens("198.18.2.70", 443));
    machine.power_cycle();
    assert!(machine.was_told(&GuestReport::Up), "the machine is up all the same");
    assert_eq!(machine.states_of("haproxy"), ["starting", "failed"]);
    assert!(!machine.listens(VIP, 443), "one bad bind takes every load balancer down");
    assert!(machine.listens("198.18.0.10", 5556));
}

#[test]
fn a_shutdown_stops_services_and_then_the_machine() {
    let mut machine = Machine::booted("v0.1.10");
    machine.program("supervisor-shop", VIP, 443);
    machine.tell(Input::Shutdown);
    assert!(machine.host.listeners.is_empty() && machine.host.local_routes.is_empty());
    machine.pass(Duration::from_millis(1_999));
    assert!(!machine.host.off);
    machine.pass(Duration::from_millis(1));
    assert!(machine.host.off);
}

#[test]
fn the_same_seed_makes_the_same_disk() {
    let disk = || {
        let mut machine = Machine::booted("v0.2.0");
        machine.program("supervisor-shop", VIP, 443);
        machine.power_cycle();
        (machine.host.files, machine.guest.state().to_string())
    };
    assert_eq!(disk(), disk());
}

#[test]
fn a_full_disk_fails_the_first_boot() {
    let mut machine = Machine::new("v0.2.0");
    machine.host.disk_error = Some("No space left on device".into());
    machine.boot();
    assert!(machine.was_told(&GuestReport::BootFailed("No space left on device".into())));
}
