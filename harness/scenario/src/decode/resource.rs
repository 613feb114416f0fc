//! `create` and `workload`.

use std::time::Duration;

use grenadier_catalog::{Cluster, ProbeKind};

use super::context::{Context, Fields};
use super::topology::{self, Around};
use super::{items, scalar};
use crate::document::{MAX_BACKENDS, MAX_CLIENTS, default_clients, default_cluster, default_every};
use crate::yaml::{Entry, Kind};
use crate::{LoadBalancer, Probe, Resource, Workload, suggest};

/// How many backends a scenario may have in all: each takes an address of its segment behind the service ranges.
const TOTAL_BACKENDS: u32 = 1024;

const RESOURCES: &[&str] = &["load-balancer"];
const WORKLOADS: &[&str] = &["probe"];
const LOAD_BALANCER_KEYS: &[&str] = &["name", "vip", "port", "backends", "cluster", "by-hand"];
const PROBE_KEYS: &[&str] = &["target", "kind", "every", "clients"];

/// The name of the target that the runner adds outside the upgrade.
const CANARY: &str = "canary";

pub(super) fn create(cx: &mut Context, fields: &Fields<'_>, around: &Around) -> Option<Vec<Resource>> {
    let node = fields.required(cx, "create")?;
    let mut seen: Vec<(&Entry, LoadBalancer)> = Vec::new();
    let created = items(cx, node, |cx, node| {
        let entry = cx.single(node, "a resource", RESOURCES)?;
        let load_balancer = load_balancer(cx, entry, around)?;
        distinct(cx, entry, &load_balancer, &seen);
        seen.push((entry, load_balancer.clone()));
        Some(Resource::LoadBalancer(load_balancer))
    })?;
    if created.is_empty() {
        let help = "add a load balancer: - load-balancer: {name: shop, vip: …, port: 443, backends: 3}".to_owned();
        cx.report(node.span.clone(), "nothing is created, so nothing could be interrupted", help);
        return None;
    }
    let backends: u32 = seen.iter().map(|(_, load_balancer)| load_balancer.backends).sum();
    if backends > TOTAL_BACKENDS {
        let help = format!("a run has room for {TOTAL_BACKENDS}: give the load balancers fewer");
        cx.report(node.span.clone(), format!("there are {backends} backends in all"), help);
        return None;
    }
    Some(created)
}

fn load_balancer(cx: &mut Context, entry: &Entry, around: &Around) -> Option<LoadBalancer> {
    let fields = cx.fields(&entry.value, "a load balancer", LOAD_BALANCER_KEYS, Some(&entry.key_span))?;
    let name = fields.required(cx, "name").and_then(|node| {
        let name = scalar::kebab(cx, node, "a name in kebab case, such as shop")?;
        if name == CANARY {
            let help = "the runner probes a target of that name outside the upgrade; choose another".to_owned();
            cx.report(node.span.clone(), format!("the name `{CANARY}` is taken"), help);
        }
        Some(name)
    });
    let vip = fields.required(cx, "vip").and_then(|node| topology::vip(cx, node, around));
    let port = fields.required(cx, "port").and_then(|node| scalar::integer(cx, node, 1..=u16::MAX));
    let backends = fields.required(cx, "backends").and_then(|node| scalar::integer(cx, node, 1..=MAX_BACKENDS));
    let cluster = match fields.optional("cluster") {
        None => Some(default_cluster()),
        Some(node) => scalar::name::<Cluster>(cx, node),
    };
    let by_hand = match fields.optional("by-hand") {
        None => Some(false),
        Some(node) => scalar::boolean(cx, node),
    };
    Some(LoadBalancer {
        name: name?,
        vip: vip?,
        port: port?,
        backends: backends?,
        cluster: cluster?,
        by_hand: by_hand?,
    })
}

/// Reports a name, or an address and port, that an earlier load balancer has already.
fn distinct(cx: &mut Context, entry: &Entry, new: &LoadBalancer, seen: &[(&Entry, LoadBalancer)]) {
    let value =
        |entry: &Entry, key: &str| entry.value.child(key).map_or(entry.key_span.clone(), |node| node.span.clone());
    if let Some((other, _)) = seen.iter().find(|(_, other)| other.name == new.name) {
        let also = (value(other, "name"), "first here");
        let help = "give each its own name".to_owned();
        cx.report_with(value(entry, "name"), format!("two load balancers are called `{}`", new.name), help, also);
    }
    if let Some((other, first)) = seen.iter().find(|(_, other)| (other.vip, other.port) == (new.vip, new.port)) {
        let also = (value(other, "vip"), "first here");
        let message = format!(
            "load balancers `{}` and `{}` have the same address and port, {}:{}",
            first.name, new.name, new.vip, new.port
        );
        cx.report_with(value(entry, "vip"), message, "give each its own address or its own port".to_owned(), also);
    }
}

/// The names of the load balancers, also of those that are wrong otherwise; nothing if one of them has no name to read.
fn declared<'t>(fields: &Fields<'t>) -> Option<Vec<&'t str>> {
    let Kind::List(items) = &fields.optional("create")?.kind else { return None };
    items
        .iter()
        .map(|item| match &item.child("load-balancer")?.child("name")?.kind {
            Kind::Text(name) => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

/// The workload; without one, every load balancer is probed.
pub(super) fn workload(cx: &mut Context, fields: &Fields<'_>) -> Option<Vec<Workload>> {
    let names = declared(fields);
    let Some(node) = fields.optional("workload") else {
        let probe = |target: &&str| {
            Workload::Probe(Probe {
                target: (*target).to_owned(),
                kind: ProbeKind::HttpNew,
                every: default_every(),
                clients: default_clients(),
            })
        };
        return names.map(|names| names.iter().map(probe).collect());
    };
    items(cx, node, |cx, node| {
        let entry = cx.single(node, "a workload", WORKLOADS)?;
        probe(cx, entry, names.as_deref()).map(Workload::Probe)
    })
}

fn probe(cx: &mut Context, entry: &Entry, names: Option<&[&str]>) -> Option<Probe> {
    let fields = cx.fields(&entry.value, "a probe", PROBE_KEYS, Some(&entry.key_span))?;
    let target = fields.required(cx, "target").and_then(|node| {
        let target = scalar::kebab(cx, node, "the name of a load balancer")?;
        if let Some(names) = names.filter(|names| !names.contains(&target.as_str())) {
            let help = suggest::hint("load balancer", &target, names.iter().copied());
            cx.report(node.span.clone(), format!("no load balancer is called `{target}`"), help);
            return None;
        }
        Some(target)
    });
    let kind = fields.required(cx, "kind").and_then(|node| scalar::name::<ProbeKind>(cx, node));
    let every = match fields.optional("every") {
        None => Some(default_every()),
        Some(node) => scalar::duration_within(cx, node, Duration::from_millis(1)..=Duration::from_secs(3600)),
    };
    let clients = match fields.optional("clients") {
        None => Some(default_clients()),
        Some(node) => scalar::integer(cx, node, 1..=MAX_CLIENTS),
    };
    Some(Probe { target: target?, kind: kind?, every: every?, clients: clients? })
}
