//! From tree to typed document.
//!
//! The decoder never stops at a problem: each part decodes to `Option`, and every problem is reported where it stands. What
//! depends on a part that is itself wrong is not judged, so that one slip makes one problem.

mod case;
mod conduct;
mod context;
mod expect;
mod fault;
mod field;
mod given;
mod known;
mod profile;
mod resource;
mod scalar;
mod timing;
mod topology;
mod version;

pub(crate) use case::{CaseFields, case};
pub(crate) use fault::excludes;
use grenadier_catalog::System;
pub use profile::profile;
pub(crate) use timing::calibration;

use self::context::{Context, Fields};
use crate::diagnostic::Finding;
use crate::document::{default_horizon, default_seed};
use crate::yaml::{self, Kind, Node};
use crate::{Diagnostics, Engine, Expect, Fault, Require, Rollback, Scenario, Timing, suggest};

/// Keys of the document, in the order in which they are listed to people.
pub(crate) const KEYS: &[&str] = &[
    "name",
    "description",
    "labels",
    "system",
    "from",
    "to",
    "topology",
    "target",
    "given",
    "create",
    "workload",
    "engine",
    "rollback",
    "faults",
    "events",
    "expect",
    "field",
    "require",
    "known-failures",
    "timing",
    "horizon",
    "seed",
];

/// Reads a scenario. `file` is how the source is called in problems; nothing is read from it.
///
/// # Errors
///
/// Everything that is wrong with the document, in the order of position.
pub fn parse(source: &str, file: &str) -> Result<Scenario, Diagnostics> {
    let (root, findings) = yaml::read(source);
    let syntax_is_broken = root.is_none() && !findings.is_empty();
    let mut context = Context::new(findings);
    let scenario = if syntax_is_broken { None } else { document(&mut context, root.as_ref()) };
    match (scenario, context.into_findings()) {
        (Some(scenario), findings) if findings.is_empty() => Ok(scenario),
        (_, findings) => Err(Diagnostics::new(source, file, findings)),
    }
}

/// Reads one fault that goes with a scenario, and what is wrong with it.
pub(crate) fn one_fault(node: &Node, scenario: &Scenario) -> (Option<Fault>, Vec<Finding>) {
    let mut cx = Context::new(Vec::new());
    let steps = conduct::Steps::new(scenario.catalogue_system(), &scenario.engine);
    let fault = fault::fault(&mut cx, node, steps);
    (fault, cx.into_findings())
}

fn document(cx: &mut Context, root: Option<&Node>) -> Option<Scenario> {
    let Some(root) = root.filter(|root| root.kind != Kind::Null) else {
        cx.report(0..0, "the scenario is empty", format!("a scenario needs at least {}", required_keys()));
        return None;
    };
    let fields = cx.fields(root, "a scenario", KEYS, None)?;
    let name = name(cx, &fields);
    let description = fields.optional("description").map(|node| scalar::line(cx, node, "one line of text"));
    let labels = labels(cx, &fields);
    let system = system(cx, &fields);
    let from = version::choice(cx, &fields, "from", system);
    let to = version::choice(cx, &fields, "to", system);
    let mut around = topology::topology(cx, &fields, system);
    let target = fields.optional("target").map(|node| topology::target(cx, node, &around));
    let given = list(cx, &fields, "given", |cx, node| given::given(cx, node, system, &mut around));
    given::contradictions(cx, &fields, given.as_deref());
    given::history(cx, &fields, given.as_deref(), from.as_ref(), system);
    let create = resource::create(cx, &fields, &around);
    let workload = resource::workload(cx, &fields);
    let engine = match fields.optional("engine") {
        None => Some(Engine::default()),
        Some(node) => conduct::engine(cx, node, system),
    };
    let steps = system.zip(engine.as_ref()).and_then(|(system, engine)| conduct::Steps::new(system, engine));
    let rollback = match fields.optional("rollback") {
        None => Some(Rollback::default()),
        Some(node) => conduct::rollback(cx, node),
    };
    conduct::no_way_back(cx, &fields, engine.as_ref(), rollback);
    let faults = list(cx, &fields, "faults", |cx, node| fault::fault(cx, node, steps));
    fault::same_place_twice(cx, &fields, faults.as_deref());
    let events = list(cx, &fields, "events", |cx, node| conduct::event(cx, node, steps, &around));
    let horizon = match fields.optional("horizon") {
        None => Some(default_horizon()),
        Some(node) => conduct::horizon(cx, node),
    };
    let require = match fields.optional("require") {
        None => Some(Require::default()),
        Some(node) => expect::require(cx, node),
    };
    let surroundings = expect::Surroundings { rollback, horizon, require: require.as_ref() };
    let expect = match fields.optional("expect") {
        None => Some(Expect::default()),
        Some(node) => expect::expect(cx, node, &surroundings),
    };
    let field = fields.entry("field").map(|entry| field::field(cx, entry, system, &surroundings));
    let known = field.as_ref().and_then(Option::as_ref);
    let expect = expect.map(|expect| field::expected(cx, &fields, expect, known, engine.as_ref()));
    let known_failures = list(cx, &fields, "known-failures", |cx, node| known::known(cx, node, steps));
    known::same_signature_twice(cx, &fields, known_failures.as_deref());
    let timing = match fields.optional("timing") {
        None => Some(Timing::default()),
        Some(node) => timing::timing(cx, node),
    };
    let seed = match fields.optional("seed") {
        None => Some(default_seed()),
        Some(node) => scalar::integer(cx, node, 0..=u64::MAX),
    };
    Some(Scenario {
        name: name?,
        description: all_or_nothing(description)?,
        labels: labels?,
        system: system?.name.to_owned(),
        from: from?,
        to: to?,
        topology: around.whole()?,
        target: all_or_nothing(target)?,
        given: given?,
        create: create?,
        workload: workload?,
        engine: engine?,
        rollback: rollback?,
        faults: faults?,
        events: events?,
        expect: expect?,
        field: all_or_nothing(field)?,
        require: require?,
        known_failures: known_failures?,
        timing: timing?,
        horizon: horizon?,
        seed: seed?,
    })
}

