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

#[cfg(test)]
mod tests {
    use grenadier_clock::Time;
    use grenadier_events::{Actor, EventLog, Kind};
    use serde_json::Value;

    use super::*;
    use crate::testing;

    /// What a hostile machine, engine or scenario may say.
    const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \" ' & <!-- ]]> \r\n\u{2028} \u{1b}[31m \
                           </title></style>";

    fn hostile() -> (Vec<Event>, Verdict) {
        let mut verdict = testing::failed();
        verdict.summary = HOSTILE.to_owned();
        verdict.reasons = vec![HOSTILE.to_owned(); 2];
        verdict.run.scenario = HOSTILE.to_owned();
        verdict.run.replay = HOSTILE.to_owned();
        verdict.assumptions = vec![HOSTILE.to_owned()];
        verdict.not_injectable = vec![HOSTILE.to_owned()];
        verdict.engine[0].message = HOSTILE.to_owned();
        for target in &mut verdict.targets {
            target.target = HOSTILE.to_owned();
            target.outages.iter_mut().for_each(|outage| outage.reason = HOSTILE.to_owned());
        }
        for check in &mut verdict.checks {
            check.result.message = HOSTILE.to_owned();
            check.result.evidence = vec![HOSTILE.to_owned(); 2];
            for rung in check.result.ladder.iter_mut().flat_map(|ladder| &mut ladder.rungs) {
                rung.message = HOSTILE.to_owned();
                rung.problems = vec![HOSTILE.to_owned()];
            }
        }
        let log = EventLog::default();
        log.emit(Time::from_ns(1), Actor::World, Kind::PhaseStarted { phase: HOSTILE.into() });
        let line = HOSTILE.to_owned();
        log.emit(Time::from_ns(2), Actor::World, Kind::GuestLog { machine: line.clone(), service: line.clone(), line });
        (log.events(), verdict)
    }

    fn data(page: &str) -> Value {
        let (_, data) = page.split_once("<script id=\"data\" type=\"application/json\">").unwrap();
        serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn what_a_run_says_is_text_and_never_markup() {
        let (events, verdict) = hostile();
        let page = report(&events, &verdict, &[]);
        assert_eq!(page.matches("<script").count(), 2, "the data and the script of the page");
        assert_eq!(page.matches("</script").count(), 2);
        assert_eq!((page.matches("</title").count(), page.matches("</style").count()), (1, 1));
        assert!(!page.contains("<img") && !page.contains("<!--") && !page.contains('\u{1b}'));
        let said = data(&page)["events"][1][4].as_str().unwrap().to_owned();
        assert!(said.contains("<img src=x onerror=alert(2)> \" ' & <!-- ]]> "), "nothing is lost either: {said}");
    }

    #[test]
    fn a_run_of_which_nothing_is_known_has_a_page() {
        let page = report(&[], &testing::bare(&[]), &[]);
        assert!(page.contains("Nothing happened that could be drawn."));
        assert!(page.contains("The engine was never called."));
        assert_eq!(data(&page)["events"].as_array().unwrap().len(), 0);
    }

    #[test]
    fn a_run_that_ended_in_an_error_says_so_first() {
        let events = testing::log(&[
            (0, r#"{"kind":"phase-started","phase":"base"}"#),
            (9, r#"{"kind":"phase-finished","phase":"base","status":"failed","message":"the image is missing"}"#),
        ]);
        let page = report(&events, &testing::bare(&events), &[]);
        let first = page.split_once("</header>").unwrap().0;
        assert!(first.contains("Unfit") && first.contains("phase base failed: the image is missing"), "{first}");
        let place = |id: &str| page.find(&format!("<section id=\"{id}\"")).unwrap();
        assert!(place("not-covered") < place("timeline"));
    }

    #[test]
    fn without_scripts_the_first_screen_and_the_checks_are_there() {
        let verdict = testing::failed();
        let page = report(&testing::events(), &verdict, &[]);
        let text = page.split_once("<script id=").unwrap().0;
        for said in ["Failed", "39.76s", "power-off-old", "undo power-on-new", "machine haproxy is off", "40s allowed"]
        {
            assert!(text.contains(said), "{said}");
        }
        assert!(text.contains("grenadier run haproxy-appliance-swap --seed 1"));
        for check in &verdict.checks {
            assert!(text.contains(&format!("<h3>{}</h3>", check.result.check)), "{}", check.result.check);
        }
        assert!(text.contains("snapshot haproxy/before-upgrade"), "evidence");
        assert!(text.contains("anyip-answers-garp"), "assumptions");
    }

    #[test]
    fn every_event_and_every_item_of_the_timeline_is_in_the_data() {
        let events = testing::events();
        let data = data(&report(&events, &testing::passed(), &[]));
        assert_eq!(data["events"].as_array().unwrap().len(), events.len());
        let lanes =
            data["timeline"]["groups"].as_array().unwrap().iter().flat_map(|group| group["lanes"].as_array().unwrap());
        let items: Vec<&Value> = lanes.flat_map(|lane| lane["items"].as_array().unwrap()).collect();
        assert!(items.len() > 30);
        assert!(items.iter().all(|item| item[4].as_u64().unwrap() < events.len() as u64), "its event is in the table");
    }
}
