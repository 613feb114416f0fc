//! Files that are not YAML, or more of it than a scenario needs.

use grenadier_scenario::Style;

use crate::{broken, problems};

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
