//! The matrix for a page or a comment.

use grenadier_report::MarkdownTable;

use crate::leap::LeapLine;
use crate::matrix::Paths;
use crate::text::{matrix, name, outages, times};

/// The matrix, the rules, the ways in several hops, and every rehearsal.
pub fn markdown(paths: &Paths) -> String {
    let mut text = format!("## Upgrade paths of {}\n\n{}\n\n", paths.system, paths.summary);
    text += &format!("Engine {}, with {}.\n\n", paths.engine, paths.scenarios.join(" and "));
    let rows = matrix(paths, "from \\ to");
    if let Some((head, rows)) = rows.split_first() {
        let mut table = MarkdownTable::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
        rows.iter().for_each(|row| table.row(row));
        text += table.text();
    }
    text += "\nA time is how long the target was unreachable that was so longest.\n";
    for (number, (rule, doc)) in (1..).zip(&paths.rules) {
        text += &format!("- refused {number}: `{rule}`, {doc}\n");
    }
    if !paths.routes.is_empty() {
        text += "\n### In several hops\n\nEach hop begins with the state that the last one left.\n\n";
        let mut table = MarkdownTable::new(&["route", "", "outage of each hop", "why"]);
        for route in &paths.routes {
            let state = route.state.words().to_owned();
            table.row(&[route.versions().join(" → "), state, times(route), route.why.words().to_owned()]);
        }
        text += table.text();
    }
    text += "\n### Rehearsals\n\n";
    let mut table = MarkdownTable::new(&["leap", "", "scenario", "world", "outage", "in one line"]);
    let mut any = false;
    for (leap, rehearsal) in leaps(paths).into_iter().flat_map(|leap| leap.rehearsals.iter().map(move |it| (leap, it)))
    {
        any = true;
        let (state, outage) = (rehearsal.state.words().to_owned(), outages(rehearsal));
        let (scenario, world) = (rehearsal.scenario.clone(), rehearsal.world.clone());
        table.row(&[name(leap), state, scenario, world, outage, rehearsal.summary.clone()]);
    }
    text + if any { table.text() } else { "None.\n" }
}

/// Every leap that something is known of, hops of routes among them, each once.
pub(crate) fn leaps(paths: &Paths) -> Vec<&LeapLine> {
    let mut all: Vec<&LeapLine> = Vec::new();
    for leap in paths.leaps.iter().chain(paths.routes.iter().flat_map(|route| &route.hops)) {
        if !leap.rehearsals.is_empty() && !all.contains(&leap) {
            all.push(leap);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Script, answered};

    #[test]
    fn every_rehearsal_is_a_row_and_hops_are_among_them_once() {
        let text = markdown(&answered(&Script::passing()));
        let rows: Vec<&str> =
            text.split("### Rehearsals").nth(1).unwrap().lines().filter(|line| line.starts_with("| v0")).collect();
        // Twelve leaps, and two hops whose appliance came by others.
        assert_eq!(rows.len(), 14, "{text}");
        assert_eq!(rows.iter().filter(|row| row.contains("come by v0.1.8, v0.1.9")).count(), 1);
        assert!(text.contains("| v0.1.8 | – | 40s | 40s | 40s |"), "{text}");
    }

    #[test]
    fn what_nobody_rehearsed_is_said() {
        let text = markdown(&answered(&Script::default()));
        assert!(text.ends_with("### Rehearsals\n\nNone.\n"), "{text}");
        assert!(text.contains("| v0.1.8 | – | not rehearsed | not rehearsed | not rehearsed |"), "{text}");
    }
}
