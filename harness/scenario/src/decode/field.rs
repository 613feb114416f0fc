//! `field`.

use std::collections::{BTreeMap, BTreeSet};

use grenadier_catalog::{Check, Outcome, RefusalRule, Residual, System};

use super::context::{Context, Fields};
use super::expect::{self, Surroundings};
use super::{all_or_nothing, items, scalar};
use crate::yaml::{Entry, Kind, Node};
use crate::{End, Engine, Expect, Field, Source};

const KEYS: &[&str] = &["source", "symptoms", "ends"];
const SOURCE_KEYS: &[&str] = &["issue", "document"];
const END_KEYS: &[&str] = &["outcome", "instead-of", "refused-by", "restored", "residuals", "caught-by"];

pub(super) fn field(
    cx: &mut Context,
    entry: &Entry,
    system: Option<&'static System>,
    around: &Surroundings<'_>,
) -> Option<Field> {
    let fields = cx.fields(&entry.value, "a field failure", KEYS, Some(&entry.key_span))?;
    let source = fields.required(cx, "source").and_then(|node| source(cx, node));
    let symptoms = match fields.optional("symptoms") {
        None => Some(Vec::new()),
        Some(node) => items(cx, node, |cx, node| filled(cx, node, "a word of a message, log or report")),
    };
    let ends = fields.required(cx, "ends").and_then(|node| ends(cx, node, system?, around));
    Some(Field { source: source?, symptoms: symptoms?, ends: ends? })
}

fn filled(cx: &mut Context, node: &Node, expected: &str) -> Option<String> {
    let line = scalar::line(cx, node, expected)?;
    if line.is_empty() {
        cx.report(node.span.clone(), format!("expected {expected}; got an empty text"), None);
        return None;
    }
    Some(line)
}

fn source(cx: &mut Context, node: &Node) -> Option<Source> {
    let fields = cx.fields(node, "a source", SOURCE_KEYS, None)?;
    let issue = fields.optional("issue").map(|node| filled(cx, node, "an issue, such as vmware-haproxy #36"));
    let document = fields.optional("document").map(|node| filled(cx, node, "the name of a document"));
    if issue.is_none() && document.is_none() {
        let help = "name an `issue`, a `document` or both".to_owned();
        cx.report(node.span.clone(), "a field failure was reported somewhere", help);
        return None;
    }
    Some(Source { issue: all_or_nothing(issue)?, document: all_or_nothing(document)? })
}

fn ends(
    cx: &mut Context,
    node: &Node,
    system: &'static System,
    around: &Surroundings<'_>,
) -> Option<BTreeMap<String, End>> {
    let names = || system.procedures.iter().map(|procedure| procedure.name);
    let Kind::Map(entries) = &node.kind else {
        let help = format!("say for each of {} how it ends", names().collect::<Vec<_>>().join(", "));
        cx.report(node.span.clone(), format!("expected procedures and their ends; got {}", node.describe()), help);
        return None;
    };
    let mut ends = BTreeMap::new();
    let mut sound = true;
    for entry in entries {
        if system.procedure(&entry.key).is_none() {
            let named = Node { kind: Kind::Text(entry.key.clone()), span: entry.key_span.clone() };
            cx.unknown(&named, "procedure", &entry.key, names().collect::<Vec<_>>());
            sound = false;
            continue;
        }
        match end(cx, entry, around) {
            Some(end) => drop(ends.insert(entry.key.clone(), end)),
            None => sound = false,
        }
    }
    if !sound {
        return None;
    }
    for name in names().filter(|name| !ends.contains_key(*name)) {
        let help = format!("add `{name}` to `ends`, with the outcome it ends with");
        cx.report(node.span.clone(), format!("how procedure `{name}` ends is not said"), help);
        sound = false;
    }
    let outcomes: BTreeSet<Outcome> = ends.values().map(|end: &End| end.outcome).collect();
    if sound && outcomes.len() < 2 && ends.values().all(|end| end.caught_by.is_empty()) {
        let help = "name in `caught-by` the checks that fail where a procedure does not survive it".to_owned();
        cx.report(node.span.clone(), "every procedure survives this, so it is no failure", help);
        sound = false;
    }
    sound.then_some(ends)
}

fn end(cx: &mut Context, entry: &Entry, around: &Surroundings<'_>) -> Option<End> {
    let fields = cx.fields(&entry.value, "an end", END_KEYS, Some(&entry.key_span))?;
    let outcome = fields.required(cx, "outcome").and_then(|node| scalar::name::<Outcome>(cx, node));
    let instead_of = fields.optional("instead-of").map(|node| scalar::name::<Outcome>(cx, node));
    let refused_by = fields.optional("refused-by").map(|node| scalar::name::<RefusalRule>(cx, node));
    let restored = fields.optional("restored").map(|node| scalar::boolean(cx, node));
    let residuals = expect::unique_names::<Residual>(cx, &fields, "residuals");
    let caught_by = expect::unique_names::<Check>(cx, &fields, "caught-by");
    expect::combinations(cx, &fields, outcome, restored.flatten(), around);
    expect::required_catches(cx, &fields, entry.value.span.clone(), caught_by.as_deref(), around);
    if let (Some(entry), Some(caught_by)) = (fields.entry("instead-of"), &caught_by) {
        if instead_of.flatten() == outcome {
            let help = "name the outcome that it should have ended with".to_owned();
            cx.report(entry.value.span.clone(), "an end is not instead of itself", help);
        } else if !caught_by.contains(&Check::Outcome) {
            let help = "add `outcome` to `caught-by`: it is the check that sees another outcome".to_owned();
            cx.report(entry.key_span.clone(), "nothing would catch that it ends otherwise", help);
        }
    }
    Some(End {
        outcome: outcome?,
        instead_of: all_or_nothing(instead_of)?,
        refused_by: all_or_nothing(refused_by)?,
        restored: all_or_nothing(restored)?,
        residuals: residuals?,
        caught_by: caught_by?,
    })
}

/// What must come of the run: what `ends` says of its procedure. `expect` may say it once more, but nothing else.
pub(super) fn expected(
    cx: &mut Context,
    fields: &Fields<'_>,
    expect: Expect,
    field: Option<&Field>,
    engine: Option<&Engine>,
) -> Expect {
    let (Some(field), Some(engine)) = (field, engine) else { return expect };
    let Some(end) = field.ends.get(&engine.procedure) else { return expect };
    let expected = end.expected(&expect);
    let said = |key: &str| {
        fields.optional("expect").and_then(|node| match &node.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        })
    };
    let unlike = [
        ("outcome", expect.outcome != expected.outcome),
        ("refused-by", expect.refused_by != expected.refused_by),
        ("restored", expect.restored != expected.restored),
        ("residuals", expect.residuals != expected.residuals),
        ("caught-by", expect.caught_by != expected.caught_by),
    ];
    for (key, entry) in unlike.iter().filter(|(_, unlike)| *unlike).filter_map(|(key, _)| Some((key, said(key)?))) {
        let message = format!("`expect` and `field` say different things of `{key}` for {}", engine.procedure);
        let help = "leave it to `field.ends`; of `expect`, a field failure needs only `outage`".to_owned();
        cx.report(entry.key_span.clone(), message, help);
    }
    expected
}
