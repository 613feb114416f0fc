//! `known-failures`.

use grenadier_catalog::{Check, Named};

use super::conduct::Steps;
use super::context::{Context, Fields};
use super::scalar;
use crate::yaml::{Kind, Node};
use crate::{KnownFailure, SignaturePattern};

const KEYS: &[&str] = &["signature", "reason", "issue"];

pub(super) fn known(cx: &mut Context, node: &Node, steps: Option<Steps>) -> Option<KnownFailure> {
    let fields = cx.fields(node, "a known failure", KEYS, None)?;
    let signature = fields.required(cx, "signature").and_then(|node| signature(cx, node, steps));
    let reason = fields.required(cx, "reason").and_then(|node| {
        let reason = scalar::line(cx, node, "why it is left as it is, in one line")?;
        if reason.is_empty() {
            cx.report(node.span.clone(), "a known failure needs a reason", "say why it is left as it is".to_owned());
            return None;
        }
        Some(reason)
    });
    let issue = fields.required(cx, "issue").and_then(|node| {
        let link = scalar::line(cx, node, "a link to an issue")?;
        let clean = |rest: &str| !rest.is_empty() && !rest.contains(char::is_whitespace);
        if ["https://", "http://"].iter().any(|scheme| link.strip_prefix(scheme).is_some_and(clean)) {
            return Some(link);
        }
        let message = format!("expected a link to an issue; got {}", node.describe());
        cx.report(node.span.clone(), message, "such as https://example.com/issues/12".to_owned());
        None
    });
    Some(KnownFailure { signature: signature?, reason: reason?, issue: issue? })
}

/// A pattern whose check and steps exist: one that cannot match anything would be an error only when somebody explores.
fn signature(cx: &mut Context, node: &Node, steps: Option<Steps>) -> Option<SignaturePattern> {
    let pattern: SignaturePattern = scalar::parsed(cx, node, "a signature check/role/step/fault")?;
    let check = pattern.check();
    let others = ["phase", "panic", "unfit"];
    if !check.contains('*') && !others.contains(&check) && Check::parse(check).is_none() {
        cx.unknown(node, Check::WHAT, check, Check::ALL.iter().map(|check| check.name()));
        return None;
    }
    for step in pattern.steps().split('+').filter(|step| !step.contains('*')) {
        super::conduct::step(cx, node, step, steps)?;
    }
    Some(pattern)
}

/// Two entries of one signature: only one of them could be the reason.
pub(super) fn same_signature_twice(cx: &mut Context, fields: &Fields<'_>, known: Option<&[KnownFailure]>) {
    let list = fields.optional("known-failures").map(|node| &node.kind);
    let (Some(known), Some(Kind::List(nodes))) = (known, list) else { return };
    for (at, failure) in known.iter().enumerate() {
        if let Some(first) = known[..at].iter().position(|other| other.signature == failure.signature) {
            let also = (nodes[first].span.clone(), "first here");
            let message = format!("two known failures of signature {}", failure.signature);
            cx.report_with(nodes[at].span.clone(), message, "keep one".to_owned(), also);
        }
    }
}
