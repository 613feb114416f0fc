//! Failures that somebody really had: each procedure comes out of each as the scenario says, and `documented` comes out well where
//! what makes the failure is taken away.

use std::process::ExitCode;

use grenadier_catalog::{Named, Outcome, Residual};
use grenadier_checks::Word;
use grenadier_scenario::{Rollback, Scenario, embedded, parse};
use grenadier_tests::{Golden, run, scenario, summary, variant};
use libtest_mimic::{Arguments, Failed, Trial};

/// What makes each failure, and the same scenario without it.
const MECHANISMS: &[(&str, &[(&str, &str)])] = &[
    (
        "haproxy-appliance-certificates-regenerated",
        &[("to: v0.1.9", "to: {like: v0.1.9, with: {regenerates-certificates: false}}")],
    ),
    (
        "haproxy-appliance-customisation-lost",
        &[(
            "  - transaction: {cluster: supervisor, after: verify-services, committed-after: reapply-customisations}\n",
            "  []\n",
        )],
    ),
    ("haproxy-appliance-duplicated-route-rules", &[("  - route-rule-duplicated: frontend\n", "  []\n")]),
    ("haproxy-appliance-late-routes", &[("  - api-stopped: 500s\n", "  []\n")]),
    ("haproxy-appliance-link-scoped-routes", &[("  - link-route-left: frontend\n", "  []\n")]),
    (
        "haproxy-appliance-range-missing-from-anyip",
        &[("  - service-range: frontend+48/28\n", "  []\n"), ("vip: frontend+50", "vip: frontend+25")],
    ),
    ("haproxy-appliance-reboot-after-upgrade", &[("  - reboot: {machine: new-appliance, after: verify-routes}\n", "")]),
    (
        "haproxy-appliance-transaction-left-open",
        &[("  - transaction: {cluster: tenant-1, after: verify-services}\n", "  []\n")],
    ),
    ("haproxy-appliance-two-engines", &[("  - second-engine: {after: check-prerequisites}\n", "  []\n")]),
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    let mut found = 0;
    for file in embedded() {
        let Some(field) = parse(file.source, file.path).ok().and_then(|scenario| scenario.field) else { continue };
        found += 1;
        for procedure in field.ends.into_keys() {
            trials.push(Trial::test(format!("{}: {procedure}", file.name), move || ends(file.name, &procedure)));
        }
        let name = file.name;
        trials.push(Trial::test(format!("{name}: documented, without what makes it"), move || survives(name)));
    }
    trials.push(Trial::test("every_field_failure_has_its_mechanism_named", move || {
        if found == MECHANISMS.len() { Ok(()) } else { Err(format!("{found} scenarios, {}", MECHANISMS.len()).into()) }
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The run passes: it ends as `ends` says, and exactly the checks named there fail.
fn ends(name: &str, procedure: &str) -> Result<(), Failed> {
    let declared = scenario(name);
    let judged = declared.with_procedure(procedure).map_err(|error| error.to_string())?;
    let end = &declared.field.as_ref().expect("it is a field failure").ends[procedure];
    assert_eq!(judged.expect.caught_by, end.caught_by);
    let verdict = run(&judged).verdict;
    let claimed = verdict.engine.first().and_then(|line| line.outcome);
    if claimed != Some(end.outcome) {
        return Err(format!("{name} with {procedure} is to end {}:\n{}", end.outcome.name(), summary(&verdict)).into());
    }
    let text = summary(&verdict);
    if verdict.verdict != Word::Passed {
        return Err(format!("{name} with {procedure} did not come out as declared:\n{text}").into());
    }
    // What the scenario's own procedure comes to is kept with the other scenarios.
    match procedure == declared.engine.procedure {
        true => Ok(()),
        false => Ok(Golden::named(&format!("{name}.{procedure}.txt")).check(&text)?),
    }
}

/// Without what makes the failure, the document leads to a good end.
fn survives(name: &str) -> Result<(), Failed> {
    let (_, edits) = MECHANISMS.iter().find(|(known, _)| *known == name).ok_or("its mechanism is not named")?;
    let mut harmless: Scenario =
        variant(name, edits).with_procedure("documented").map_err(|error| error.to_string())?;
    let taken_back = harmless.rollback == Rollback::Always;
    harmless.expect.outcome = Outcome::Upgraded;
    harmless.expect.caught_by = Vec::new();
    harmless.expect.restored = taken_back.then_some(true);
    harmless.expect.residuals =
        vec![if taken_back { Residual::NewAppliancePoweredOff } else { Residual::OldAppliancePoweredOff }];
    let verdict = run(&harmless).verdict;
    match verdict.verdict {
        Word::Passed => Ok(()),
        _ => Err(summary(&verdict).into()),
    }
}
