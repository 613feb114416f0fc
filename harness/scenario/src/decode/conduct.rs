//! `engine`, `rollback`, `events`, `horizon`.

use std::time::Duration;

use grenadier_catalog::{AfterCrash, Cluster, Machine, Procedure, System, VersionNumber};

use super::context::{Context, Fields};
use super::scalar;
use super::topology::Around;
use crate::yaml::{Entry, Node};
use crate::{
    BindRange, Engine, ForeignEvent, PowerOn, Rollback, SecondEngine, SymbolicRange, Transaction, UpgradeVcenter,
};

const ENGINE_KEYS: &[&str] = &["procedure", "remove-old", "after-crash"];
const EVENTS: &[&str] = &["power-on", "upgrade-vcenter", "reboot", "bind-range", "transaction", "second-engine"];
const POWER_ON_KEYS: &[&str] = &["machine", "after"];
const BIND_RANGE_KEYS: &[&str] = &["range", "after"];
const TRANSACTION_KEYS: &[&str] = &["cluster", "after", "committed-after"];
const SECOND_ENGINE_KEYS: &[&str] = &["after"];
const UPGRADE_VCENTER_KEYS: &[&str] = &["to", "after"];

pub(super) fn engine(cx: &mut Context, node: &Node, system: Option<&'static System>) -> Option<Engine> {
    let fields = cx.fields(node, "an engine", ENGINE_KEYS, None)?;
    let defaults = Engine::default();
    let procedure = match fields.optional("procedure") {
        None => Some(defaults.procedure),
        Some(node) => scalar::text(cx, node, "the name of a procedure").and_then(|name| {
            let system = system?;
            if system.procedure(name).is_none() {
                cx.unknown(node, "procedure", name, system.procedures.iter().map(|procedure| procedure.name));
                return None;
            }
            Some(name.to_owned())
        }),
    };
    let remove_old = match fields.optional("remove-old") {
        None => Some(defaults.remove_old),
        Some(node) => scalar::boolean(cx, node),
    };
    let after_crash = match fields.optional("after-crash") {
        None => Some(defaults.after_crash),
        Some(node) => scalar::name::<AfterCrash>(cx, node),
    };
    Some(Engine { procedure: procedure?, remove_old: remove_old?, after_crash: after_crash?, in_place_of: None })
}

pub(super) fn rollback(cx: &mut Context, node: &Node) -> Option<Rollback> {
    let choices = [("never", Rollback::Never), ("on-failure", Rollback::OnFailure), ("always", Rollback::Always)];
    scalar::choice(cx, node, "rollback policy", &choices)
}

/// The steps that the run performs: those of the procedure, without the removal that the engine is not asked for.
///
/// Absent when procedure or engine are wrong, which is reported already; then no step is judged.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    procedure: &'static Procedure,
    remove_old: bool,
}

impl Steps {
    pub(super) fn new(system: &'static System, engine: &Engine) -> Option<Self> {
        let procedure = system.procedure(&engine.procedure)?;
        Some(Self { procedure, remove_old: engine.remove_old })
    }
}

pub(super) fn step(cx: &mut Context, node: &Node, name: &str, steps: Option<Steps>) -> Option<String> {
    let Steps { procedure, remove_old } = steps?;
    let Some(step) = procedure.step(name) else {
        cx.unknown(node, "step", name, procedure.steps.iter().map(|step| step.name));
        return None;
    };
    if step.irreversible && !remove_old {
        let help = "set `engine: {remove-old: true}`, or name another step".to_owned();
        cx.report(node.span.clone(), format!("step `{name}` is not performed"), help);
    }
    Some(name.to_owned())
}

