//! Everything that can go wrong once.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_catalog::{AfterCrash, FaultKind, FaultPlace, Machine, Named};
use grenadier_scenario::Fault;

use crate::coverage::Excluded;
use crate::plan::Plan;
use crate::points::{Point, StepPoint};

/// How long it lasts that is explored, where it lasts: longer than any call waits, and not for ever, which nobody could survive.
const LASTING: Duration = Duration::from_secs(60);

/// The machines to which things happen. What the upgrade is to leave as it was is left out: no step of an upgrade mends a machine
/// that it does not touch, so an old machine that breaks meanwhile stays broken whatever the engine does.
const EXPLORED: [Machine; 1] = [Machine::NewAppliance];

/// One plan for each call and each kind of fault that makes sense there, in the order of the calls; then one for each step, each
/// crash and each thing that can happen to a machine that is there by then.
pub(crate) fn singles(points: &[Point], steps: &[StepPoint], taken: &[Fault]) -> Vec<Plan> {
    let calls = points.iter().flat_map(|point| faults_at(point, taken));
    let steps = steps.iter().flat_map(|step| faults_at_step(step, taken));
    calls.chain(steps).map(Plan::single).collect()
}

/// The faults that make sense at a call; a crash once for each of what can be done then. None where the scenario itself has a
/// fault there already.
pub fn faults_at(point: &Point, taken: &[Fault]) -> Vec<Fault> {
    let place = FaultPlace::Call(point.at.clone());
    if taken.iter().any(|fault| fault.at == place) {
        return Vec::new();
    }
    let kinds = <FaultKind as Named>::ALL.iter().filter(|kind| kind.applies_to(&place).is_ok());
    kinds.flat_map(|kind| variants(Fault::new(place.clone(), *kind))).collect()
}

/// The faults that make sense at a step, beside those the scenario itself has there.
pub fn faults_at_step(step: &StepPoint, taken: &[Fault]) -> Vec<Fault> {
    let place = FaultPlace::Step(step.step.clone());
    let kinds = <FaultKind as Named>::ALL.iter().filter(|kind| kind.applies_to(&place).is_ok());
    let all = kinds.flat_map(|kind| {
        let fault = Fault::new(place.clone(), *kind);
        if !kind.needs_machine() {
            return variants(fault);
        }
        let length = kind.lasts().then_some(LASTING);
        let on = |machine| Fault { machine: Some(machine), length, ..fault.clone() };
        step.machines.iter().copied().filter(|machine| EXPLORED.contains(machine)).map(on).collect()
    });
    all.filter(|fault| {
        taken.iter().all(|own| (&own.at, own.kind, own.machine) != (&fault.at, fault.kind, fault.machine))
    })
    .collect()
}

/// A crash once for each of what can be done then; another fault once.
fn variants(fault: Fault) -> Vec<Fault> {
    if !fault.kind.is_crash() {
        return vec![fault];
    }
    AfterCrash::ALL.iter().map(|then| Fault { then: Some(*then), ..fault.clone() }).collect()
}

/// Why kinds of faults were left out at calls, with how many templates that is true of. Kinds that happen to steps are tried
/// there.
pub(crate) fn excluded(points: &[Point], steps: &[StepPoint]) -> Vec<Excluded> {
    let mut reasons: BTreeMap<(String, String), std::collections::BTreeSet<String>> = BTreeMap::new();
    let at_calls = |kind: &&FaultKind| !kind.needs_machine() && **kind != FaultKind::CrashJournaled;
    for point in points {
        for kind in <FaultKind as Named>::ALL.iter().filter(at_calls) {
            if let Err(reason) = kind.applies_to_call(&point.at.template) {
                let calls = reasons.entry((kind.name().to_owned(), reason.to_owned())).or_default();
                calls.insert(point.at.template.to_string());
            }
        }
    }
    let line = |((fault, reason), calls): ((String, String), std::collections::BTreeSet<String>)| Excluded {
        fault,
        reason,
        calls: calls.len() as u64,
    };
    let mut excluded: Vec<Excluded> = reasons.into_iter().map(line).collect();
    for machine in <Machine as Named>::ALL.iter().filter(|machine| !EXPLORED.contains(machine)) {
        let steps = steps.iter().filter(|step| step.machines.contains(machine)).count() as u64;
        for kind in <FaultKind as Named>::ALL.iter().filter(|kind| kind.needs_machine() && steps > 0) {
            let reason = "is not explored: no step of an upgrade mends what it is to leave as it was".to_owned();
            excluded.push(Excluded { fault: format!("{kind}:{machine}"), reason, calls: steps });
        }
    }
    excluded
}
