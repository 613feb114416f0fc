//! The calls and steps of a run at which something can go wrong.

use std::collections::BTreeSet;

use grenadier_catalog::{CallAddress, Machine, Named};
use grenadier_checks::{Roles, changes_something};
use grenadier_events::{Actor, Event, Kind, StepVerb};

/// A call of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Its address.
    pub at: CallAddress,
    /// Whether it can change something.
    pub mutating: bool,
}

/// A step of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPoint {
    /// Its name.
    pub step: String,
    /// The machines that are there when it begins.
    pub machines: Vec<Machine>,
}

/// The engine's calls, in the order in which they ended, each once; and the templates of those that no rule can address,
/// because the engine makes them outside its steps.
pub fn of(events: &[Event]) -> (Vec<Point>, BTreeSet<String>) {
    let (mut points, mut outside) = (Vec::new(), BTreeSet::new());
    let mut seen = BTreeSet::new();
    for event in events.iter().filter(|event| event.actor == Actor::Engine) {
        let Kind::Call { address, .. } = &event.kind else { continue };
        match address.parse::<CallAddress>() {
            Ok(at) if at.step.is_some() => {
                if seen.insert(at.clone()) {
                    points.push(Point { mutating: changes_something(address), at });
                }
            }
            Ok(_) | Err(_) => {
                outside.insert(address.rsplit_once('#').map_or(address.as_str(), |(name, _)| name).to_owned());
            }
        }
    }
    (points, outside)
}

/// The steps that the engine applied, in order, with the machines that were there. `roles` says what a machine's name stands
/// for.
pub fn steps(events: &[Event], roles: &Roles) -> Vec<StepPoint> {
    let role = |name: &str| Machine::parse(roles.first_in(name)?);
    let (mut steps, mut machines): (Vec<StepPoint>, Vec<Machine>) = (Vec::new(), Vec::new());
    for event in events {
        match &event.kind {
            Kind::MachineCreated { machine } => machines.extend(role(machine)),
            Kind::MachineDestroyed { machine } => {
                let gone = role(machine);
                machines.retain(|machine| Some(*machine) != gone);
            }
            Kind::StepStarted { step, verb: StepVerb::Apply } if steps.iter().all(|seen| seen.step != *step) => {
                steps.push(StepPoint { step: step.clone(), machines: machines.clone() });
            }
            _ => {}
        }
    }
    steps
}