pub(super) fn event(cx: &mut Context, node: &Node, steps: Option<Steps>, around: &Around) -> Option<ForeignEvent> {
    let entry = cx.single(node, "an event", EVENTS)?;
    match entry.key.as_str() {
        "power-on" => machine_event(cx, entry, "a power-on", steps).map(ForeignEvent::PowerOn),
        "reboot" => machine_event(cx, entry, "a reboot", steps).map(ForeignEvent::Reboot),
        "bind-range" => {
            let fields = cx.fields(&entry.value, "a range", BIND_RANGE_KEYS, Some(&entry.key_span))?;
            let range = fields.required(cx, "range").and_then(|node| range(cx, node, around));
            let after = after(cx, &fields, steps);
            Some(ForeignEvent::BindRange(BindRange { range: range?, after: after? }))
        }
        "transaction" => {
            let fields = cx.fields(&entry.value, "a transaction", TRANSACTION_KEYS, Some(&entry.key_span))?;
            let cluster = fields.required(cx, "cluster").and_then(|node| scalar::name::<Cluster>(cx, node));
            let after = after(cx, &fields, steps);
            let committed_after = fields.optional("committed-after").map(|node| step_name(cx, node, steps));
            let committed_after = super::all_or_nothing(committed_after)?;
            Some(ForeignEvent::Transaction(Transaction { cluster: cluster?, after: after?, committed_after }))
        }
        "second-engine" => {
            let fields = cx.fields(&entry.value, "a second engine", SECOND_ENGINE_KEYS, Some(&entry.key_span))?;
            let after = after(cx, &fields, steps);
            Some(ForeignEvent::SecondEngine(SecondEngine { after: after? }))
        }
        _ => upgrade_vcenter(cx, entry, steps, around.vsphere).map(ForeignEvent::UpgradeVcenter),
    }
}

fn machine_event(cx: &mut Context, entry: &Entry, what: &'static str, steps: Option<Steps>) -> Option<PowerOn> {
    let fields = cx.fields(&entry.value, what, POWER_ON_KEYS, Some(&entry.key_span))?;
    let machine = fields.required(cx, "machine").and_then(|node| scalar::name::<Machine>(cx, node));
    let after = after(cx, &fields, steps);
    Some(PowerOn { machine: machine?, after: after? })
}

/// A range that the appliance has, or that somebody added to it.
fn range(cx: &mut Context, node: &Node, around: &Around) -> Option<SymbolicRange> {
    let range = scalar::parsed::<SymbolicRange>(cx, node, "an address range such as frontend+32/28")?;
    if around.knows(range) {
        return Some(range);
    }
    let help = "name one of `topology.service-ranges`, or one that is added in `given`".to_owned();
    cx.report(node.span.clone(), format!("there is no service range {range}"), help);
    None
}

fn upgrade_vcenter(
    cx: &mut Context,
    entry: &Entry,
    steps: Option<Steps>,
    vsphere: Option<VersionNumber>,
) -> Option<UpgradeVcenter> {
    let fields = cx.fields(&entry.value, "a vCenter upgrade", UPGRADE_VCENTER_KEYS, Some(&entry.key_span))?;
    let to = fields.required(cx, "to").and_then(|node| {
        let to = scalar::release(cx, node)?;
        if let Some(before) = vsphere.filter(|before| to <= *before) {
            let message = format!("vSphere cannot go from {before} to {to}");
            cx.report(node.span.clone(), message, "name a later release than `topology.vsphere`".to_owned());
        }
        Some(to)
    });
    let after = after(cx, &fields, steps);
    Some(UpgradeVcenter { to: to?, after: after? })
}

fn after(cx: &mut Context, fields: &Fields<'_>, steps: Option<Steps>) -> Option<String> {
    let node = fields.required(cx, "after")?;
    step_name(cx, node, steps)
}

fn step_name(cx: &mut Context, node: &Node, steps: Option<Steps>) -> Option<String> {
    let name = scalar::text(cx, node, "the name of a step")?;
    step(cx, node, name, steps)
}

/// Where the old appliance is removed, a rollback has nothing to go back to.
pub(super) fn no_way_back(cx: &mut Context, fields: &Fields<'_>, engine: Option<&Engine>, policy: Option<Rollback>) {
    let removes = engine.is_some_and(|engine| engine.remove_old);
    if let Some(node) = fields.optional("rollback").filter(|_| removes && policy == Some(Rollback::Always)) {
        let message = "`rollback: always` cannot go back to an appliance that was removed";
        let help = "set `remove-old: false`, or `rollback` to on-failure or never".to_owned();
        cx.report(node.span.clone(), message, help);
    }
}

/// A run lasts at least a minute, past the reload delay of the Data Plane API, and at most a virtual day.
pub(super) fn horizon(cx: &mut Context, node: &Node) -> Option<Duration> {
    scalar::duration_within(cx, node, Duration::from_secs(60)..=Duration::from_secs(24 * 3600))
}
