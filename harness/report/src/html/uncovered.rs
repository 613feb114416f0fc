//! What a verdict rests on without having looked: assumptions, and what was not covered.

use grenadier_catalog::Named;
use grenadier_checks::Verdict;
use grenadier_events::{CheckStatus, PhaseStatus};
use grenadier_fidelity::{Behaviour, Declared};
use maud::{Markup, html};

use super::parts::badge;
use crate::text::one_line;
use crate::tone::Tone;

pub(super) fn assumed(verdict: &Verdict, declared: &[Declared]) -> Markup {
    if verdict.assumptions.is_empty() {
        return html! { p.empty { "The verdict rests on no assumption." } };
    }
    let known = |id: &str| -> Option<&Behaviour> {
        declared.iter().flat_map(|declared| declared.behaviours).copied().find(|behaviour| behaviour.id == id)
    };
    html! {
        p { "The run relied on these behaviours of the simulators. " code { "grenadier explore --assumptions" }
            " turns each of them over and says which verdicts hang on it." }
        table.stack {
            thead {
                tr { th scope="col" { "Assumption" } th scope="col" { "What the simulators do" } th scope="col" { "How that is known" } }
            }
            tbody {
                @for id in &verdict.assumptions {
                    tr {
                        th scope="row" { (one_line(id)) }
                        @if let Some(behaviour) = known(id) {
                            td { (behaviour.says) }
                            td { b { (behaviour.basis.name()) } ": " (behaviour.basis.source()) }
                        } @else { td {} td {} }
                    }
                }
            }
        }
    }
}

/// What was not looked at: whose, and why.
fn found(verdict: &Verdict) -> Vec<(Tone, String, String)> {
    let mut gaps = Vec::new();
    for line in &verdict.checks {
        let result = &line.result;
        if result.status == CheckStatus::NotCovered {
            let tone = if line.is_good() { Tone::Quiet } else { Tone::Notice };
            gaps.push((tone, format!("check {}", result.check.name()), result.message.clone()));
        }
        for rung in result.ladder.iter().flat_map(|ladder| &ladder.rungs).filter(|_| result.applies) {
            if rung.status == CheckStatus::NotCovered {
                gaps.push((Tone::Notice, format!("rollback, level {}", rung.name()), rung.message.clone()));
            }
        }
    }
    for target in verdict.targets.iter().filter(|target| target.watches == 0) {
        gaps.push((Tone::Notice, format!("target {}", target.target), "no probe watched it".to_owned()));
    }
    for fault in &verdict.not_injectable {
        gaps.push((Tone::Notice, "fault".to_owned(), format!("found no place to act: {fault}")));
    }
    for phase in verdict.phases.iter().filter(|phase| phase.status == Some(PhaseStatus::Skipped)) {
        let why = phase.message.clone().unwrap_or_else(|| "skipped".to_owned());
        gaps.push((Tone::Quiet, format!("phase {}", phase.phase), why));
    }
    for mask in &verdict.unused_masks {
        gaps.push((Tone::Quiet, "mask".to_owned(), format!("{mask} matched nothing")));
    }
    gaps
}

pub(super) fn gaps(verdict: &Verdict) -> Markup {
    let gaps = found(verdict);
    if gaps.is_empty() {
        return html! { p.empty { "Nothing was left out: every check was made, every fault found its place." } };
    }
    html! {
        table.stack {
            thead { tr { th scope="col" { "What" } th scope="col" { "Needed" } th scope="col" { "Why not" } } }
            tbody {
                @for (tone, what, why) in &gaps {
                    tr {
                        th scope="row" { (one_line(what)) }
                        td data-label="Needed" { (badge(*tone, if *tone == Tone::Notice { "yes" } else { "no" })) }
                        td { (one_line(why)) }
                    }
                }
            }
        }
    }
}
