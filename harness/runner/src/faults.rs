//! A scenario's faults, given to whom they are for: calls and crashes to the wire, the rest to the fleet.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use grenadier_catalog::{AfterCrash, FaultKind, Machine};
use grenadier_events::{Actor, Event, EventLog, Kind, StepVerb};
use grenadier_fleet::{Mishap, Operation};
use grenadier_scenario::{Fault, Scenario};
use grenadier_wire::{Crash, FaultRule};
use tokio::sync::mpsc;

use crate::rehearsal::chain;
use crate::stage::Stage;

/// Gives the wire its rules.
pub(crate) fn add_rules(stage: &dyn Stage, scenario: &Scenario) {
    for fault in scenario.faults.iter().filter(|fault| !fault.kind.needs_machine()) {
        let what = fault.what();
        let length = fault.length.unwrap_or(FaultKind::SLOW);
        stage.wire().add_rule(FaultRule { length, what, ..FaultRule::new(fault.at.clone(), fault.kind) });
    }
}

/// What a new engine process is asked for after this crash.
pub(crate) fn after_crash(scenario: &Scenario, crash: &Crash) -> AfterCrash {
    let fault = scenario.faults.iter().find(|fault| fault.at == crash.at && fault.kind == crash.fault);
    fault.and_then(|fault| fault.then).unwrap_or(scenario.engine.after_crash)
}

/// Writes down the faults that found no place to act.
pub(crate) fn tell_idle(stage: &dyn Stage, mishaps: &Mishaps) {
    let now = stage.clock().now();
    for idle in stage.wire().idle_rules() {
        not_injectable(stage, idle.rule.at.to_string(), idle.rule.what, idle.reason.to_owned(), now);
    }
    for (fault, _) in mishaps.take_all() {
        let reason = "the engine never came to this step".to_owned();
        not_injectable(stage, fault.at.to_string(), fault.what(), reason, now);
    }
}

fn not_injectable(stage: &dyn Stage, at: String, fault: String, reason: String, now: grenadier_clock::Time) {
    stage.log().emit(now, Actor::Runner, Kind::FaultNotInjectable { at, fault, reason });
}

/// What is to happen to machines at steps, and has not happened yet; each with the machine's name.
#[derive(Clone, Default)]
pub(crate) struct Mishaps(Arc<Mutex<Vec<(Fault, String)>>>);

impl Mishaps {
    /// Those of a scenario. `name` says what a machine is called in the fleet.
    pub(crate) fn of(scenario: &Scenario, name: impl Fn(Machine) -> String) -> Mishaps {
        let on_machine = |fault: &Fault| Some((fault.clone(), name(fault.machine?)));
        let faults = scenario.faults.iter().filter(|fault| fault.kind.needs_machine());
        Mishaps(Arc::new(Mutex::new(faults.filter_map(on_machine).collect())))
    }

    fn take_all(&self) -> Vec<(Fault, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, step: &str) -> Vec<(Fault, String)> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (here, later) = std::mem::take(&mut *faults).into_iter().partition(|(fault, _)| fault.at.step() == step);
        *faults = later;
        here
    }

    /// Makes them happen when the engine begins their steps, as the log tells. Never ends.
    pub(crate) fn happen(self, stage: &dyn Stage) -> impl Future<Output = ()> {
        let steps = (!self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()).then(|| begun(stage.log()));
        async move {
            let Some(mut steps) = steps else { return std::future::pending().await };
            let mut repairs = FuturesUnordered::new();
            loop {
                let repaired = async {
                    match repairs.next().await {
                        Some(repaired) => repaired,
                        None => std::future::pending().await,
                    }
                };
                let step = match select(std::pin::pin!(steps.recv()), std::pin::pin!(repaired)).await {
                    Either::Left((Some(step), _)) => step,
                    Either::Left((None, _)) => return std::future::pending().await,
                    Either::Right(((), _)) => continue,
                };
                for (fault, machine) in self.take(&step) {
                    let happened = happen(stage, &fault, &machine).await;
                    if let (true, Some(end), Some(length)) = (happened, end(fault.kind), fault.length) {
                        repairs.push(async move {
                            stage.clock().sleep(length).await;
                            suffer(stage, &machine, end).await;
                        });
                    }
                }
            }
        }
    }
}

/// The steps that the engine begins to apply from now on.
fn begun(log: &EventLog) -> mpsc::UnboundedReceiver<String> {
    let (sender, steps) = mpsc::unbounded_channel();
    log.observe(Box::new(move |event: &Event| {
        if let Kind::StepStarted { step, verb: StepVerb::Apply } = &event.kind {
            // Nobody listens any more when the rehearsal is over.
            let _unheard = sender.send(step.clone());
        }
    }));
    steps
}

/// Makes one happen, and says so; whether it did.
async fn happen(stage: &dyn Stage, fault: &Fault, machine: &str) -> bool {
    let (at, what) = (fault.at.to_string(), fault.what());
    let done = match (mishap(fault), stage.machine(machine)) {
        (Some(mishap), Some(id)) => {
            stage.perform(Operation::Suffer { machine: id, mishap }).await.map_err(|error| chain(&error))
        }
        (None, _) => Err("it happens to no machine".to_owned()),
        (_, None) => Err(format!("there is no {machine} at this step")),
    };
    let now = stage.clock().now();
    match done {
        Ok(_) => stage.log().emit(now, Actor::World, Kind::FaultInjected { at, fault: what }),
        Err(reason) => {
            not_injectable(stage, at, what, reason, now);
            return false;
        }
    }
    true
}

async fn suffer(stage: &dyn Stage, machine: &str, mishap: Mishap) {
    if let Some(id) = stage.machine(machine) {
        // One that is gone by now needs nothing.
        let _gone = stage.perform(Operation::Suffer { machine: id, mishap }).await;
    }
}

/// What a fault is to the fleet, where it happens to a machine.
fn mishap(fault: &Fault) -> Option<Mishap> {
    Some(match fault.kind {
        FaultKind::MachineCrash => Mishap::Crash,
        FaultKind::BootFails => Mishap::BootFails,
        FaultKind::NoAddress => Mishap::NoAddress,
        FaultKind::DiskFull => Mishap::DiskFull,
        FaultKind::SlowStart => Mishap::SlowStart(fault.length.unwrap_or(FaultKind::SLOW_START)),
        FaultKind::Pause => Mishap::Pause,
        FaultKind::Partition => Mishap::Partition,
        FaultKind::Delay => Mishap::Delay(fault.by?),
        FaultKind::Loss => Mishap::Loss(fault.rate?.get()),
        _ => return None,
    })
}

/// What ends a fault that lasts.
fn end(kind: FaultKind) -> Option<Mishap> {
    Some(match kind {
        FaultKind::Pause => Mishap::Resume,
        FaultKind::Partition => Mishap::Repair,
        FaultKind::Delay => Mishap::Delay(Duration::ZERO),
        FaultKind::Loss => Mishap::Loss(0),
        _ => return None,
    })
}
