//! What people read when a scenario is wrong: one test per kind of mistake, with the whole text they see.

mod field;
mod meaning;
mod profile;
mod rendering;
mod shape;
mod syntax;

use grenadier_scenario::{Diagnostics, Style, parse};

/// A scenario without problems, which each test breaks in its own way.
const SOUND: &str = "\
name: one-swap
system: haproxy-appliance
from: v0.1.10
to: v0.2.0
topology: {vsphere: 7.0.1, networks: frontend}
create:
  - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
  - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
workload:
  - probe: {target: shop, kind: http-new, every: 10ms}
faults:
  - at: power-on-new/vsphere.PowerOnVM_Task#1
    do: task-fails
expect:
  outcome: rolled-back
  outage: {at-most: 90s}
horizon: 10m
";

fn problems(source: &str) -> Diagnostics {
    parse(source, "one-swap.yaml").expect_err("a scenario with problems")
}

/// The plain rendering of the sound scenario with one replacement.
fn broken(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "`{from}` is not in the sound scenario");
    problems(&SOUND.replacen(from, to, 1)).render(Style::Plain)
}

#[test]
fn the_scenario_that_the_tests_break_is_sound() {
    parse(SOUND, "one-swap.yaml").unwrap();
}
