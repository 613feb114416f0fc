//! A comparison as people read it.

use std::fmt::Write as _;

use grenadier_events::CheckStatus;
use grenadier_probe::{Length, Part};
use grenadier_report::columns;

use crate::{Both, Comparison, shown};

/// A line for each thing that was compared, differences marked, and in the last line whether the worlds agree.
pub fn text(comparison: &Comparison) -> String {
    let mut rows = vec![row("", "", "virtual", "docker")];
    let Both { r#virtual, docker } = &comparison.verdict;
    rows.push(row(mark(r#virtual == docker), "verdict", r#virtual.name(), docker.name()));
    let outcome = |claimed: &Option<String>| claimed.clone().unwrap_or_else(|| "nothing".to_owned());
    let Both { r#virtual, docker } = &comparison.outcome;
    let same = r#virtual == docker;
    rows.push(row(mark(same), "the engine claims", &outcome(r#virtual), &outcome(docker)));
    for check in &comparison.checks {
        let Both { r#virtual, docker } = check.status;
        rows.push(row(mark(check.agrees), &check.check, status(r#virtual), status(docker)));
    }
    let calls = |count: usize| format!("{count} in order");
    let Both { r#virtual, docker } = &comparison.calls;
    let same = comparison.first_difference.is_none();
    rows.push(row(mark(same), "changing calls", &calls(*r#virtual), &calls(*docker)));
    for outage in &comparison.outages {
        let part = if outage.part == Part::Rollback { ", rollback" } else { "" };
        let name = format!("outage of {}{part}", outage.target);
        rows.push(row("", &name, &shown(outage.length.r#virtual), &shown(outage.length.docker)));
    }
    let took = |ns: Option<u64>| shown(ns.map(Length::exact));
    rows.push(row("", "the upgrade took", &took(comparison.upgrade_ns.r#virtual), &took(comparison.upgrade_ns.docker)));

    let mut text = columns(&rows, &[]);
    for check in comparison.checks.iter().filter(|check| !check.agrees) {
        line(&mut text, "");
        line(&mut text, &check.check);
        line(&mut text, &format!("    virtual  {}", check.message.r#virtual));
        line(&mut text, &format!("    docker   {}", check.message.docker));
    }
    if let Some(difference) = &comparison.first_difference {
        let told = |call: &Option<String>| call.clone().unwrap_or_else(|| "no more".to_owned());
        line(&mut text, "");
        line(&mut text, &format!("changing call {}", difference.place));
        line(&mut text, &format!("    virtual  {}", told(&difference.call.r#virtual)));
        line(&mut text, &format!("    docker   {}", told(&difference.call.docker)));
    }
    line(&mut text, "");
    line(&mut text, &verdict(comparison));
    text
}

/// Whether the worlds agree, in one line.
pub fn verdict(comparison: &Comparison) -> String {
    let end = match (comparison.exit_code, comparison.agrees) {
        (3, _) => "a world was not fit to tell",
        (4, _) => "interrupted",
        (_, true) => "the worlds agree",
        (_, false) => "THE WORLDS DIFFER",
    };
    format!("{end}  {}", comparison.scenario)
}

fn row(mark: &str, what: &str, simulated: &str, real: &str) -> [String; 4] {
    [mark, what, simulated, real].map(str::to_owned)
}

const fn mark(agrees: bool) -> &'static str {
    if agrees { "same" } else { "DIFFERS" }
}

const fn status(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "FAIL",
        CheckStatus::NotCovered => "not covered",
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
}
