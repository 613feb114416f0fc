//! The matrix on one page, for people.

use std::path::Path;

use grenadier_checks::Word;
use grenadier_report::Tone;
use grenadier_report::html::{Page, Section, badge, command, scroller};
use maud::{Markup, html as markup};

use crate::leap::{LeapLine, Rehearsal, State};
use crate::markdown::leaps;
use crate::matrix::Paths;
use crate::text::{cell, name, outages, times};

/// The page of a matrix, as one file. `folder` is where it will be: what has a report of its own below it is linked to.
pub fn html(paths: &Paths, folder: Option<&Path>) -> String {
    let mut sections = vec![Section { id: "matrix", title: "Every leap", body: matrix(paths) }];
    if !paths.routes.is_empty() {
        sections.push(Section { id: "routes", title: "In several hops", body: routes(paths) });
    }
    sections.push(Section { id: "rehearsals", title: "Rehearsals", body: rehearsals(paths, folder) });
    let (tone, word) = verdict(paths);
    let page = Page {
        title: format!("Upgrade paths of {}, {}", paths.system, word.to_lowercase()),
        what: "Upgrade paths",
        tone,
        first: first_screen(paths),
        sections,
        data: None,
    };
    page.render()
}

fn verdict(paths: &Paths) -> (Tone, &'static str) {
    match paths.verdict {
        Word::Passed => (Tone::Good, "Passed"),
        Word::Failed => (Tone::Bad, "Failed"),
        Word::Unfit => (Tone::Notice, "Unfit"),
        Word::Interrupted => (Tone::Notice, "Interrupted"),
    }
}

fn tone(state: State) -> Tone {
    match state {
        State::Rehearsed => Tone::Good,
        State::Failed => Tone::Bad,
        State::Unfit => Tone::Notice,
        State::Refused | State::NotRehearsed => Tone::Quiet,
    }
}

fn first_screen(paths: &Paths) -> Markup {
    let (tone, word) = verdict(paths);
    let said = paths.summary.split_once(": ").map_or(paths.summary.as_str(), |(_, said)| said);
    let count = |state: State| paths.leaps.iter().filter(|leap| leap.state == state).count();
    markup! {
        p.verdict { (badge(tone, word)) }
        h1 { (paths.system) }
        p.about {
            "engine " (paths.engine)
            @for scenario in &paths.scenarios { span.dot { "·" } (scenario) }
        }
        p.why { (capital_first(said)) "." }
        dl.figures {
            @for state in [State::Rehearsed, State::Refused, State::Failed, State::NotRehearsed] {
                div { dt { (capital(state.words())) } dd { (count(state)) } }
            }
        }
        @if let Some(first) = paths.bad().into_iter().flat_map(|leap| leap.telling()).next() {
            dl.facts { div.wide { dt { "Do the first again" } dd { (command(&first.replay)) } } }
        }
    }
}

fn capital(words: &str) -> String {
    capital_first(&words.to_lowercase())
}

fn capital_first(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn matrix(paths: &Paths) -> Markup {
    let ends: Vec<_> = paths.versions.iter().filter(|version| version.ends).collect();
    let table = markup! {
        table.matrix {
            thead { tr { th scope="col" { "From" } @for end in &ends { th scope="col" { "to " (end.name) } } } }
            tbody {
                @for start in paths.versions.iter().filter(|version| version.starts) {
                    tr {
                        th scope="row" { (start.name) }
                        @for end in &ends {
                            td {
                                @match paths.leap(&start.name, &end.name) {
                                    None => span.quiet { "–" },
                                    Some(leap) => (badge(tone(leap.state), &cell(paths, leap))),
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    markup! {
        (scroller("Every leap between two versions", &table))
        p.doc { "A time is how long the target was unreachable that was so longest." }
        @if !paths.rules.is_empty() {
            ol { @for (rule, doc) in &paths.rules { li { code { (rule) } ": " (doc) } } }
        }
    }
}

fn routes(paths: &Paths) -> Markup {
    markup! {
        p.doc { "Each hop begins with the state that the last one left." }
        table.stack {
            thead { tr { th scope="col" { "Route" } th scope="col" { "" } th scope="col" { "Outage of each hop" } th scope="col" { "Why" } } }
            tbody {
                @for route in &paths.routes {
                    tr {
                        th scope="row" { (route.versions().join(" → ")) }
                        td { (badge(tone(route.state), route.state.words())) }
                        td { (times(route)) }
                        td { (route.why.words()) }
                    }
                }
            }
        }
    }
}

fn rehearsals(paths: &Paths, folder: Option<&Path>) -> Markup {
    let leaps = leaps(paths);
    if leaps.is_empty() {
        return markup! {
            p.empty { "Nothing was rehearsed." }
            p { (command(&format!("grenadier paths {} --run", paths.system))) }
        };
    }
    markup! {
        table.stack {
            thead {
                tr {
                    th scope="col" { "Leap" } th scope="col" { "" } th scope="col" { "World" } th scope="col" { "Outage" }
                    th scope="col" { "Scenario" }
                }
            }
            tbody {
                @for leap in leaps { @for rehearsal in &leap.rehearsals { (row(leap, rehearsal, folder)) } }
            }
        }
    }
}

fn row(leap: &LeapLine, rehearsal: &Rehearsal, folder: Option<&Path>) -> Markup {
    let report = rehearsal.folder.as_deref().zip(folder).and_then(|(run, folder)| {
        let below = Path::new(run).strip_prefix(folder).ok()?;
        Some(format!("{}/report.html", below.display()))
    });
    markup! {
        tr {
            th scope="row" { (name(leap)) }
            td { (badge(tone(rehearsal.state), rehearsal.state.words())) }
            td { (rehearsal.world) }
            td { (outages(rehearsal)) }
            td {
                @match &report { Some(report) => a href=(report) { (rehearsal.scenario) }, None => (rehearsal.scenario) }
                @if matches!(rehearsal.state, State::Failed | State::Unfit) { p.doc { (rehearsal.summary) } (command(&rehearsal.replay)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Script, answered};

    #[test]
    fn a_cell_says_how_the_leap_stands_and_a_failure_how_to_see_it() {
        let page = html(&answered(&Script::passing().failing(&[(&[], 1, 3)])), None);
        let row = page.split_once("scope=\"row\">v0.1.9</th>").unwrap().1.split_once("</tr>").unwrap().0;
        let words: Vec<&str> =
            row.split(['<', '>']).filter(|word| ["refused 1", "–", "40s", "FAILED"].contains(word)).collect();
        assert_eq!(words, ["refused 1", "–", "40s", "FAILED"], "{row}");
        assert!(page.contains("failed: outage: too long") && page.contains("grenadier run leap.yaml"), "{page}");
    }

    #[test]
    fn a_rehearsal_below_the_page_is_linked_to() {
        let paths = answered(&Script::passing());
        assert!(html(&paths, Some(Path::new("out"))).contains("href=\"rows/leap/report.html\""));
        assert!(!html(&paths, Some(Path::new("elsewhere"))).contains("href=\"rows"));
    }

    #[test]
    fn without_rehearsals_the_page_says_how_to_get_some() {
        let page = html(&answered(&Script::default()), None);
        assert!(page.contains("Nothing was rehearsed.") && page.contains("grenadier paths haproxy-appliance --run"));
    }
}
