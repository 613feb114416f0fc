//! The rollback comparison: what differs, level by level.

use grenadier_checks::{Difference, Ladder, Rung, Verdict};
use grenadier_events::{CheckStatus, LadderLevel};
use maud::{Markup, html};

use super::parts::badge;
use crate::text::{clean, one_line};
use crate::tone::Tone;

pub(super) fn compared(verdict: &Verdict) -> Markup {
    let line = verdict.checks.iter().find(|line| line.result.ladder.is_some());
    let Some((line, ladder)) = line.and_then(|line| Some((line, line.result.ladder.as_ref()?))) else {
        return html! { p.empty { "The state was not compared with the original one." } };
    };
    html! {
        p {
            "The state at the end against the original one, strictest level first. "
            @if !line.result.applies { (one_line(&line.result.message)) "." }
        }
        ol.ladder { @for rung in &ladder.rungs { li { (level(rung)) } } }
        (masks(ladder))
    }
}

fn level(rung: &Rung) -> Markup {
    let (tone, word) = match rung.status {
        CheckStatus::Pass => (Tone::Good, "equal"),
        // Every run differs byte for byte: times and ids are new.
        CheckStatus::Fail if rung.level == LadderLevel::Bytes => (Tone::Notice, "differs"),
        CheckStatus::Fail => (Tone::Bad, "differs"),
        CheckStatus::NotCovered => (Tone::Quiet, "not covered"),
    };
    let count = rung.differences.len() + rung.problems.len();
    html! {
        div.status { (badge(tone, word)) }
        div.body {
            h3 { (rung.name()) }
            p.doc { (says(rung.level)) }
            @if count == 0 || rung.status != CheckStatus::Fail { p { (one_line(&rung.message)) } }
            @if count > 0 {
                details open[rung.level != LadderLevel::Bytes] {
                    summary { (crate::words::counted(count as u64, "difference", "differences")) }
                    @for difference in &rung.differences { (diff(difference)) }
                    @if !rung.problems.is_empty() {
                        ul.evidence { @for problem in &rung.problems { li { (one_line(problem)) } } }
                    }
                }
            }
        }
    }
}

const fn says(level: LadderLevel) -> &'static str {
    match level {
        LadderLevel::Bytes => "Identity and configuration, byte for byte.",
        LadderLevel::Structure => "The whole state, under reviewed masks.",
        LadderLevel::Meaning => "What it means: machines, addresses, routes.",
        LadderLevel::Behaviour => "The same answers from the same backends.",
        LadderLevel::History => "No leftover snapshots, images, files, transactions, ports.",
    }
}

/// One difference as a diff: lines that are gone, lines that are new.
fn diff(difference: &Difference) -> Markup {
    let lines = |text: &Option<String>| -> Vec<String> {
        text.as_deref().map(|text| clean(text).lines().map(str::to_owned).collect()).unwrap_or_default()
    };
    html! {
        figure.diff {
            figcaption { (one_line(&difference.path)) @if let Some(why) = &difference.why { span.more { (one_line(why)) } } }
            div.lines tabindex="0" role="group" aria-label={ "Difference at " (one_line(&difference.path)) } {
                @for line in lines(&difference.before) { del { (line) } }
                @for line in lines(&difference.after) { ins { (line) } }
            }
        }
    }
}

fn masks(ladder: &Ladder) -> Markup {
    let Some(masked) = &ladder.masked else { return html! {} };
    let used: Vec<_> = masked.masks.iter().filter(|mask| mask.fields > 0).collect();
    if used.is_empty() {
        return html! { p { "No mask covered anything: all of it was compared." } };
    }
    html! {
        table.stack {
            caption { "Passed over under masks" span { (masked.fields) " of " (masked.of) " fields" } }
            thead { tr { th scope="col" { "Where" } th.number scope="col" { "Fields" } th scope="col" { "Why it may differ" } } }
            tbody {
                @for mask in used {
                    tr {
                        td { code { (mask.path) } @if let Some(prefix) = &mask.line_prefix { " lines " code { (one_line(prefix)) } } }
                        td.number data-label="Fields" { (mask.fields) }
                        td { (one_line(&mask.reason)) }
                    }
                }
            }
        }
    }
}
