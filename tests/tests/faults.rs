//! A fault at a call or a step: the hardened procedure ends upgraded or rolled back, and every check passes.
//!
//! By default each kind of fault is tried where its consequence shows best, and its consequence is looked for in the log; and
//! one call of each template that the engine makes in a step is disturbed by one kind, the kinds taking turns. With
//! `GRENADIER_FAULTS=every-call` every call and every step suffers every kind.

use std::process::ExitCode;
use std::time::Duration;

use grenadier_catalog::{Outcome, Residual};
use grenadier_checks::{Verb, Verdict, Word};
use grenadier_clock::Time;
use grenadier_events::{Event, Kind};
use grenadier_explore::{faults_at_step, steps_of};
use grenadier_scenario::{Fault, Rollback, Scenario, parse_fault};
use grenadier_tests::{engine_calls, faults_at, one_of_each, rollback_calls, run, scenario, summary};
use libtest_mimic::{Arguments, Failed, Trial};

/// The upgrade that is disturbed.
const UPGRADE: &str = "haproxy-appliance-upgrade";
/// The upgrade whose rollback is disturbed.
const SWAP: &str = "haproxy-appliance-swap";

fn main() -> ExitCode {
    let every_call = std::env::var("GRENADIER_FAULTS").is_ok_and(|which| which == "every-call");
    let undisturbed = run(&scenario(UPGRADE));
    let forth = undisturbed.log.with(engine_calls);
    let back = run(&scenario(SWAP)).log.with(rollback_calls);
    let mut trials: Vec<Trial> = CONSEQUENCES.iter().map(|consequence| consequence.trial()).collect();
    for (calls, verb, test) in
        [(forth, Verb::Upgrade, upgrade_survives as fn(Fault) -> _), (back, Verb::Rollback, rollback_survives)]
    {
        let calls = if every_call { calls } else { one_of_each(calls) };
        for (turn, call) in calls.iter().enumerate() {
            let mut faults = faults_at(call);
            if !every_call {
                faults = vec![faults.swap_remove(turn % faults.len())];
            }
            trials.extend(faults.into_iter().map(|fault| trial(verb, fault, test)));
        }
    }
    let steps = undisturbed.log.with(|events| steps_of(events, &undisturbed.roles));
    for (turn, step) in steps.iter().enumerate() {
        let mut faults = faults_at_step(step, &[]);
        faults.retain(|fault| fault.machine.is_none());
        if !every_call {
            faults = vec![faults.swap_remove(turn % faults.len())];
        }
        trials.extend(faults.into_iter().map(|fault| trial(Verb::Upgrade, fault, upgrade_survives)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(verb: Verb, fault: Fault, test: fn(Fault) -> Result<(), Failed>) -> Trial {
    Trial::test(format!("{verb}: {} at {}", fault.what(), fault.at), move || test(fault))
}

/// A fault, what it leads to, and how the upgrade ends.
struct Consequence {
    fault: &'static str,
    ends: Outcome,
    /// Looks for the consequence among the events.
    shows: fn(&[Event]) -> bool,
}

/// How the call at an address ended.
fn answered(events: &[Event], call: &str, with: &str) -> bool {
    events.iter().any(
        |event| matches!(&event.kind, Kind::Call { address, result, .. } if address == call && result.contains(with)),
    )
}

/// How many calls of a template there were in all.
fn calls(events: &[Event], template: &str) -> usize {
    let is_one = |event: &&Event| matches!(&event.kind, Kind::Call { address, .. } if address.contains(template));
    events.iter().filter(is_one).count()
}

fn task_ended(events: &[Event], wanted: &str, as_: &str) -> bool {
    events
        .iter()
        .any(|event| matches!(&event.kind, Kind::Task { method, state, .. } if method == wanted && state == as_))
}

/// Whether the engine was killed and another process was asked for `verb`.
fn taken_over(events: &[Event], asked: &str) -> bool {
    let ends: Vec<(&str, i32)> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::EngineFinished { verb, exit_code, .. } => Some((verb.as_str(), *exit_code)),
            _ => None,
        })
        .collect();
    matches!(ends.as_slice(), [("upgrade", -9), (verb, 0)] if *verb == asked)
}

/// How long a call took, in seconds.
fn took(events: &[Event], call: &str) -> Option<u64> {
    events.iter().find_map(|event| match &event.kind {
        Kind::Call { address, began_ns, .. } if address == call => Some(event.t_ns.since(*began_ns).as_secs()),
        _ => None,
    })
}

/// How many seconds after the fault the new appliance said something first.
fn silent_for(events: &[Event]) -> u64 {
    let struck = events.iter().find(|event| matches!(event.kind, Kind::FaultInjected { .. }));
    let struck = struck.map_or(Time::ZERO, |event| event.t_ns);
    let says = |event: &&Event| matches!(&event.kind, Kind::GuestLog { machine, .. } | Kind::Service { machine, .. } if machine == "haproxy-v0.2.0");
    let said = events.iter().filter(|event| event.t_ns > struck).find(says);
    said.map_or(0, |event| event.t_ns.since(struck).as_secs())
}

/// How long the slowest call took whose address begins like this.
fn slowest(events: &[Event], calls: &str) -> Duration {
    let took = events.iter().filter_map(|event| match &event.kind {
        Kind::Call { address, began_ns, .. } if address.starts_with(calls) => Some(event.t_ns.since(*began_ns)),
        _ => None,
    });
    took.max().unwrap_or_default()
}

const POWER_ON: &str = "power-on-new/vsphere.PowerOnVM_Task#1";

const CONSEQUENCES: &[Consequence] = &[
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=refuse",
        ends: Outcome::Upgraded,
        shows: |events| {
            answered(events, POWER_ON, "refused") && calls(events, "power-on-new/vsphere.PowerOnVM_Task") == 2
        },
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=unavailable",
        ends: Outcome::Upgraded,
        shows: |events| answered(events, POWER_ON, "503") && calls(events, "power-on-new/vsphere.PowerOnVM_Task") == 2,
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=throttle",
        ends: Outcome::Upgraded,
        shows: |events| {
            let again = "power-on-new/vsphere.PowerOnVM_Task#2";
            let at = |call: &str| {
                events.iter().find_map(|event| match &event.kind {
                    Kind::Call { address, began_ns, .. } if address == call => Some((*began_ns, event.t_ns)),
                    _ => None,
                })
            };
            let waited = at(again).zip(at(POWER_ON)).map(|(again, first)| again.0.since(first.1).as_secs());
            answered(events, POWER_ON, "429") && waited == Some(5)
        },
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=unauthorised",
        ends: Outcome::Upgraded,
        // The session is really gone, so somebody logs in again.
        shows: |events| answered(events, POWER_ON, "500") && calls(events, "power-on-new/vsphere.Login") == 1,
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=hang",
        ends: Outcome::Upgraded,
        shows: |events| took(events, POWER_ON) == Some(30) && answered(events, POWER_ON, "in time"),
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=error-after",
        ends: Outcome::Upgraded,
        shows: |events| answered(events, POWER_ON, "500") && task_ended(events, "PowerOnVM_Task", "success"),
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=lost-reply",
        ends: Outcome::Upgraded,
        shows: |events| answered(events, POWER_ON, "lost") && task_ended(events, "PowerOnVM_Task", "success"),
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=hang-after",
        ends: Outcome::Upgraded,
        // It had happened: nobody asks a second time.
        shows: |events| took(events, POWER_ON) == Some(30) && calls(events, "power-on-new/vsphere.PowerOnVM_Task") == 1,
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=truncate",
        ends: Outcome::Upgraded,
        shows: |events| answered(events, POWER_ON, "200") && task_ended(events, "PowerOnVM_Task", "success"),
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=slow:12s",
        ends: Outcome::Upgraded,
        shows: |events| took(events, POWER_ON) == Some(12) && calls(events, "power-on-new/vsphere.PowerOnVM_Task") == 1,
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=task-fails",
        ends: Outcome::RolledBack,
        shows: |events| task_ended(events, "PowerOnVM_Task", "error"),
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=task-stuck",
        ends: Outcome::RolledBack,
        shows: |events| calls(events, "CancelTask") == 1,
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=crash-before",
        ends: Outcome::Upgraded,
        shows: |events| taken_over(events, "resume") && calls(events, "power-on-new/vsphere.PowerOnVM_Task") == 1,
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=crash-after:resume",
        ends: Outcome::Upgraded,
        shows: |events| taken_over(events, "resume") && task_ended(events, "PowerOnVM_Task", "success"),
    },
    Consequence {
        fault: "power-on-new/vsphere.PowerOnVM_Task#1=crash-after:rollback",
        ends: Outcome::RolledBack,
        shows: |events| taken_over(events, "rollback"),
    },
    Consequence {
        fault: "deploy-new=crash-before",
        ends: Outcome::Upgraded,
        shows: |events| taken_over(events, "resume") && calls(events, "deploy-new/vsphere.ImportVApp") == 1,
    },
    Consequence {
        fault: "deploy-new=crash-after",
        ends: Outcome::Upgraded,
        // The machine is there and the journal does not know: it is taken over, not made again.
        shows: |events| taken_over(events, "resume") && calls(events, "deploy-new/vsphere.ImportVApp") == 1,
    },
    Consequence {
        fault: "power-off-old=crash-journaled:rollback",
        ends: Outcome::RolledBack,
        shows: |events| taken_over(events, "rollback") && calls(events, "power-on-new/") == 0,
    },
    Consequence {
        fault: "verify-services=machine-crash:new-appliance",
        ends: Outcome::RolledBack,
        shows: |events| calls(events, "power-off-old/vsphere.PowerOnVM_Task") == 1,
    },
    Consequence {
        fault: "power-on-new=boot-fails:new-appliance",
        ends: Outcome::RolledBack,
        shows: |events| calls(events, "power-off-old/vsphere.PowerOnVM_Task") == 1,
    },
    Consequence {
        fault: "power-on-new=no-address:new-appliance",
        ends: Outcome::RolledBack,
        shows: |events| calls(events, "power-off-old/vsphere.PowerOnVM_Task") == 1,
    },
    Consequence {
        fault: "power-on-new=disk-full:new-appliance",
        ends: Outcome::RolledBack,
        shows: |events| calls(events, "power-off-old/vsphere.PowerOnVM_Task") == 1,
    },
    Consequence {
        fault: "verify-services=partition:new-appliance",
        ends: Outcome::RolledBack,
        shows: |events| {
            answered(events, "verify-services/", "no route")
                || calls(events, "power-off-old/vsphere.PowerOnVM_Task") == 1
        },
    },
    Consequence {
        fault: "power-on-new=slow-start:new-appliance:90s",
        ends: Outcome::Upgraded,
        shows: |events| silent_for(events) >= 90 && calls(events, "power-off-old/vsphere.PowerOnVM_Task") == 0,
    },
    Consequence {
        fault: "verify-services=pause:new-appliance:60s",
        ends: Outcome::Upgraded,
        shows: |events| (60..62).contains(&silent_for(events)),
    },
    Consequence {
        fault: "verify-services=delay:new-appliance:1s:2m",
        ends: Outcome::Upgraded,
        // The handshakes of TCP and TLS, and the request.
        shows: |events| slowest(events, "verify-services/dataplane.") == Duration::from_millis(3002),
    },
    Consequence {
        fault: "verify-services=loss:new-appliance:60%:2m",
        ends: Outcome::Upgraded,
        shows: |events| slowest(events, "verify-services/dataplane.") >= Duration::from_millis(200),
    },
];

impl Consequence {
    fn trial(&'static self) -> Trial {
        Trial::test(format!("consequence: {}", self.fault), || {
            let fault = parse_fault(self.fault, &scenario(UPGRADE)).map_err(|problems| problems.to_string())?;
            let place = fault.at.to_string();
            let mut disturbed = disturbed(UPGRADE, fault);
            if self.ends == Outcome::RolledBack {
                expect_going_back(&mut disturbed);
            }
            let output = run(&disturbed);
            passed(&output.verdict)?;
            let acted = output.verdict.faults.iter().any(|line| line.starts_with(&place));
            let shows = output.log.with(self.shows);
            if acted && shows { Ok(()) } else { Err(format!("acted {acted}, shows {shows}").into()) }
        })
    }
}

fn upgrade_survives(fault: Fault) -> Result<(), Failed> {
    let mut disturbed = disturbed(UPGRADE, fault);
    disturbed.rollback = Rollback::OnFailure;
    let first = run(&disturbed).verdict;
    let upgrade = first.engine.last();
    if upgrade.is_none_or(|line| line.outcome != Some(Outcome::RolledBack)) {
        return passed(&first);
    }
    // Going back is as good an end, and is then held to what it promises.
    expect_going_back(&mut disturbed);
    passed(&run(&disturbed).verdict)
}

fn expect_going_back(disturbed: &mut Scenario) {
    disturbed.rollback = Rollback::OnFailure;
    disturbed.expect.outcome = Outcome::RolledBack;
    disturbed.expect.restored = Some(true);
    disturbed.expect.residuals.retain(|residual| *residual != Residual::OldAppliancePoweredOff);
}

fn rollback_survives(fault: Fault) -> Result<(), Failed> {
    passed(&run(&disturbed(SWAP, fault)).verdict)
}

/// A scenario with one fault. It may take longer than an undisturbed one: a call that hangs is waited for.
fn disturbed(name: &str, fault: Fault) -> Scenario {
    let mut disturbed = scenario(name);
    disturbed.faults = vec![fault];
    disturbed.horizon = Duration::from_secs(1800);
    disturbed.expect.outage = None;
    disturbed
}

/// Also fails where the fault did not act and nobody said why: a stale read needs something to be behind.
fn passed(verdict: &Verdict) -> Result<(), Failed> {
    let idle = verdict.not_injectable.iter().any(|line| line.contains(": stale-read: "));
    let fine = match verdict.verdict {
        Word::Passed => !verdict.faults.is_empty(),
        Word::Unfit => idle && verdict.reasons.len() == 1,
        Word::Failed | Word::Interrupted => false,
    };
    if fine { Ok(()) } else { Err(summary(verdict).into()) }
}
