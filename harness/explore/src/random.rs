//! Schedules nobody thought of.

use grenadier_clock::Seed;
use grenadier_scenario::Fault;

use crate::plan::Plan;

/// How many faults a schedule has at most.
const MOST_FAULTS: u64 = 4;
/// The largest jitter of a schedule, in per cent.
const MOST_JITTER: u64 = 20;

/// The schedule of this number: faults at calls of the undisturbed run, another seed, lengths of time that vary, and events of
/// one moment in another order. Each has a random stream of its own, so one schedule does not hang on how many there are.
pub(crate) fn plan(faults: &[Fault], seed: u64, number: u64) -> Plan {
    let mut stream = Seed(seed).stream("explore", &format!("schedule-{number}"));
    let mut plan = Plan::default();
    if faults.is_empty() {
        return plan;
    }
    for _ in 0..=stream.below(MOST_FAULTS) {
        let fault = &faults[stream.below(faults.len() as u64) as usize];
        // One call can suffer one fault.
        if plan.faults.iter().all(|other| other.at != fault.at) {
            plan.faults.push(fault.clone());
        }
    }
    // Half of them each: what needs none of it is found without it.
    let mut maybe = |most: u64| (stream.below(2) == 0).then(|| stream.below(most));
    plan.ties = maybe(u64::MAX);
    plan.seed = maybe(1 << 32);
    plan.jitter = maybe(MOST_JITTER).and_then(|percent| format!("{}%", percent + 1).parse().ok());
    plan
}
