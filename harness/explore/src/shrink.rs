//! Making a case smaller.

use grenadier_catalog::{CallAddress, FaultKind, FaultPlace, Named};
use grenadier_scenario::{Case, Fault};

use crate::perform::perform;
use crate::plan::Plan;
use crate::replay::plan_of;
use crate::signature::Signature;
use crate::subject::{Subject, SubjectError};

/// A case made smaller.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The case, with what it shows; none where the case did not fail.
    pub case: Option<Case>,
    /// How many faults there were.
    pub before: usize,
    /// How many there are.
    pub after: usize,
    /// How many runs it took.
    pub runs: u64,
}

/// Makes `case` smaller while it still shows what it shows: faults are dropped one by one; then the seed, the order of events
/// and the lengths of time become the usual ones, occurrences lower and kinds simpler.
///
/// # Errors
/// The undisturbed run does not pass.
pub fn shrink(case: &Case) -> Result<Shrunk, SubjectError> {
    // With the scenario's own seed where the case has another: that is simpler, and may be enough.
    let plan_there = plan_of(case);
    let before = plan_there.faults.len();
    let own = Subject::record(case.origin.clone(), case.declared.clone())?;
    let other = Some(case.scenario.seed).filter(|seed| *seed != case.declared.seed);
    let plan_there = Plan { seed: other, ..plan_there };
    let Some(failure) = perform(&own, &plan_there, |_| ()).failure else {
        return Ok(Shrunk { case: None, before, after: before, runs: 1 });
    };
    let (small, runs) = plan(&own, &plan_there, &failure.signature);
    let shows = perform(&own, &small, |_| ()).failure.map(|failure| failure.signature.to_string());
    let made = small.case(&case.origin, &case.declared, shows);
    Ok(Shrunk { case: Some(made), before, after: small.faults.len(), runs: runs + 2 })
}

/// The smallest plan that was found to violate what `signature` says, and how many runs that took. A single fault and nothing
/// else is small enough for an exploration: each kind at each step is a failure of its own.
pub(crate) fn plan(subject: &Subject, plan: &Plan, signature: &Signature) -> (Plan, u64) {
    let mut small = plan.clone();
    let mut runs = 0;
    'smaller: loop {
        for candidate in candidates(&small) {
            runs += 1;
            let failure = perform(subject, &candidate, |_| ()).failure;
            if failure.is_some_and(|failure| failure.signature.same_violation(signature)) {
                small = candidate;
                continue 'smaller;
            }
        }
        return (small, runs);
    }
}

/// What is a little simpler than `plan`, the greatest step first. Each is smaller by a measure that ends.
fn candidates(plan: &Plan) -> Vec<Plan> {
    let mut candidates = Vec::new();
    let mut add = |change: &dyn Fn(&mut Plan)| {
        let mut changed = plan.clone();
        change(&mut changed);
        candidates.push(changed);
    };
    for number in 0..plan.faults.len() {
        add(&|plan| {
            plan.faults.remove(number);
        });
    }
    if plan.seed.is_some() {
        add(&|plan| plan.seed = None);
    }
    if plan.ties.is_some() {
        add(&|plan| plan.ties = None);
    }
    if plan.jitter.is_some() {
        add(&|plan| plan.jitter = None);
    }
    for (number, fault) in plan.faults.iter().enumerate() {
        if let FaultPlace::Call(call) = &fault.at {
            let occurrence = call.occurrence;
            let moved = |at| FaultPlace::Call(CallAddress { occurrence: at, ..call.clone() });
            let free = |at: &FaultPlace| plan.faults.iter().all(|other| other.at != *at);
            for lower in [1, occurrence / 2, occurrence - 1] {
                if (1..occurrence).contains(&lower) && free(&moved(lower)) {
                    add(&|plan| plan.faults[number].at = moved(lower));
                }
            }
        }
        // The catalogue lists kinds from the simplest on.
        for simpler in <FaultKind as Named>::ALL.iter().take_while(|kind| **kind != fault.kind) {
            if simpler.applies_to(&fault.at).is_ok() && (!simpler.needs_machine() || fault.machine.is_some()) {
                add(&|plan| plan.faults[number] = retold(fault, *simpler));
            }
        }
    }
    candidates
}

/// The fault as one of another kind, with as much of what is said of it as means something there.
fn retold(fault: &Fault, kind: FaultKind) -> Fault {
    Fault {
        at: fault.at.clone(),
        kind,
        machine: fault.machine.filter(|_| kind.needs_machine()),
        by: kind.lateness(),
        rate: kind.rate(),
        length: fault.length.filter(|_| kind.takes_length()),
        then: fault.then.filter(|_| kind.is_crash()),
    }
}
