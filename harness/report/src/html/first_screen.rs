//! What everybody sees first: verdict, why, outages, how to run it again.

use grenadier_checks::{TargetOutage, Verdict};
use grenadier_clock::format_duration;
use grenadier_probe::Outage;
use maud::{Markup, html};
use std::time::Duration;

use super::parts::{badge, command};
use crate::text::one_line;
use crate::tone::{Tone, verdict_word};
use crate::words::seen_by;

/// How many outages of one target are shown; `verdict.json` has them all.
const MOST_OUTAGES: usize = 12;

pub(super) fn of(verdict: &Verdict) -> Markup {
    let run = &verdict.run;
    let (tone, word) = verdict_word(verdict.verdict);
    // The word is said already.
    let why = verdict.summary.split_once(": ").map_or(verdict.summary.as_str(), |(_, rest)| rest);
    html! {
        p.verdict { (badge(tone, &capital(word))) }
        h1 { (one_line(&run.scenario)) }
        p.about {
            (one_line(&run.base)) " → " (one_line(&run.target)) span.dot { "·" } (one_line(&run.system)) span.dot { "·" }
            (run.world.name()) " world" span.dot { "·" } (verdict.ended_ns)
            @if let Some(procedure) = &run.procedure { span.dot { "·" } "procedure " (one_line(procedure)) }
        }
        p.why { (sentence(why)) }
        @if verdict.reasons.len() > 1 {
            details.reasons {
                summary { "All " (verdict.reasons.len()) " reasons" }
                ul { @for reason in &verdict.reasons { li { (one_line(reason)) } } }
            }
        }
        (outages(verdict))
        dl.facts {
            div { dt { "Seed" } dd { (run.seed) } }
            div.wide { dt { "Run it again" } dd { (command(&run.replay)) } }
            @if !verdict.faults.is_empty() {
                div.wide { dt { "Faults" } dd { ul { @for fault in &verdict.faults { li { code { (one_line(fault)) } } } } } }
            }
        }
    }
}

/// `FAILED` as `Failed`: a style sheet must not be what makes a word readable.
fn capital(word: &str) -> String {
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn sentence(text: &str) -> String {
    let text = one_line(text);
    if text.ends_with(['.', '!', '?', ')']) { text } else { format!("{text}.") }
}

fn outages(verdict: &Verdict) -> Markup {
    if verdict.targets.is_empty() {
        return html! {};
    }
    let allowed = verdict.outage_at_most_ns;
    html! {
        table.stack {
            caption {
                "Outage"
                @if let Some(most) = allowed {
                    span { (length(most)) " allowed in the upgrade, and again in the rollback" }
                }
            }
            thead {
                tr {
                    th scope="col" { "Target" } th.number scope="col" { "Not answered for" }
                    th scope="col" { "Since step" } th scope="col" { "First hop that failed" }
                }
            }
            tbody { @for target in &verdict.targets { (rows(target, verdict)) } }
        }
    }
}

/// One row for each outage, at least one for each target.
fn rows(target: &TargetOutage, verdict: &Verdict) -> Markup {
    let name = one_line(&target.target);
    let none = match (target.watches, &target.first_up) {
        (0, _) => Some((Tone::Notice, "not watched")),
        (_, None) => Some((Tone::Bad, "never up")),
        _ if target.outages.is_empty() => Some((Tone::Good, "none")),
        _ => None,
    };
    if let Some((tone, word)) = none {
        return html! { tr { th scope="row" { (name) (canary(target)) } td.number { (badge(tone, word)) } td {} td {} } };
    }
    let too_long = |outage: &Outage| {
        let length = outage.length(verdict.ended_ns).upper_ns;
        verdict.outage_at_most_ns.is_some_and(|most| length > most)
    };
    html! {
        @for outage in target.outages.iter().take(MOST_OUTAGES) {
            tr {
                th scope="row" { (seen_by(&name, outage.probe.name())) (canary(target)) }
                td.number {
                    @if too_long(outage) { (badge(Tone::Bad, &outage.length(verdict.ended_ns).to_string())) }
                    @else { (outage.length(verdict.ended_ns)) }
                    @if outage.to.is_none() { span.more { "to the end" } }
                }
                td data-label="Since" { (one_line(&outage.cause())) }
                td {
                    (one_line(&outage.reason))
                    @if !outage.then.is_empty() {
                        details { summary { "then " (outage.then.len()) " more" }
                            ol { @for reason in &outage.then { li { (one_line(reason)) } } } }
                    }
                }
            }
        }
        @if let Some(more) = target.outages.len().checked_sub(MOST_OUTAGES).filter(|more| *more > 0) {
            tr { th scope="row" { (name) } td.number { "and " (more) " more" } td {} td {} }
        }
    }
}

fn canary(target: &TargetOutage) -> Markup {
    // A target that is called so needs no note that it is one.
    html! { @if target.is_canary && target.target != "canary" { span.more { "canary" } } }
}

fn length(ns: u64) -> String {
    format_duration(Duration::from_nanos(ns))
}
