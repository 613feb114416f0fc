//! `faults`.

use std::time::Duration;

use grenadier_catalog::{AfterCrash, FaultKind, FaultPlace, Machine};

use super::conduct::{Steps, step};
use super::context::{Context, Fields};
use super::scalar;
use crate::Fault;
use crate::yaml::{Kind, Node};

const KEYS: &[&str] = &["at", "do", "machine", "by", "rate", "for", "then"];

/// How short and how long a fault may last.
const LENGTHS: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(24 * 3600);

pub(super) fn fault(cx: &mut Context, node: &Node, steps: Option<Steps>) -> Option<Fault> {
    let fields = cx.fields(node, "a fault", KEYS, None)?;
    let at = fields.required(cx, "at").and_then(|node| {
        let place: FaultPlace =
            scalar::parsed(cx, node, "a call such as power-on-new/vsphere.PowerOnVM_Task#1, or a step")?;
        step(cx, node, place.step(), steps)?;
        Some(place)
    });
    let kind_node = fields.required(cx, "do");
    let kind = kind_node.and_then(|node| scalar::name::<FaultKind>(cx, node));
    if let (Some(at), Some(kind), Some(node)) = (&at, kind, kind_node)
        && let Err(reason) = kind.applies_to(at)
    {
        let what = at.call().map_or_else(|| format!("step {at}"), |call| call.template.to_string());
        cx.report(node.span.clone(), format!("fault `{kind}` cannot happen to {what}"), format!("`{kind}` {reason}"));
    }
    let machine = fields.optional("machine").map(|node| scalar::name::<Machine>(cx, node));
    let by = fields.optional("by").map(|node| scalar::duration_within(cx, node, DELAYS));
    let rate = fields.optional("rate").map(|node| scalar::parsed(cx, node, "a share from 1% to 99%"));
    let length = fields.optional("for").map(|node| scalar::duration_within(cx, node, LENGTHS));
    let then = fields.optional("then").map(|node| scalar::name::<AfterCrash>(cx, node));
    if let Some(kind) = kind {
        details(cx, &fields, kind_node, kind);
    }
    let plain = Fault::new(at?, kind?);
    Some(Fault {
        machine: super::all_or_nothing(machine)?,
        by: super::all_or_nothing(by)?.or(plain.by),
        rate: super::all_or_nothing(rate)?.or(plain.rate),
        length: super::all_or_nothing(length)?,
        then: super::all_or_nothing(then)?,
        ..plain
    })
}

/// How late the packets of a `delay` may come. Nobody's TCP waits longer than a minute for an answer it can do without.
const DELAYS: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);

/// What is said beside the kind must mean something to it, and a machine must be named where it happens to one.
fn details(cx: &mut Context, fields: &Fields<'_>, kind_node: Option<&Node>, kind: FaultKind) {
    let meant = [
        (
            "machine",
            kind.needs_machine(),
            "leave it out, or ask for something that happens to a machine, such as machine-crash",
        ),
        ("by", kind.lateness().is_some(), "`delay` says how late packets come"),
        ("rate", kind.rate().is_some(), "`loss` says how many packets are lost"),
        ("for", kind.takes_length(), "`slow`, `slow-start`, `pause`, `partition`, `delay` and `loss` last"),
        ("then", kind.is_crash(), "leave it out: only after a crash is there something to decide"),
    ];
    for (key, fits, help) in meant {
        if let Some(entry) = fields.entry(key).filter(|_| !fits) {
            cx.report(entry.key_span.clone(), format!("`{key}` means nothing to `{kind}`"), help.to_owned());
        }
    }
    if let Some(node) = kind_node.filter(|_| kind.needs_machine() && fields.optional("machine").is_none()) {
        let help = "add `machine: new-appliance` or `machine: old-appliance`".to_owned();
        cx.report(node.span.clone(), format!("`{kind}` happens to a machine, and none is named"), help);
    }
}

/// Two faults at one call, or one fault twice at a step: only one of them could act.
pub(super) fn same_place_twice(cx: &mut Context, fields: &Fields<'_>, faults: Option<&[Fault]>) {
    let (Some(faults), Some(Kind::List(nodes))) = (faults, fields.optional("faults").map(|node| &node.kind)) else {
        return;
    };
    for (at, fault) in faults.iter().enumerate() {
        if let Some(first) = faults[..at].iter().position(|other| excludes(other, fault)) {
            let also = (nodes[first].span.clone(), "first here");
            let (message, help) = match &fault.at {
                FaultPlace::Call(_) => {
                    (format!("two faults at {}", fault.at), "a call can suffer one fault; address another occurrence")
                }
                FaultPlace::Step(_) => {
                    (format!("`{}` twice at step {}", fault.kind, fault.at), "a step can suffer each fault once")
                }
            };
            cx.report_with(nodes[at].span.clone(), message, help.to_owned(), also);
        }
    }
}

/// Whether of the two only one could act.
pub(crate) fn excludes(one: &Fault, other: &Fault) -> bool {
    let same = one.at == other.at;
    same && (one.at.call().is_some() || (one.kind, one.machine) == (other.kind, other.machine))
}
