//! Keys and types that are not as the document has them.

use crate::broken;

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
      help: the keys of a load balancer are name, vip, port, backends, cluster, by-hand

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
fn bad_labels() {
    insta::assert_snapshot!(broken("system: ", "labels: [base, Nightly, base]\nsystem: "), @r#"
      x expected a label in kebab case, such as base; got `Nightly`
       ,-[one-swap.yaml:2:16]
     1 | name: one-swap
     2 | labels: [base, Nightly, base]
       :                ^^^^^^^
     3 | system: haproxy-appliance
       `----
      help: lowercase letters and digits, words joined by hyphens

    1 problem in one-swap.yaml
    "#);
    insta::assert_snapshot!(broken("system: ", "labels: [base, nightly, base]\nsystem: "), @r#"
      x label `base` is listed twice
       ,-[one-swap.yaml:2:25]
     1 | name: one-swap
     2 | labels: [base, nightly, base]
       :                         ^^^^
     3 | system: haproxy-appliance
       `----
      help: keep one

    1 problem in one-swap.yaml
    "#);
}
