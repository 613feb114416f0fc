//! The matrix as people read it on a terminal.

use std::fmt::Write as _;
use std::time::Duration;

use grenadier_clock::format_duration;
use grenadier_report::columns;

use crate::leap::{LeapLine, Rehearsal, State};
use crate::matrix::Paths;
use crate::route::RouteLine;

/// The matrix, the rules in it, the ways in several hops, what failed, and in the last line the verdict.
pub fn text(paths: &Paths) -> String {
    let mut text = format!("{}, engine {}, with {}\n\n", paths.system, paths.engine, paths.scenarios.join(" and "));
    text += &columns(&matrix(paths, "from \\ to"), &[]);
    let refused = paths.leaps.iter().any(|leap| leap.rule.is_some());
    line(&mut text, "");
    line(&mut text, "a time is how long the target was unreachable that was so longest; details: --format json");
    if refused {
        for (number, (name, doc)) in (1..).zip(&paths.rules) {
            line(&mut text, &format!("refused {number}: {name}: {doc}"));
        }
    }
    if !paths.routes.is_empty() {
        line(&mut text, "");
        line(&mut text, "in several hops, each from the state the last one left");
        let rows = paths.routes.iter().map(|route| {
            vec![
                route.versions().join(" → "),
                route.state.words().to_owned(),
                times(route),
                route.why.words().to_owned(),
            ]
        });
        text += &columns(&rows.collect::<Vec<_>>(), &[]);
    }
    for leap in paths.bad() {
        line(&mut text, "");
        line(&mut text, &format!("{}  {}", leap.state.words(), name(leap)));
        for rehearsal in leap.telling() {
            line(&mut text, &format!("    {}", rehearsal.summary));
            line(&mut text, &format!("    {}", rehearsal.replay));
        }
    }
    line(&mut text, "");
    line(&mut text, &paths.summary);
    text
}

/// The table's cells, head and first column included.
pub(crate) fn matrix(paths: &Paths, corner: &str) -> Vec<Vec<String>> {
    let ends: Vec<_> = paths.versions.iter().filter(|version| version.ends).collect();
    let head = [corner.to_owned()].into_iter().chain(ends.iter().map(|version| version.name.clone())).collect();
    let mut rows: Vec<Vec<String>> = vec![head];
    for start in paths.versions.iter().filter(|version| version.starts) {
        let cells = ends
            .iter()
            .map(|end| paths.leap(&start.name, &end.name).map_or("–".to_owned(), |leap| cell(paths, leap)));
        rows.push([start.name.clone()].into_iter().chain(cells).collect());
    }
    rows
}

/// What stands in a cell: a time where it was rehearsed, else the word for how it stands.
pub(crate) fn cell(paths: &Paths, leap: &LeapLine) -> String {
    match (leap.state, leap.outage_ns(), &leap.rule) {
        (State::Rehearsed, Some(outage), _) => length(outage),
        (State::Refused, _, Some(rule)) => {
            let number = paths.rules.keys().position(|name| name == rule).map_or(0, |at| at + 1);
            format!("refused {number}")
        }
        (state, _, _) => state.words().to_owned(),
    }
}

/// A leap in words.
pub(crate) fn name(leap: &LeapLine) -> String {
    let came = if leap.came_by.is_empty() { String::new() } else { format!(", come by {}", leap.came_by.join(", ")) };
    format!("{} → {}{came}", leap.from, leap.to)
}

/// The outage of each hop of a route.
pub(crate) fn times(route: &RouteLine) -> String {
    let hop = |hop: &LeapLine| match (hop.state, hop.outage_ns()) {
        (State::Rehearsed, Some(outage)) => length(outage),
        (state, _) => state.words().to_owned(),
    };
    route.hops.iter().map(hop).collect::<Vec<_>>().join(", ")
}

/// How a rehearsal came out, in a few words: its outages.
pub(crate) fn outages(rehearsal: &Rehearsal) -> String {
    let parts = [("", rehearsal.outage_ns), (" in the rollback", rehearsal.rollback_outage_ns)];
    let told = parts.into_iter().filter_map(|(part, outage)| outage.map(|outage| length(outage) + part));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "–".to_owned() } else { told.join(", ") }
}

/// A tenth of a second.
const TENTH_NS: u64 = 100_000_000;

/// A time to the tenth of a second, which is what people compare upgrades by.
pub(crate) fn length(ns: u64) -> String {
    format_duration(Duration::from_nanos(ns.div_ceil(TENTH_NS).saturating_mul(TENTH_NS)))
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Script, answered};

    #[test]
    fn a_matrix_has_a_time_for_what_was_rehearsed_and_the_rule_for_what_is_refused() {
        let shown = text(&answered(&Script::passing()));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "haproxy-appliance, engine hardened, with haproxy-appliance-swap");
        let words: Vec<Vec<&str>> = lines[2..7]
            .iter()
            .map(|line| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect())
            .collect();
        assert_eq!(words[0], ["from \\ to", "v0.1.8", "v0.1.9", "v0.1.10", "v0.2.0"]);
        assert_eq!(words[1], ["v0.1.8", "–", "40s", "40s", "40s"]);
        assert_eq!(words[4], ["v0.2.0", "refused 1", "refused 1", "refused 1", "–"]);
        assert!(shown.contains("\nrefused 1: target-not-newer: the target version is not greater"), "{shown}");
        assert!(
            shown.contains("\nv0.1.8 → v0.1.9 → v0.1.10 → v0.2.0  rehearsed  40s, 40s, 40s  every version in turn\n"),
            "{shown}"
        );
        assert_eq!(
            lines[lines.len() - 1],
            "passed: of 12 leaps, 6 rehearsed, 6 refused; 1 route in several hops, 1 rehearsed"
        );
    }

    #[test]
    fn what_failed_is_told_with_the_command_that_does_it_again() {
        let shown = text(&answered(&Script::passing().failing(&[(&[], 1, 3)])));
        assert!(
            shown.contains("\nFAILED  v0.1.9 → v0.2.0\n    failed: outage: too long\n    grenadier run leap.yaml\n"),
            "{shown}"
        );
        let round = shown.lines().find(|line| line.starts_with("v0.1.9 → v0.1.10 → v0.2.0 ")).unwrap();
        assert!(round.contains("  rehearsed  40s, 40s  ") && round.ends_with("  the way round"), "{round}");
        assert!(
            shown.ends_with(
                "failed: of 12 leaps, 5 rehearsed, 6 refused, 1 failed; 2 routes in several hops, 2 rehearsed\n"
            ),
            "{shown}"
        );
    }

    #[test]
    fn times_are_rounded_up_to_tenths() {
        assert_eq!(
            (length(0), length(1), length(34_100_000_000), length(34_100_000_001)),
            ("0s".into(), "100ms".into(), "34.1s".into(), "34.2s".into())
        );
    }
}
