//! AnyIP and policy routes while services start and stop.

use rstest::rstest;

use crate::support::{ANYIP_CFG, Machine, VIP};

#[test]
fn a_range_that_is_added_to_the_file_is_there_at_once() {
    let mut machine = Machine::booted("v0.1.10");
    let content = machine.text(ANYIP_CFG) + "198.18.2.64/28\n";
    machine.host.files.insert("/tmp/new".into(), content.into());
    assert_eq!(machine.sh(&format!("cat /tmp/new > {ANYIP_CFG}")).0, 0);
    assert_eq!(machine.host.local_routes.len(), 2);
    machine.program("supervisor-new", "198.18.2.70", 443);
    assert!(machine.listens("198.18.2.70", 443));
}

#[test]
fn without_its_routes_haproxy_goes_on_but_does_not_start_again() {
    let mut machine = Machine::booted("v0.1.10");
    machine.program("supervisor-shop", VIP, 443);
    assert_eq!(machine.sh("systemctl stop anyip-routes").0, 0);
    assert!(machine.host.local_routes.is_empty());
    assert_eq!(machine.sh("systemctl is-active haproxy").1, "active\n");
    let (exit_code, _, error) = machine.sh("systemctl restart haproxy");
    assert_eq!((exit_code, error.as_str()), (1, "Job for haproxy.service failed. See \"systemctl status haproxy\".\n"));
    assert_eq!(machine.sh("systemctl is-active haproxy").1, "failed\n");
    assert_eq!(machine.sh("systemctl start anyip-routes").0, 0);
    assert_eq!(machine.sh("systemctl start haproxy").0, 0);
    assert!(machine.listens(VIP, 443));
}

#[rstest]
#[case("v0.1.8", 2, 2, 0)]
#[case("v0.1.10", 2, 2, 0)]
#[case("v0.2.0", 3, 6, 6)]
fn policy_rules_after_a_restart_and_a_stop(
    #[case] version: &str,
    #[case] booted: usize,
    #[case] restarted: usize,
    #[case] stopped: usize,
) {
    let mut machine = Machine::booted(version);
    let count = |machine: &mut Machine| machine.sh("ip rule show").1.matches("rtctl_").count();
    assert_eq!(count(&mut machine), booted);
    assert_eq!(machine.sh("systemctl restart route-tables").0, 0);
    assert_eq!(count(&mut machine), restarted);
    assert_eq!(machine.sh("systemctl stop route-tables").0, 0);
    assert_eq!(count(&mut machine), stopped);
    machine.power_cycle();
    assert_eq!(count(&mut machine), booted, "rules are kernel state");
}

#[rstest]
#[case("v0.1.8", 0)]
#[case("v0.1.9", 2)]
#[case("v0.2.0", 2)]
fn link_scoped_routes_are_in_the_tables_since_v0_1_9(#[case] version: &str, #[case] links: usize) {
    let machine = Machine::booted(version);
    assert_eq!(
        machine.text("/etc/vmware/route-tables.cfg").lines().filter(|line| line.split(',').count() == 4).count(),
        links
    );
}

#[test]
fn additional_workload_networks_have_a_rule() {
    let mut machine = Machine::booted("v0.2.0");
    let rules = machine.sh("ip rule show").1;
    assert!(rules.contains("from all to 198.18.8.0/24 lookup rtctl_workload"), "{rules}");
}
