//! The calls of a recorded run, and what can go wrong with them.

use std::collections::BTreeSet;

use grenadier_catalog::{CallAddress, CallTemplate, FaultKind, HttpMethod, Named};
use grenadier_events::{Actor, Event, Kind};
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
    match template {
        CallTemplate::Vsphere { method } => {
            ["Retrieve", "Find", "WaitForUpdates", "HasPrivilege"].iter().any(|prefix| method.starts_with(prefix))
        }
        CallTemplate::Dataplane { method, .. } => *method == HttpMethod::Get,
        CallTemplate::Shell { program } => matches!(program.as_str(), "cat" | "curl" | "test"),
    }
}

/// Every kind of fault that makes sense at this call.
pub fn faults_at(call: &CallAddress) -> Vec<Fault> {
    let kinds = <FaultKind as Named>::ALL.iter().copied().filter(|kind| kind.applies_to(&call.template).is_ok());
    kinds.map(|kind| Fault { at: call.clone(), kind }).collect()
}
