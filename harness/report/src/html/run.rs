//! The report of one run.

use grenadier_checks::{Verdict, Word};
use grenadier_clock::format_duration;
use grenadier_events::Event;
use grenadier_fidelity::Declared;
use maud::{Markup, html};

use super::{Page, Section, checks, data, first_screen, ladder, uncovered};
use crate::timeline::Timeline;
use crate::tone::verdict_word;

/// The report of a run, as one file. `declared` are the behaviours the simulators know of, to say what the verdict's
/// assumptions are.
pub fn report(events: &[Event], verdict: &Verdict, declared: &[Declared]) -> String {
    let timeline = Timeline::of(events, verdict.ended_ns);
    let section = |id, title, body| Section { id, title, body };
    let mut sections = vec![
        section("timeline", "Timeline", drawn(&timeline)),
        section("events", "Events", listed(events.len())),
        section("rollback", "Rollback", ladder::compared(verdict)),
        section("checks", "Checks", checks::made(verdict)),
        section("engine", "Engine", checks::said(verdict)),
        section("assumptions", "Assumptions", uncovered::assumed(verdict, declared)),
        section("not-covered", "Not covered", uncovered::gaps(verdict)),
    ];
    if verdict.verdict == Word::Unfit {
        // What could not be looked at is what such a verdict is about.
        sections.rotate_right(1);
    }
    let page = Page {
        title: format!("{} {}", verdict.run.scenario, verdict.verdict.name()),
        what: "Run",
        tone: verdict_word(verdict.verdict).0,
        first: first_screen::of(verdict),
        sections,
        data: Some(data::json(&timeline, events)),
    };
    page.render()
}

fn drawn(timeline: &Timeline) -> Markup {
    if timeline.groups.is_empty() {
        return html! { p.empty { "Nothing happened that could be drawn." } };
    }
    html! {
        noscript { p.empty { "A script draws the timeline, and this browser runs none. " code { "trace.json" }
            " beside this file opens in Perfetto." } }
        div.needs-script {
            div.tools role="toolbar" aria-label="Timeline" {
                span.set {
                    button type="button" data-zoom="in" aria-label="Zoom in" { "+" }
                    button type="button" data-zoom="out" aria-label="Zoom out" { "−" }
                }
                span.set {
                    button type="button" data-view="first" { "Upgrade and rollback" }
                    button type="button" data-view="all" { "Whole run" }
                }
                span.set #groups role="group" aria-label="Lanes shown" {}
            }
            div #lanes-frame {
                canvas #lanes tabindex="0" role="application" aria-roledescription="timeline"
                    aria-label={ "The run on one time axis, " (format_duration(timeline.end_ns.since(grenadier_clock::Time::ZERO))) " long" }
                    aria-describedby="lanes-keys" {}
                div #tip hidden {}
            }
            p.keys #lanes-keys {
                kbd { "←" } kbd { "→" } " next on a lane, " kbd { "↑" } kbd { "↓" } " next lane, "
                kbd { "+" } kbd { "−" } " or " kbd { "Ctrl" } " wheel zoom, " kbd { "Shift" } " with arrows or dragging moves, "
                kbd { "Enter" } " fills the view, " kbd { "0" } " shows the whole run."
            }
            div.chosen #chosen-item aria-live="polite" {}
        }
    }
}

fn listed(count: usize) -> Markup {
    html! {
        noscript { p.empty { "A script lists the " (count) " events, and this browser runs none. They are in "
            code { "events.jsonl" } " beside this file." } }
        div.needs-script {
            form.tools #event-filter role="search" aria-label="Events" {
                label.grow { span { "Contains" } input #event-words type="search" autocomplete="off" spellcheck="false"; }
                label { span { "Kind" } select #event-kind { option value="" { "all kinds" } } }
                label { span { "Actor" } select #event-actor { option value="" { "all actors" } } }
                label.check { input #event-view type="checkbox"; span { "only what the timeline shows" } }
            }
            p.count #event-count role="status" {}
            div.events #event-table role="table" aria-label="Events" {
                div.event-head role="row" {
                    @for (column, title) in
                        [("time", "Time, s"), ("actor", "Actor"), ("kind", "Kind"), ("subject", "About"), ("text", "What happened")]
                    {
                        span class={ "cell " (column) } role="columnheader" {
                            button type="button" data-sort=(column) { (title) }
                        }
                    }
                }
                div.event-rows #event-rows role="rowgroup" tabindex="0" aria-label="Events, arrow keys choose one" {
                    div #event-space role="presentation" {}
                }
            }
            div.chosen #chosen-event aria-live="polite" {}
        }
    }
}
