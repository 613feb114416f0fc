//! Documents of the right shape that cannot be meant.

use grenadier_scenario::parse;

use crate::{SOUND, broken};

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
      help: use one of: refuse, unavailable, throttle, unauthorised, hang, error-after, lost-reply, hang-after, truncate,
            slow, stale-read, task-fails, task-stuck, crash-before, crash-after, crash-journaled, machine-crash, boot-
            fails, no-address, disk-full, slow-start, pause, partition, delay, loss

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
fn ranges_and_backends_that_no_run_has_room_for() {
    insta::assert_snapshot!(broken("networks: frontend}", "networks: frontend, service-ranges: [frontend+0/27, frontend+256/23, workload+16/28]}"), @r#"
      x range frontend+0/27 includes addresses of gateways
       ,-[one-swap.yaml:5:65]
     4 | to: v0.2.0
     5 | topology: {vsphere: 7.0.1, networks: frontend, service-ranges: [frontend+0/27, frontend+256/23, workload+16/28]}
       :                                                                 ^^^^^^^^^^^^^
     6 | create:
       `----
      help: service ranges begin at +16 or later

      x a /23 range cannot begin at +256
       ,-[one-swap.yaml:5:80]
     4 | to: v0.2.0
     5 | topology: {vsphere: 7.0.1, networks: frontend, service-ranges: [frontend+0/27, frontend+256/23, workload+16/28]}
       :                                                                                ^^^^^^^^^^^^^^^
     6 | create:
       `----
      help: ranges begin at a multiple of their size, here 512

      x range workload+16/28 is not on the load-balancing network
       ,-[one-swap.yaml:5:97]
     4 | to: v0.2.0
     5 | topology: {vsphere: 7.0.1, networks: frontend, service-ranges: [frontend+0/27, frontend+256/23, workload+16/28]}
       :                                                                                                 ^^^^^^^^^^^^^^
     6 | create:
       `----
      help: with networks `frontend` that is frontend: frontend+16/28

    3 problems in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("networks: frontend}", "networks: frontend, service-ranges: [frontend+16/28, frontend+24/29]}"), @r#"
      x service ranges frontend+16/28 and frontend+24/29 overlap
       ,-[one-swap.yaml:5:81]
     4 | to: v0.2.0
     5 | topology: {vsphere: 7.0.1, networks: frontend, service-ranges: [frontend+16/28, frontend+24/29]}
       :                                                                 ^^^^^^^|^^^^^^  ^^^^^^^^^^^^^^
       :                                                                        `-- the other range
     6 | create:
       `----
      help: leave one out, or make it smaller

    1 problem in one-swap.yaml
    "#);
    let many: String = (0..40)
        .map(|port| {
            format!("  - load-balancer: {{name: lb-{port}, vip: frontend+22, port: {}, backends: 32}}\n", port + 1)
        })
        .collect();
    insta::assert_snapshot!(broken("workload:", &format!("{many}workload:")), @r#"
      x there are 1285 backends in all
       ,-[one-swap.yaml:7:3]
     6 | create:
     7 |   - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
       :   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     8 |   - load-balancer: {name: api, vip: frontend+21, port: 6443, backends: 2, cluster: tenant-1}
       `----
      help: a run has room for 1024: give the load balancers fewer

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
