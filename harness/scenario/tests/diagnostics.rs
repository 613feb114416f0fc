//! What people read when a scenario is wrong: one test per kind of mistake, with the whole text they see.

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

#[test]
fn unknown_key() {
    insta::assert_snapshot!(broken("from: v0", "fromm: v0"), @r#"
      x unknown key `fromm`
       ,-[one-swap.yaml:3:1]
     2 | system: haproxy-appliance
     3 | fromm: v0.1.10
       : ^^^^^
     4 | to: v0.2.0
       `----
      help: did you mean `from`?

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("port: 443", "port: 443, colour: red"), @r#"
      x unknown key `colour`
       ,-[one-swap.yaml:7:62]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 443, colour: red, backends: 3}
       :                                                              ^^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----
      help: the keys of a load balancer are name, vip, port, backends, cluster

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn wrong_type() {
    insta::assert_snapshot!(broken("backends: 3", "backends: three"), @r#"
      x expected a whole number from 1 to 32; got `three`
       ,-[one-swap.yaml:7:72]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: three}
       :                                                                        ^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("{vsphere: 7.0.1, networks: frontend}", "frontend"), @r#"
      x expected a topology; got `frontend`
       ,-[one-swap.yaml:5:11]
     4 | to: v0.2.0
     5 | topology: frontend
       :           ^^^^^^^^
     6 | create:
       `----
      help: its keys are vsphere, vsphere-after, networks, service-ranges, host

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("{vsphere: 7.0.1,", "{vsphere: 7.0,"), @r#"
      x unknown vSphere release `7.0`
       ,-[one-swap.yaml:5:21]
     4 | to: v0.2.0
     5 | topology: {vsphere: 7.0, networks: frontend}
       :                     ^^^
     6 | create:
       `----
      help: vSphere releases: 7.0.0, 7.0.1, 7.0.2, 7.0.3, 8.0.0, 8.0.1, 8.0.2, 8.0.3

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn missing_key() {
    insta::assert_snapshot!(broken("to: v0.2.0\n", ""), @r#"
      x missing key `to`
       ,-[one-swap.yaml:1:1]
     1 | name: one-swap
       : ^^^^
     2 | system: haproxy-appliance
       `----
      help: a scenario needs `to`

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("vip: frontend+20, ", ""), @r#"
      x missing key `vip`
       ,-[one-swap.yaml:7:5]
     6 | create:
     7 |   - load-balancer: {name: shop, port: 443, backends: 3}
       :     ^^^^^^^^^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----
      help: a load balancer needs `vip`

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn undeclared_name() {
    insta::assert_snapshot!(broken("target: shop", "target: shpo"), @r#"
      x no load balancer is called `shpo`
        ,-[one-swap.yaml:10:21]
      9 | workload:
     10 |   - probe: {target: shpo, kind: http-new, every: 10ms}
        :                     ^^^^
     11 | faults:
        `----
      help: did you mean `shop`?

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("at: power-on-new/", "at: power-on-old/"), @r#"
      x unknown step `power-on-old`
        ,-[one-swap.yaml:12:9]
     11 | faults:
     12 |   - at: power-on-old/vsphere.PowerOnVM_Task#1
        :         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     13 |     do: task-fails
        `----
      help: did you mean `power-off-old`?

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("do: task-fails", "do: explode"), @r#"
      x unknown fault kind `explode`
        ,-[one-swap.yaml:13:9]
     12 |   - at: power-on-new/vsphere.PowerOnVM_Task#1
     13 |     do: explode
        :         ^^^^^^^
     14 | expect:
        `----
      help: use one of: refuse, unavailable, error-after, lost-reply, task-fails, hang

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn unknown_version() {
    insta::assert_snapshot!(broken("to: v0.2.0", "to: v0.3.0"), @r#"
      x unknown version `v0.3.0` of haproxy-appliance
       ,-[one-swap.yaml:4:5]
     3 | from: v0.1.10
     4 | to: v0.3.0
       :     ^^^^^^
     5 | topology: {vsphere: 7.0.1, networks: frontend}
       `----
      help: versions: v0.1.8, v0.1.9, v0.1.10, v0.2.0; a version of your own is {like: v0.2.0}

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("to: v0.2.0", "to: 0.2.0"), @r#"
      x unknown version `0.2.0` of haproxy-appliance
       ,-[one-swap.yaml:4:5]
     3 | from: v0.1.10
     4 | to: 0.2.0
       :     ^^^^^
     5 | topology: {vsphere: 7.0.1, networks: frontend}
       `----
      help: did you mean `v0.2.0`?

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("from: v0.1.10", "from: {like: v0.1.10, with: {haproxi: 2.4.0, reload-delay: soon}}"), @r#"
      x unknown fact `haproxi`
       ,-[one-swap.yaml:3:30]
     2 | system: haproxy-appliance
     3 | from: {like: v0.1.10, with: {haproxi: 2.4.0, reload-delay: soon}}
       :                              ^^^^^^^
     4 | to: v0.2.0
       `----
      help: did you mean `haproxy`?

      x expected a duration such as 10ms, 90s, 5m; got `soon`
       ,-[one-swap.yaml:3:60]
     2 | system: haproxy-appliance
     3 | from: {like: v0.1.10, with: {haproxi: 2.4.0, reload-delay: soon}}
       :                                                            ^^^^
     4 | to: v0.2.0
       `----
      help: a number and one unit, without a space: h, m, s, ms, us, ns

    2 problems in one-swap.yaml
    "#);
}

#[test]
fn impossible_topology() {
    insta::assert_snapshot!(broken("networks: frontend", "networks: default"), @r#"
      x address frontend+20 is on a network that topology `default` does not have
       ,-[one-swap.yaml:7:38]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
       :                                      ^^^^^^^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----
      help: its networks are management, workload; did you mean workload+20?

      x address frontend+21 is on a network that topology `default` does not have
       ,-[one-swap.yaml:8:37]
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       :                                     ^^^^^^^^^^^
     9 | workload:
       `----
      help: its networks are management, workload; did you mean workload+21?

    2 problems in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("vip: frontend+20", "vip: frontend+40"), @r#"
      x address frontend+40 is outside the service ranges
       ,-[one-swap.yaml:7:38]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+40, port: 443, backends: 3}
       :                                      ^^^^^^^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----
      help: service ranges: frontend+16/28 (frontend+16 to +31)

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("vip: frontend+21, port: 6443", "vip: frontend+20, port: 443"), @r#"
      x load balancers `shop` and `api` have the same address and port, frontend+20:443
       ,-[one-swap.yaml:8:37]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
       :                                      ^^^^^|^^^^^
       :                                           `-- first here
     8 |   - load-balancer: {name: api, vip: frontend+20, port: 443, backends: 2, cluster: tenant-1}
       :                                     ^^^^^^^^^^^
     9 | workload:
       `----
      help: give each its own address or its own port

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("networks: frontend}", "networks: frontend, service-ranges: [frontend+20/28]}"), @r#"
      x a /28 range cannot begin at +20
       ,-[one-swap.yaml:5:65]
     4 | to: v0.2.0
     5 | topology: {vsphere: 7.0.1, networks: frontend, service-ranges: [frontend+20/28]}
       :                                                                 ^^^^^^^^^^^^^^
     6 | create:
       `----
      help: ranges begin at a multiple of their size, here 16: frontend+16/28

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn the_same_version_twice_is_for_the_engine_to_refuse() {
    parse(&SOUND.replace("to: v0.2.0", "to: v0.1.10"), "one-swap.yaml").unwrap();
}

#[test]
fn impossible_expectation() {
    insta::assert_snapshot!(broken("  outcome: rolled-back\n", "  outcome: rolled-back\n  refused-by: target-not-newer\n"), @r#"
      x outcome `rolled-back` is not refused by anything
        ,-[one-swap.yaml:16:3]
     15 |   outcome: rolled-back
     16 |   refused-by: target-not-newer
        :   ^^^^^^^^^^
     17 |   outage: {at-most: 90s}
        `----
      help: `refused-by` goes with `outcome: refused`

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("horizon: 10m", "rollback: never"), @r#"
      x outcome `rolled-back` cannot be reached with `rollback: never`
        ,-[one-swap.yaml:15:12]
     14 | expect:
     15 |   outcome: rolled-back
        :            ^^^^^^^^^^^
     16 |   outage: {at-most: 90s}
        `----
      help: set `rollback` to on-failure or always

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn what_cannot_be_undone_or_does_not_happen() {
    insta::assert_snapshot!(broken("horizon: 10m", "engine: {remove-old: true}\nrollback: always"), @r#"
      x `rollback: always` cannot go back to an appliance that was removed
        ,-[one-swap.yaml:18:11]
     17 | engine: {remove-old: true}
     18 | rollback: always
        :           ^^^^^^
        `----
      help: set `remove-old: false`, or `rollback` to on-failure or never

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("at: power-on-new/", "at: remove-old/"), @r#"
      x step `remove-old` is not performed
        ,-[one-swap.yaml:12:9]
     11 | faults:
     12 |   - at: remove-old/vsphere.PowerOnVM_Task#1
        :         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     13 |     do: task-fails
        `----
      help: set `engine: {remove-old: true}`, or name another step

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("do: task-fails", "do: unavailable\n  - at: power-on-new/vsphere.PowerOnVM_Task#1\n    do: hang"), @r#"
      x two faults at power-on-new/vsphere.PowerOnVM_Task#1
        ,-[one-swap.yaml:14:5]
     11 | faults:
     12 |   - at: power-on-new/vsphere.PowerOnVM_Task#1
        :     ^^^^^^^^^^^^^^^^^^^^|^^^^^^^^^^^^^^^^^^^^
        :                         `-- first here
     13 |     do: unavailable
     14 |   - at: power-on-new/vsphere.PowerOnVM_Task#1
        :     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     15 |     do: hang
        `----
      help: a call can suffer one fault; address another occurrence

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("vsphere.PowerOnVM_Task", "shell.systemctl"), @r#"
      x fault `task-fails` cannot happen to shell.systemctl
        ,-[one-swap.yaml:13:9]
     12 |   - at: power-on-new/shell.systemctl#1
     13 |     do: task-fails
        :         ^^^^^^^^^^
     14 | expect:
        `----
      help: `task-fails` needs a vSphere call that starts a task, such as vsphere.PowerOnVM_Task

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn host_without_room_for_the_base() {
    insta::assert_snapshot!(broken("networks: frontend}", "networks: frontend, host: {cpus: 1, disk: 30GiB}}"), @r#"
      x the host cannot hold even the old appliance
       ,-[one-swap.yaml:5:61]
     4 | to: v0.2.0
     5 | topology: {vsphere: 7.0.1, networks: frontend, host: {cpus: 1, disk: 30GiB}}
       :                                                             ^
     6 | create:
       `----
      help: one takes 2; a host with room for one but not for two makes the engine refuse

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn text_with_a_colon() {
    insta::assert_snapshot!(broken("system:", "description: power fails: roll back\nsystem:"), @r#"
      x this is not valid YAML: mapping values are not allowed in this context
       ,-[one-swap.yaml:2:25]
     1 | name: one-swap
     2 | description: power fails: roll back
       :                         ^
     3 | system: haproxy-appliance
       `----
      help: put text with a colon in it in quotes; if this is a key, check that its line is indented like its neighbours

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn columns_count_characters_also_behind_foreign_letters() {
    let source =
        SOUND.replace("backends: 3}", "cluster: \"größe\", backends: 0}").replace("name: shop", "name: \"größe\"");
    let problems = problems(&source);
    let text = problems.render(Style::Plain);
    for problem in problems.iter() {
        let line = source.lines().nth(problem.line - 1).unwrap();
        let from_column: String = line.chars().skip(problem.column - 1).collect();
        assert!(from_column.starts_with(&problem.offending), "{problem:?}");
        let place = format!("one-swap.yaml:{}:{}]", problem.line, problem.column);
        assert!(text.contains(&place), "{place} is not in\n{text}");
    }
    assert_eq!(problems.iter().len(), 4);
}

#[test]
fn duplicate_key() {
    insta::assert_snapshot!(broken("to: v0.2.0\n", "to: v0.2.0\nfrom: v0.1.9\n"), @r#"
      x duplicate key `from`
       ,-[one-swap.yaml:5:1]
     2 | system: haproxy-appliance
     3 | from: v0.1.10
       : ^^|^
       :   `-- first here
     4 | to: v0.2.0
     5 | from: v0.1.9
       : ^^^^
     6 | topology: {vsphere: 7.0.1, networks: frontend}
       `----
      help: remove one of the two

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn bad_duration() {
    insta::assert_snapshot!(broken("every: 10ms", "every: 90 sekunden"), @r#"
      x expected a duration such as 10ms, 90s, 5m; got `90 sekunden`
        ,-[one-swap.yaml:10:50]
      9 | workload:
     10 |   - probe: {target: shop, kind: http-new, every: 90 sekunden}
        :                                                  ^^^^^^^^^^^
     11 | faults:
        `----
      help: a number and one unit, without a space: h, m, s, ms, us, ns

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("horizon: 10m", "horizon: 600"), @r#"
      x expected a duration such as 10ms, 90s, 5m; got the number 600
        ,-[one-swap.yaml:17:10]
     16 |   outage: {at-most: 90s}
     17 | horizon: 600
        :          ^^^
        `----
      help: add the unit: 600ms, 600s or 600m

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn bad_address() {
    insta::assert_snapshot!(broken("vip: frontend+20", "vip: frontned+20"), @r#"
      x no segment is called `frontned`
       ,-[one-swap.yaml:7:38]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontned+20, port: 443, backends: 3}
       :                                      ^^^^^^^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----
      help: did you mean `frontend`?

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("vip: frontend+20", "vip: 198.18.0.20"), @r#"
      x expected an address such as frontend+20; got `198.18.0.20`
       ,-[one-swap.yaml:7:38]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: 198.18.0.20, port: 443, backends: 3}
       :                                      ^^^^^^^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----
      help: addresses are symbolic, segment and number: each run places the segments anew

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn syntax() {
    insta::assert_snapshot!(broken("networks: frontend}", "networks: frontend"), @r#"
      x this is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
       ,-[one-swap.yaml:6:7]
     5 | topology: {vsphere: 7.0.1, networks: frontend
     6 | create:
       :       ^
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
       `----
      help: check that every { has its } and every [ its ], with commas between

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("name: one-swap", "name: \"one-swap"), @r#"
      x this is not valid YAML: invalid indentation in multiline quoted scalar
       ,-[one-swap.yaml:2:1]
     1 | name: "one-swap
     2 | system: haproxy-appliance
       : ^
     3 | from: v0.1.10
       `----
      help: close the quotation mark; if the text is meant to go on, indent its further lines

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("system: haproxy-appliance", "system haproxy-appliance"), @r#"
      x this is not valid YAML: simple key expected ':'
       ,-[one-swap.yaml:2:1]
     1 | name: one-swap
     2 | system haproxy-appliance
       : ^
     3 | from: v0.1.10
       `----
      help: a key is followed by a colon and a space

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn tabs() {
    insta::assert_snapshot!(broken("  outcome: rolled-back", "\toutcome: rolled-back"), @r#"
      x this is not valid YAML: tabs disallowed within this context (block indentation)
        ,-[one-swap.yaml:15:1]
     14 | expect:
     15 |     outcome: rolled-back
        : ^^^^
     16 |   outage: {at-most: 90s}
        `----
      help: indent with spaces: YAML does not allow tabs there

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn empty_file() {
    insta::assert_snapshot!(problems("").render(Style::Plain), @r#"
      x the scenario is empty
       ,-[one-swap.yaml:1:1]
       `----
      help: a scenario needs at least name, system, from, to, topology and create

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(problems("# nothing yet\n").render(Style::Plain), @r#"
      x the scenario is empty
       ,-[one-swap.yaml:1:1]
     1 | # nothing yet
       : ^
       `----
      help: a scenario needs at least name, system, from, to, topology and create

    1 problem in one-swap.yaml
    "#);
}

#[test]
fn aliases_tags_and_second_documents() {
    insta::assert_snapshot!(broken("horizon: 10m", "horizon: *long\nseed: !!int 7\n---\nname: other"), @r#"
      x aliases are not understood in scenarios
        ,-[one-swap.yaml:17:10]
     16 |   outage: {at-most: 90s}
     17 | horizon: *long
        :          ^^^^^
     18 | seed: !!int 7
        `----
      help: write the value out

      x tag `!!int` means nothing here
        ,-[one-swap.yaml:18:7]
     17 | horizon: *long
     18 | seed: !!int 7
        :       ^^^^^
     19 | ---
        `----
      help: leave the tag out

      x a second document begins here
        ,-[one-swap.yaml:19:1]
     18 | seed: !!int 7
     19 | ---
        : ^^^
     20 | name: other
        `----
      help: write one scenario per file

    3 problems in one-swap.yaml
    "#);
}

#[test]
fn several_at_once_in_the_order_of_position() {
    let source = "\
name: One Swap
sytem: haproxy-appliance
from: v0.1.10
to: v9
topology: {vsphere: 7.0.1, networks: both}
create:
  - load-balancer: {name: shop, vip: frontend+20, port: 99999}
rollback: sometimes
expect:
  outcome: upgraded
  outage: {at-most: 90}
  restored: yes
seed: -1
";
    let problems = problems(source);
    let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(places.len() >= 5, "{places:?}");
    insta::assert_snapshot!(problems.render(Style::Plain), @r#"
      x expected a name in kebab case, such as haproxy-appliance-swap; got `One Swap`
       ,-[one-swap.yaml:1:7]
     1 | name: One Swap
       :       ^^^^^^^^
     2 | sytem: haproxy-appliance
       `----
      help: lowercase letters and digits, words joined by hyphens

      x unknown key `sytem`
       ,-[one-swap.yaml:2:1]
     1 | name: One Swap
     2 | sytem: haproxy-appliance
       : ^^^^^
     3 | from: v0.1.10
       `----
      help: did you mean `system`?

      x unknown version `v9` of haproxy-appliance
       ,-[one-swap.yaml:4:5]
     3 | from: v0.1.10
     4 | to: v9
       :     ^^
     5 | topology: {vsphere: 7.0.1, networks: both}
       `----
      help: versions: v0.1.8, v0.1.9, v0.1.10, v0.2.0; a version of your own is {like: v0.2.0}

      x unknown network topology `both`
       ,-[one-swap.yaml:5:38]
     4 | to: v9
     5 | topology: {vsphere: 7.0.1, networks: both}
       :                                      ^^^^
     6 | create:
       `----
      help: use one of: default, frontend

      x missing key `backends`
       ,-[one-swap.yaml:7:5]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 99999}
       :     ^^^^^^^^^^^^^
     8 | rollback: sometimes
       `----
      help: a load balancer needs `backends`

      x expected a whole number from 1 to 65535; got the number 99999
       ,-[one-swap.yaml:7:57]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 99999}
       :                                                         ^^^^^
     8 | rollback: sometimes
       `----

      x unknown rollback policy `sometimes`
       ,-[one-swap.yaml:8:11]
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 99999}
     8 | rollback: sometimes
       :           ^^^^^^^^^
     9 | expect:
       `----
      help: use one of: never, on-failure, always

      x expected a duration such as 10ms, 90s, 5m; got the number 90
        ,-[one-swap.yaml:11:21]
     10 |   outcome: upgraded
     11 |   outage: {at-most: 90}
        :                     ^^
     12 |   restored: yes
        `----
      help: add the unit: 90ms, 90s or 90m

      x expected true or false; got `yes`
        ,-[one-swap.yaml:12:13]
     11 |   outage: {at-most: 90}
     12 |   restored: yes
        :             ^^^
     13 | seed: -1
        `----
      help: write `true`

      x expected a whole number from 0 to 18446744073709551615; got the number -1
        ,-[one-swap.yaml:13:7]
     12 |   restored: yes
     13 | seed: -1
        :       ^^
        `----

    10 problems in one-swap.yaml
    "#);
}

#[test]
fn problems_are_also_data() {
    let problems = problems(&SOUND.replace("from: v0", "fromm: v0").replace("port: 443", "port: 0"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&problems).unwrap(), @r#"
    [
      {
        "file": "one-swap.yaml",
        "line": 3,
        "column": 1,
        "message": "unknown key `fromm`",
        "help": "did you mean `from`?",
        "offending": "fromm"
      },
      {
        "file": "one-swap.yaml",
        "line": 7,
        "column": 57,
        "message": "expected a whole number from 1 to 65535; got the number 0",
        "help": null,
        "offending": "0"
      }
    ]
    "#);
}

#[test]
fn plain_is_ascii_without_escapes_and_fancy_is_not() {
    let problems = problems(&SOUND.replace("from: v0", "fromm: v0"));
    let plain = problems.render(Style::Plain);
    assert!(plain.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{plain}");
    assert_eq!(plain, problems.to_string());
    let fancy = problems.render(Style::Fancy);
    assert!(fancy.contains('\u{1b}') && fancy.contains('╭'), "{fancy}");
}
