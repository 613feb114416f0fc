//! The checks with their evidence, and what the engine said.

use grenadier_catalog::Named;
use grenadier_checks::{CheckLine, EngineLine, Verdict};
use grenadier_clock::format_duration;
use maud::{Markup, html};

use super::parts::{badge, block};
use crate::text::one_line;
use crate::tone::{Tone, check_word};

/// How many lines of evidence stand on the page; `verdict.json` has them all.
const MOST_EVIDENCE: usize = 200;

pub(super) fn made(verdict: &Verdict) -> Markup {
    if verdict.checks.is_empty() {
        return html! { p.empty { "No check was made." } };
    }
    html! { ul.checks { @for line in &verdict.checks { (check(line)) } } }
}

fn check(line: &CheckLine) -> Markup {
    let (tone, word) = check_word(line);
    let word = match word {
        "–" => "does not apply".to_owned(),
        word => word.to_lowercase().replace('-', " "),
    };
    let result = &line.result;
    html! {
        li {
            div.status { (badge(tone, &word)) }
            div.body {
                h3 { (result.check.name()) }
                p.doc { (sentence(result.check.doc())) }
                p { (one_line(&result.message)) }
                @if line.must_fail { p.note { "The scenario says that this check must fail." } }
                @if !result.evidence.is_empty() {
                    details open[!line.is_good()] {
                        summary { "Evidence, " (crate::words::counted(result.evidence.len() as u64, "line", "lines")) }
                        ul.evidence {
                            @for line in result.evidence.iter().take(MOST_EVIDENCE) { li { (one_line(line)) } }
                            @if let Some(more) = result.evidence.len().checked_sub(MOST_EVIDENCE).filter(|more| *more > 0) {
                                li.more { "and " (more) " more in verdict.json" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sentence(doc: &str) -> String {
    let mut letters = doc.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

pub(super) fn said(verdict: &Verdict) -> Markup {
    if verdict.engine.is_empty() {
        return html! { p.empty { "The engine was never called." } };
    }
    html! {
        table.stack {
            thead { tr { th scope="col" { "Asked for" } th scope="col" { "Ended" } th.number scope="col" { "Took" }
                th scope="col" { "What it said last" } } }
            tbody { @for line in &verdict.engine { (call(line)) } }
        }
        @if let Some(advice) = verdict.engine.last().and_then(|line| line.advice.as_ref()) {
            h3 { "What it leaves to somebody" }
            @if let Some(left) = &advice.left { p { (one_line(left)) } }
            ol { @for next in &advice.next { li { (one_line(next)) } } }
        }
    }
}

fn call(line: &EngineLine) -> Markup {
    let rule = line.rule.as_deref().map(|rule| format!(" by {}", one_line(rule))).unwrap_or_default();
    let (tone, ended) = match (line.exit_code, line.outcome) {
        (None, _) => (Tone::Bad, "did not end".to_owned()),
        (Some(code), None) => (Tone::Bad, format!("exit {code}, no outcome")),
        (Some(code @ 0), Some(outcome)) => (Tone::Good, format!("exit {code}, {}{rule}", outcome.name())),
        (Some(code), Some(outcome)) => (Tone::Notice, format!("exit {code}, {}{rule}", outcome.name())),
    };
    html! {
        tr {
            th scope="row" { (line.verb.name()) }
            td { (badge(tone, &ended)) }
            td.number data-label="Took" { @if let Some(ended) = line.ended_ns { (format_duration(ended.since(line.began_ns))) } @else { "–" } }
            td { @if line.message.contains('\n') { (block(&line.message)) } @else { (one_line(&line.message)) } }
        }
    }
}
