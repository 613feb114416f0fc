//! The calls of a recorded run, and what can go wrong with them.

use std::collections::BTreeSet;

use grenadier_catalog::{CallAddress, CallTemplate, HttpMethod};
use grenadier_events::{Actor, Event, Kind};
use grenadier_explore::{Point, faults_at as all_faults_at};
use grenadier_scenario::Fault;

/// The engine's calls within steps, in the order they ended, each once.
pub fn engine_calls(events: &[Event]) -> Vec<CallAddress> {
    let mut seen = BTreeSet::new();
    let calls = events.iter().filter_map(|event| match &event.kind {
        Kind::Call { address, .. } if event.actor == Actor::Engine => address.parse::<CallAddress>().ok(),
        _ => None,
    });
    calls.filter(|address| seen.insert(address.clone())).collect()
}

/// Those of them that the engine makes when it is called a second time, to roll back.
pub fn rollback_calls(events: &[Event]) -> Vec<CallAddress> {
    let upgraded = events.iter().position(|event| matches!(event.kind, Kind::EngineFinished { .. }));
    engine_calls(&events[upgraded.map_or(events.len(), |at| at + 1)..])
}

/// The first of `calls` of each template in each step.
pub fn one_of_each(calls: Vec<CallAddress>) -> Vec<CallAddress> {
    let mut seen = BTreeSet::new();
    calls.into_iter().filter(|call| seen.insert((call.step.clone(), call.template.clone()))).collect()
}

/// Whether a call of this template only looks. What it does not know it takes for a change.
pub fn only_looks(template: &CallTemplate) -> bool {
    match template.protocol() {
        "vsphere" => {
            let reads = ["Retrieve", "Find", "WaitForUpdates", "HasPrivilege"];
            reads.iter().any(|prefix| template.call().starts_with(prefix))
        }
        "dataplane" => template.http_method() == Some(HttpMethod::Get),
        "shell" => matches!(template.call(), "cat" | "curl" | "ip" | "test"),
        _ => false,
    }
}

/// Every fault that makes sense at this call; a crash once for each of what can be done then.
pub fn faults_at(call: &CallAddress) -> Vec<Fault> {
    all_faults_at(&Point { at: call.clone(), mutating: true }, &[])
}