fn required_keys() -> &'static str {
    "name, system, from, to, topology and create"
}

fn name(cx: &mut Context, fields: &Fields<'_>) -> Option<String> {
    let node = fields.required(cx, "name")?;
    scalar::kebab(cx, node, "a name in kebab case, such as haproxy-appliance-swap")
}

/// Words by which others choose the scenario.
fn labels(cx: &mut Context, fields: &Fields<'_>) -> Option<Vec<String>> {
    let Some(node) = fields.optional("labels") else { return Some(Vec::new()) };
    let label = |cx: &mut Context, node: &Node| scalar::kebab(cx, node, "a label in kebab case, such as base");
    distinct(cx, node, "label", String::as_str, label)
}

fn system(cx: &mut Context, fields: &Fields<'_>) -> Option<&'static System> {
    let node = fields.required(cx, "system")?;
    let names = System::all().iter().map(|system| system.name);
    let name = scalar::text(cx, node, "the name of a system")?;
    System::find(name).or_else(|| {
        cx.unknown(node, "system", name, names.clone());
        // The rest of the document is judged by the system that was meant.
        suggest::nearest(name, names).and_then(System::find)
    })
}

/// A key that is not there is fine; one that is there must decode.
fn all_or_nothing<T>(decoded: Option<Option<T>>) -> Option<Option<T>> {
    match decoded {
        None => Some(None),
        Some(Some(value)) => Some(Some(value)),
        Some(None) => None,
    }
}

/// Decodes every item of an optional list; an absent list is empty.
fn list<T>(
    cx: &mut Context,
    fields: &Fields<'_>,
    key: &'static str,
    decode: impl FnMut(&mut Context, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    match fields.optional(key) {
        None => Some(Vec::new()),
        Some(node) => items(cx, node, decode),
    }
}

/// Decodes a list of names, each of which may be there once.
fn distinct<'t, T: PartialEq>(
    cx: &mut Context,
    node: &'t Node,
    what: &str,
    name: impl Fn(&T) -> &str,
    mut decode: impl FnMut(&mut Context, &'t Node) -> Option<T>,
) -> Option<Vec<T>> {
    let mut places: Vec<&Node> = Vec::new();
    let decoded = items(cx, node, |cx, node| {
        places.push(node);
        decode(cx, node)
    })?;
    for (at, item) in decoded.iter().enumerate() {
        if decoded[..at].contains(item) {
            let message = format!("{what} `{}` is listed twice", name(item));
            cx.report(places[at].span.clone(), message, "keep one".to_owned());
        }
    }
    Some(decoded)
}

/// Decodes every item of a list, also after one that is wrong.
fn items<'t, T>(
    cx: &mut Context,
    node: &'t Node,
    mut decode: impl FnMut(&mut Context, &'t Node) -> Option<T>,
) -> Option<Vec<T>> {
    let Kind::List(items) = &node.kind else {
        cx.report(
            node.span.clone(),
            format!("expected a list; got {}", node.describe()),
            "begin each item with `- `".to_owned(),
        );
        return None;
    };
    let decoded: Vec<Option<T>> = items.iter().map(|item| decode(cx, item)).collect();
    decoded.into_iter().collect()
}
