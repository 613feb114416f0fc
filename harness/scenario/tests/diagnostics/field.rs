//! Field failures that do not say how procedures end, and procedures that a scenario cannot be run with.

use grenadier_catalog::{Check, Outcome};
use grenadier_scenario::{ProcedureError, Style, parse};

use crate::problems;

const FIELD: &str = "\
name: one-field-failure
system: haproxy-appliance
from: v0.1.10
to: v0.2.0
topology: {vsphere: 7.0.1, networks: frontend}
given:
  - service-range: frontend+48/28
create:
  - load-balancer: {name: shop, vip: frontend+50, port: 443, backends: 3}
events:
  - reboot: {machine: new-appliance, after: read-appliance}
expect:
  outage: {at-most: 90s}
field:
  source: {issue: 'vmware-haproxy #36'}
  ends:
    hardened: {outcome: upgraded}
    documented: {outcome: rolled-back, restored: true, caught-by: [outage]}
";

fn broken(from: &str, to: &str) -> String {
    assert!(FIELD.contains(from), "`{from}` is not in the scenario");
    problems(&FIELD.replacen(from, to, 1)).render(Style::Plain)
}

#[test]
fn a_run_is_judged_by_the_end_of_its_procedure() {
    let own = parse(&FIELD.replace("read-appliance", "deploy-new"), "field.yaml").unwrap();
    assert_eq!((own.expect.outcome, own.expect.restored), (Outcome::Upgraded, None));
    let other = own.with_procedure("documented").unwrap();
    assert_eq!((other.expect.outcome, other.expect.restored), (Outcome::RolledBack, Some(true)));
    assert_eq!((&other.expect.caught_by, other.expect.outage), (&vec![Check::Outage], own.expect.outage));
    assert_eq!(other.engine.in_place_of.as_deref(), Some("hardened"));
    assert_eq!(other.with_procedure("hardened").unwrap(), own, "back again is the scenario as it was");
}

#[test]
fn a_procedure_must_be_there_and_have_the_steps_that_are_named() {
    let scenario = parse(FIELD, "field.yaml").unwrap();
    let error = scenario.with_procedure("dokumented").unwrap_err();
    assert_eq!(error.to_string(), "haproxy-appliance has no procedure `dokumented`");
    assert_eq!(error.hint(), "did you mean `documented`?");
    let error = scenario.with_procedure("documented").unwrap_err();
    assert!(matches!(&error, ProcedureError::Step { step, .. } if step == "read-appliance"), "{error:?}");
    assert!(error.hint().starts_with("its steps are check-prerequisites, "), "{}", error.hint());
}

#[test]
fn every_procedure_has_its_end_and_one_is_caught() {
    for (from, to, message, help) in [
        (
            "    hardened: {outcome: upgraded}\n",
            "",
            "how procedure `hardened` ends is not said",
            "add `hardened` to `ends`, with the outcome it ends with",
        ),
        ("    documented:", "    documentd:", "unknown procedure `documentd`", "did you mean `documented`?"),
        (
            "{outcome: rolled-back, restored: true, caught-by: [outage]}",
            "{outcome: upgraded}",
            "every procedure survives this, so it is no failure",
            "name in `caught-by` the checks",
        ),
        (
            "{issue: 'vmware-haproxy #36'}",
            "{}",
            "a field failure was reported somewhere",
            "name an `issue`, a `document` or both",
        ),
        (
            "hardened: {outcome: upgraded}",
            "hardened: {outcome: upgraded, refused-by: target-not-newer}",
            "outcome `upgraded` is not refused by anything",
            "`refused-by` goes with `outcome: refused`",
        ),
        (
            "outcome: rolled-back, restored",
            "outcome: rolled-back, instead-of: upgraded, restored",
            "nothing would catch that it ends otherwise",
            "add `outcome` to `caught-by`",
        ),
        (
            "  outage: {at-most: 90s}",
            "  outcome: refused",
            "`expect` and `field` say different things of `outcome` for hardened",
            "leave it to `field.ends`",
        ),
        (
            "service-range: frontend+48/28",
            "service-range: frontend+16/29",
            "service ranges frontend+16/28 and frontend+16/29 overlap",
            "name a range that the appliance was not deployed with",
        ),
    ] {
        let text = broken(from, to);
        assert!(text.contains(message), "{message}\n{text}");
        assert!(text.contains(help), "{help}\n{text}");
        assert!(text.contains("one-swap.yaml:"), "{text}");
    }
}

#[test]
fn a_range_is_bound_by_hand_only_where_there_is_one() {
    let text = broken("reboot: {machine: new-appliance,", "bind-range: {range: frontend+96/28,");
    assert!(text.contains("there is no service range frontend+96/28"), "{text}");
    assert!(text.contains("or one that is added in `given`"), "{text}");
}
