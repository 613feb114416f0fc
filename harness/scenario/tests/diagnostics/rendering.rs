//! The form in which problems are shown.

use grenadier_scenario::Style;

use crate::{SOUND, problems};

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
