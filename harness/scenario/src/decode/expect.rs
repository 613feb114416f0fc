//! `expect` and `require`.

use std::time::Duration;

use grenadier_catalog::{Check, Named, Outcome, RefusalRule, Residual};

use super::context::{Context, Fields};
use super::{distinct, scalar};
use crate::diagnostic::Span;
use crate::yaml::{Kind, Node};
use crate::{Expect, OutageBudget, Require, Rollback};

const KEYS: &[&str] = &["outcome", "refused-by", "outage", "restored", "residuals", "caught-by"];
const OUTAGE_KEYS: &[&str] = &["at-most"];

/// The parts of the document that limit what can be expected; those that are wrong are absent.
pub(super) struct Surroundings<'d> {
    pub(super) rollback: Option<Rollback>,
    pub(super) horizon: Option<Duration>,
    pub(super) require: Option<&'d Require>,
}

pub(super) fn expect(cx: &mut Context, node: &Node, around: &Surroundings<'_>) -> Option<Expect> {
    let fields = cx.fields(node, "expectations", KEYS, None)?;
    let outcome = match fields.optional("outcome") {
        None => Some(Outcome::Upgraded),
        Some(node) => scalar::name::<Outcome>(cx, node),
    };
    let refused_by = fields.optional("refused-by").map(|node| scalar::name::<RefusalRule>(cx, node));
    let outage = fields.entry("outage").map(|entry| {
        let fields = cx.fields(&entry.value, "an outage budget", OUTAGE_KEYS, Some(&entry.key_span))?;
        let at_most = fields.required(cx, "at-most").and_then(|node| budget(cx, node, around.horizon))?;
        Some(OutageBudget { at_most })
    });
    let restored = fields.optional("restored").map(|node| scalar::boolean(cx, node));
    let residuals = unique_names::<Residual>(cx, &fields, "residuals");
    let caught_by = unique_names::<Check>(cx, &fields, "caught-by");
    combinations(cx, &fields, outcome, restored.flatten(), around);
    required_catches(cx, &fields, node.span.clone(), caught_by.as_deref(), around);
    Some(Expect {
        outcome: outcome?,
        refused_by: super::all_or_nothing(refused_by)?,
        outage: super::all_or_nothing(outage)?,
        restored: super::all_or_nothing(restored)?,
        residuals: residuals?,
        caught_by: caught_by?,
    })
}

/// A check that must catch something has to be made.
pub(super) fn required_catches(
    cx: &mut Context,
    fields: &Fields<'_>,
    whole: Span,
    caught_by: Option<&[Check]>,
    around: &Surroundings<'_>,
) {
    let (Some(caught_by), Some(require)) = (caught_by, around.require) else { return };
    for check in caught_by.iter().filter(|check| !require.contains(**check)) {
        let place = fields.optional("caught-by").map_or(whole.clone(), |node| node.span.clone());
        let message = format!("check `{check}` must catch this, but `require` leaves it out");
        cx.report(place, message, format!("add `{check}` to `require`"));
    }
}

/// What cannot be expected together.
pub(super) fn combinations(
    cx: &mut Context,
    fields: &Fields<'_>,
    outcome: Option<Outcome>,
    restored: Option<bool>,
    around: &Surroundings<'_>,
) {
    let Some(outcome) = outcome else { return };
    if let Some(entry) = fields.entry("refused-by").filter(|_| outcome != Outcome::Refused) {
        let message = format!("outcome `{outcome}` is not refused by anything");
        let help = "`refused-by` goes with `outcome: refused`".to_owned();
        cx.report(entry.key_span.clone(), message, help);
    }
    let Some(rollback) = around.rollback else { return };
    if let Some(node) =
        fields.optional("outcome").filter(|_| outcome == Outcome::RolledBack && rollback == Rollback::Never)
    {
        let message = "outcome `rolled-back` cannot be reached with `rollback: never`";
        cx.report(node.span.clone(), message, "set `rollback` to on-failure or always".to_owned());
    }
    let keeps_upgrade = outcome == Outcome::Upgraded && rollback != Rollback::Always;
    if let Some(node) = fields.optional("restored").filter(|_| restored == Some(true) && keeps_upgrade) {
        let message = "an upgrade that is kept does not restore the original";
        let help = "set `rollback: always`, or expect another outcome".to_owned();
        cx.report(node.span.clone(), message, help);
    }
}

fn budget(cx: &mut Context, node: &Node, horizon: Option<Duration>) -> Option<Duration> {
    let budget = scalar::duration(cx, node)?;
    if let Some(horizon) = horizon.filter(|horizon| budget > *horizon) {
        let message = format!("an outage of {} does not fit into the run", grenadier_catalog::format_duration(budget));
        let help = format!(
            "the run's horizon is {}; raise `horizon` or lower the budget",
            grenadier_catalog::format_duration(horizon)
        );
        cx.report(node.span.clone(), message, help);
    }
    Some(budget)
}

pub(super) fn unique_names<T: Named>(cx: &mut Context, fields: &Fields<'_>, key: &'static str) -> Option<Vec<T>> {
    match fields.optional(key) {
        None => Some(Vec::new()),
        Some(node) => unique(cx, node),
    }
}

/// A list of names, each at most once.
fn unique<T: Named>(cx: &mut Context, node: &Node) -> Option<Vec<T>> {
    distinct(cx, node, T::WHAT, |name| name.name(), scalar::name::<T>)
}

pub(super) fn require(cx: &mut Context, node: &Node) -> Option<Require> {
    match &node.kind {
        Kind::Text(text) if text == "all" => Some(Require::All),
        Kind::List(_) => unique(cx, node).map(Require::These),
        _ => {
            let names = Check::ALL.iter().map(|check| check.name()).collect::<Vec<_>>().join(", ");
            let message = format!("expected `all` or a list of checks; got {}", node.describe());
            cx.report(node.span.clone(), message, format!("checks: {names}"));
            None
        }
    }
}
