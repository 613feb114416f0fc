//! Runs as texts in which a difference is readable.

use std::fmt::Write as _;

use grenadier_catalog::Named;
use grenadier_checks::Verdict;
use grenadier_clock::format_duration;
use grenadier_events::{Event, Kind};

/// A verdict: its word and summary, the engine's, each check's and each target's line.
pub fn summary(verdict: &Verdict) -> String {
    let mut text = format!("{}: {}\n", verdict.verdict.name(), verdict.summary);
    for phase in &verdict.phases {
        let status =
            phase.status.map_or_else(|| "unfinished".to_owned(), |status| format!("{status:?}").to_lowercase());
        let message = phase.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        line(&mut text, &format!("phase {} {status}{message}", phase.phase));
    }
    for engine in &verdict.engine {
        let outcome = engine.outcome.map_or("no outcome", |outcome| outcome.name());
        let rule = engine.rule.as_deref().map(|rule| format!(" by {rule}")).unwrap_or_default();
        let code = engine.exit_code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}"));
        line(&mut text, &format!("engine {} {code}, {outcome}{rule}: {}", engine.verb, engine.message));
    }
    for check in &verdict.checks {
        let mark = if check.must_fail { " (must fail)" } else { "" };
        let result = &check.result;
        line(&mut text, &format!("check {} {}{mark}: {}", result.check.name(), result.status.name(), result.message));
        for rung in result.ladder.iter().flat_map(|ladder| &ladder.rungs) {
            line(&mut text, &format!("  level {} {}: {}", rung.name(), rung.status.name(), rung.message));
        }
    }
    for target in &verdict.targets {
        for outage in &target.outages {
            let length = format_duration(std::time::Duration::from_nanos(outage.length(verdict.ended_ns).upper_ns));
            let step = outage.step.as_deref().unwrap_or("no step");
            line(&mut text, &format!("outage {} {:?} {length} in {step}", target.target, outage.probe));
        }
    }
    for fault in &verdict.faults {
        line(&mut text, &format!("fault {fault}"));
    }
    for fault in &verdict.not_injectable {
        line(&mut text, &format!("not injectable {fault}"));
    }
    text
}

/// A log as one short line an event: when, who, what, and the fields by which a person recognises it.
///
/// Hashes, endpoints and details are left out: they are what the hash of the log is for.
pub fn skeleton(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let at = event.t_ns.as_ns();
        let (seconds, rest) = (at / 1_000_000_000, at % 1_000_000_000);
        line(&mut text, &format!("{seconds:>4}.{rest:09} {:13} {}", event.actor.name(), what(&event.kind)));
    }
    text
}

/// An event in a few words. Every kind is named here, so that a new one is not forgotten.
fn what(kind: &Kind) -> String {
    match kind {
        Kind::RunStarted { scenario, base, target, .. } => format!("run-started {scenario} {base} -> {target}"),
        Kind::PhaseStarted { phase } => format!("phase-started {phase}"),
        Kind::PhaseFinished { phase, status, .. } => format!("phase-finished {phase} {status:?}"),
        Kind::StepStarted { step, verb } => format!("step-started {step} {verb:?}"),
        Kind::StepFinished { step, verb, error } => format!("step-finished {step} {verb:?}{}", after(error)),
        Kind::Call { address, result, fault, .. } => format!("call {address} {result}{}", after(fault)),
        Kind::Task { task, method, state, .. } => format!("task {task} {method} {state}"),
        Kind::FaultInjected { at, fault } => format!("fault-injected {at} {fault}"),
        Kind::FaultNotInjectable { at, fault, .. } => format!("fault-not-injectable {at} {fault}"),
        Kind::MachineCreated { machine } => format!("machine-created {machine}"),
        Kind::MachineDestroyed { machine } => format!("machine-destroyed {machine}"),
        Kind::PowerChanged { machine, power } => format!("power-changed {machine} {power:?}"),
        Kind::Snapshot { machine, snapshot, action } => format!("snapshot {machine} {snapshot} {action}"),
        Kind::AddressOwners { segment, address, owners } => {
            format!("address-owners {segment} {address} {}", owners.join(","))
        }
        Kind::Neighbour { client, address, owner } => format!("neighbour {client} {address}{}", after(owner)),
        Kind::Availability { target, probe, now, .. } => {
            let state = match now {
                grenadier_events::Availability::Up(by) => format!("up {} {}", by.machine, by.backends.join(",")),
                grenadier_events::Availability::Down { .. } => "down".to_owned(),
            };
            format!("availability {target} {} {state}", probe.name())
        }
        Kind::Prober { target, probe, now, .. } => {
            let state = match now {
                grenadier_events::ProberState::Started { .. } => "started",
                grenadier_events::ProberState::Stopped { .. } => "stopped",
                grenadier_events::ProberState::Gap { .. } => "gap",
                grenadier_events::ProberState::Late { .. } => "late",
                grenadier_events::ProberState::NotCovered { .. } => "not-covered",
            };
            format!("prober {target} {} {state}", probe.name())
        }
        Kind::Outage { target, probe, step, .. } => format!("outage {target} {}{}", probe.name(), after(step)),
        Kind::Service { machine, service, state, .. } => format!("service {machine} {service} {state}"),
        Kind::GuestLog { machine, service, .. } => format!("guest-log {machine} {service}"),
        Kind::Operator { cluster, state, attempt, .. } => format!("operator {cluster} {state} {attempt}"),
        Kind::EngineFinished { verb, exit_code, .. } => format!("engine-finished {verb} {exit_code}"),
        Kind::Captured { name, .. } => format!("captured {name}"),
        Kind::CheckFinished { check, status, .. } => format!("check-finished {check} {}", status.name()),
        Kind::RunFinished { verdict } => format!("run-finished {verdict}"),
        Kind::Unknown(fields) => format!("unknown {}", fields.keys().cloned().collect::<Vec<_>>().join(",")),
    }
}

fn after(value: &Option<String>) -> String {
    value.as_deref().map(|value| format!(" {value}")).unwrap_or_default()
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("a string takes everything");
}
