//! `engine`, `rollback`, `faults`, `events`, `timing`, `horizon`.

use std::time::Duration;

use grenadier_catalog::{CallAddress, FaultKind, Machine, Procedure, System, VersionNumber};

use super::context::{Context, Fields};
use super::scalar;
use crate::yaml::{Entry, Kind, Node};
use crate::{Engine, Fault, ForeignEvent, Jitter, PowerOn, Rollback, Timing, TimingProfile, UpgradeVcenter};

const ENGINE_KEYS: &[&str] = &["procedure", "remove-old"];
const FAULT_KEYS: &[&str] = &["at", "do"];
const EVENTS: &[&str] = &["power-on", "upgrade-vcenter"];
const POWER_ON_KEYS: &[&str] = &["machine", "after"];
const UPGRADE_VCENTER_KEYS: &[&str] = &["to", "after"];
const TIMING_KEYS: &[&str] = &["profile", "jitter"];

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
    Some(Engine { procedure: procedure?, remove_old: remove_old? })
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

fn step(cx: &mut Context, node: &Node, name: &str, steps: Option<Steps>) -> Option<String> {
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

pub(super) fn fault(cx: &mut Context, node: &Node, steps: Option<Steps>) -> Option<Fault> {
    let fields = cx.fields(node, "a fault", FAULT_KEYS, None)?;
    let at = fields.required(cx, "at").and_then(|node| {
        let address: CallAddress =
            scalar::parsed(cx, node, "a call address such as power-on-new/vsphere.PowerOnVM_Task#1")?;
        step(cx, node, &address.step, steps)?;
        Some(address)
    });
    let kind_node = fields.required(cx, "do");
    let kind = kind_node.and_then(|node| scalar::name::<FaultKind>(cx, node));
    if let (Some(at), Some(kind), Some(node)) = (&at, kind, kind_node)
        && let Err(reason) = kind.applies_to(&at.template)
    {
        cx.report(
            node.span.clone(),
            format!("fault `{kind}` cannot happen to {}", at.template),
            format!("`{kind}` {reason}"),
        );
    }
    Some(Fault { at: at?, kind: kind? })
}

/// Two faults at one call: only one of them could act.
pub(super) fn same_call_twice(cx: &mut Context, fields: &Fields<'_>, faults: Option<&[Fault]>) {
    let (Some(faults), Some(Kind::List(nodes))) = (faults, fields.optional("faults").map(|node| &node.kind)) else {
        return;
    };
    for (at, fault) in faults.iter().enumerate() {
        if let Some(first) = faults[..at].iter().position(|other| other.at == fault.at) {
            let also = (nodes[first].span.clone(), "first here");
            let help = "a call can suffer one fault; address another occurrence".to_owned();
            cx.report_with(nodes[at].span.clone(), format!("two faults at {}", fault.at), help, also);
        }
    }
}

pub(super) fn event(
    cx: &mut Context,
    node: &Node,
    steps: Option<Steps>,
    vsphere: Option<VersionNumber>,
) -> Option<ForeignEvent> {
    let entry = cx.single(node, "an event", EVENTS)?;
    match entry.key.as_str() {
        "power-on" => {
            let fields = cx.fields(&entry.value, "a power-on", POWER_ON_KEYS, Some(&entry.key_span))?;
            let machine = fields.required(cx, "machine").and_then(|node| scalar::name::<Machine>(cx, node));
            let after = after(cx, &fields, steps);
            Some(ForeignEvent::PowerOn(PowerOn { machine: machine?, after: after? }))
        }
        _ => upgrade_vcenter(cx, entry, steps, vsphere).map(ForeignEvent::UpgradeVcenter),
    }
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
    let name = scalar::text(cx, node, "the name of a step")?;
    step(cx, node, name, steps)
}

pub(super) fn timing(cx: &mut Context, node: &Node) -> Option<Timing> {
    let fields = cx.fields(node, "a timing", TIMING_KEYS, None)?;
    let profile = match fields.optional("profile") {
        None => Some(TimingProfile::default()),
        Some(node) => scalar::choice(cx, node, "timing profile", &[("reference", TimingProfile::Reference)]),
    };
    let jitter = match fields.optional("jitter") {
        None => Some(Jitter::default()),
        Some(node) => scalar::parsed(cx, node, "a jitter from 0% to 50%"),
    };
    Some(Timing { profile: profile?, jitter: jitter? })
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
