//! The engine's process ends anywhere, and another one goes on or goes back.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use grenadier_clock::Clock as _;
use grenadier_wire::{FaultKind, FaultPlace, FaultRule};

use super::tests::{AFTER, BEFORE, parameters, shows};
use crate::procedures::haproxy_appliance::{Parameters, hardened};
use crate::testing::{Crash, FakeWorld, Tally, run_or_crash};
use crate::{Engine, EngineReport, Journal, MemoryStorage, Outcome, Storage, StorageError, Verb};

/// The machine that the upgrade makes.
const NEW: &str = "haproxy-v0.2.0";

/// A process of the engine: everything but world and journal is new. None where it ended before its verb did.
fn process(
    world: &FakeWorld,
    storage: impl Storage + 'static,
    verb: Verb,
    parameters: &Parameters,
    faults: &[&str],
) -> Option<EngineReport> {
    let wire = world.wire();
    for at in faults {
        wire.add_rule(FaultRule::new(at.parse::<FaultPlace>().unwrap(), FaultKind::TaskFails));
    }
    let mut procedure = hardened(wire.clone(), parameters.clone());
    let mut journal = Journal::open(Box::new(storage)).unwrap();
    let engine = Engine::new(wire);
    run_or_crash(async {
        match verb {
            Verb::Upgrade => engine.upgrade(&mut procedure, &mut journal).await,
            Verb::Resume => engine.resume(&mut procedure, &mut journal).await,
            Verb::Rollback => engine.rollback(&mut procedure, &mut journal).await,
        }
    })
}

/// As [`process`], and it lives; whatever it left under way comes to its end.
fn survives(world: &FakeWorld, storage: &MemoryStorage, verb: Verb, parameters: &Parameters) -> EngineReport {
    world.crash(None);
    let report = process(world, storage.clone(), verb, parameters, &[]).expect("nothing ends it");
    world.clock.advance_to(world.clock.now() + Duration::from_secs(400));
    report
}

/// How many calls a verb makes in a world.
fn calls(world: &FakeWorld, from: usize) -> usize {
    world.calls().len() - from
}

fn of(count: &std::collections::BTreeMap<String, u32>, name: &str) -> u32 {
    count.get(name).copied().unwrap_or_default()
}

/// Nothing was made, removed or turned on more often than the outcome needs; what was made anew had been removed before.
fn nothing_twice(world: &FakeWorld, outcome: &Outcome, redeployed: bool, at: &str) {
    let Tally { made, removed, turned_on } = world.state().tally.clone();
    let (made, removed, on) = (of(&made, NEW), of(&removed, NEW), of(&turned_on, NEW));
    let old_on = of(&turned_on, "haproxy");
    match outcome {
        Outcome::Upgraded => {
            assert_eq!((made - removed, on, old_on), (1, 1, 0), "{at}");
            assert!(made == 1 || redeployed, "{at}: made {made} times");
        }
        Outcome::RolledBack => {
            assert_eq!(made - removed, 0, "{at}");
            assert!(made <= 1 && on <= 1 && old_on <= 1, "{at}: made {made}, on {on}, old on {old_on}");
        }
        Outcome::Refused { .. } | Outcome::Stuck => panic!("{at}: {outcome:?}"),
    }
}

/// Crashes at each of the verb's calls, before and after its effect, go through `check`.
fn at_every_call(count: usize, mut check: impl FnMut(Crash)) {
    for call in 1..=count {
        check(Crash::Before(call));
        check(Crash::After(call));
    }
}

fn removing() -> Parameters {
    Parameters { remove_old: true, keep_new_after_rollback: false, ..parameters() }
}

const REMOVED: [(&str, bool); 1] = [(NEW, true)];

/// A world whose target makes its own certificates, so that every step has something to do.
fn world() -> FakeWorld {
    let world = FakeWorld::new();
    world.state().knobs.regenerates_certificates = true;
    world
}

/// How many calls an upgrade makes; the last one ends the session.
fn upgrade_calls(world: &FakeWorld, parameters: &Parameters) -> usize {
    process(world, MemoryStorage::default(), Verb::Upgrade, parameters, &[]).unwrap();
    calls(world, 0)
}

/// The step in which the log's last engine call was made.
fn last_step(world: &FakeWorld) -> String {
    let events = world.log.events();
    let step = events.iter().rev().find_map(|event| match &event.kind {
        grenadier_events::Kind::StepStarted { step, .. } => Some(step.clone()),
        _ => None,
    });
    step.unwrap()
}

#[test]
fn an_upgrade_that_ended_at_any_call_is_resumed_to_its_end() {
    let parameters = removing();
    at_every_call(upgrade_calls(&world(), &parameters), |crash| {
        let (world, storage) = (world(), MemoryStorage::default());
        world.crash(Some(crash));
        assert_eq!(process(&world, storage.clone(), Verb::Upgrade, &parameters, &[]), None, "{crash:?}");
        let step = last_step(&world);
        let report = survives(&world, &storage, Verb::Resume, &parameters);
        assert_eq!((&report.outcome, report.exit_code), (&Outcome::Upgraded, 0), "{crash:?}: {}", report.message);
        assert_eq!((report.verb, report.finished.len()), (Verb::Resume, 12), "{crash:?}");
        shows(&world, &REMOVED);
        nothing_twice(&world, &report.outcome, step == "deploy-new", &format!("{crash:?} in {step}"));
        let state = world.state();
        let new = state.machines.values().next().unwrap();
        assert_eq!(new.shown, crate::testing::CERTIFICATE, "{crash:?}");
        assert_eq!(new.files["/etc/haproxy/server.key"], crate::testing::KEY, "{crash:?}");
        assert!(new.files["/etc/haproxy/haproxy.cfg"].contains("  maxconn 50000\n"), "{crash:?}");
        assert!(!new.files.contains_key("/etc/haproxy/haproxy.cfg.candidate"), "{crash:?}");
        assert_eq!(new.stale, Vec::<String>::new(), "{crash:?}: a service does not run what its files say");
        assert_eq!(new.down, Vec::<String>::new(), "{crash:?}: a service is down");
    });
}

#[test]
fn an_upgrade_that_ended_at_any_call_is_rolled_back() {
    let parameters = removing();
    let mut beyond = 0;
    at_every_call(upgrade_calls(&world(), &parameters), |crash| {
        let (world, storage) = (world(), MemoryStorage::default());
        world.crash(Some(crash));
        assert_eq!(process(&world, storage.clone(), Verb::Upgrade, &parameters, &[]), None, "{crash:?}");
        let report = survives(&world, &storage, Verb::Rollback, &parameters);
        if let Outcome::Refused { rule, .. } = &report.outcome {
            // The old machine was gone, or going: the run is as it was, and can be brought to its end.
            assert_eq!(rule, "point-of-no-return", "{crash:?}");
            shows(&world, &REMOVED);
            let report = survives(&world, &storage, Verb::Resume, &parameters);
            assert_eq!(report.outcome, Outcome::Upgraded, "{crash:?}: {}", report.message);
            beyond += 1;
            return;
        }
        assert_eq!((&report.outcome, report.exit_code), (&Outcome::RolledBack, 0), "{crash:?}: {}", report.message);
        shows(&world, &BEFORE);
        nothing_twice(&world, &report.outcome, false, &format!("{crash:?}"));
    });
    assert!(beyond >= 5, "only {beyond} crashes were after the removal");
}

#[test]
fn machines_are_powered_off_hard_and_what_is_kept_after_a_rollback_is_whole() {
    let parameters = Parameters { keep_new_after_rollback: true, ..parameters() };
    let deaf = || {
        let world = world();
        world.state().knobs.deaf_guests = true;
        world
    };
    for crash in (1..=upgrade_calls(&deaf(), &parameters)).map(Crash::After) {
        let (world, storage) = (deaf(), MemoryStorage::default());
        world.crash(Some(crash));
        assert_eq!(process(&world, storage.clone(), Verb::Upgrade, &parameters, &[]), None, "{crash:?}");
        let report = survives(&world, &storage, Verb::Rollback, &parameters);
        assert_eq!(report.outcome, Outcome::RolledBack, "{crash:?}: {}", report.message);
        let kept = world.power().len() > 1;
        let both: &[_] = &[("haproxy", true), (NEW, false)];
        shows(&world, if kept { both } else { &BEFORE });
        let state = world.state();
        let kept = state.machines.values().find(|machine| machine.name == NEW);
        assert!(kept.is_none_or(|kept| kept.extra_config.contains_key("grenadier.upgrade.complete")), "{crash:?}");
    }
}

#[test]
fn a_run_that_had_turned_round_goes_on_going_back() {
    let parameters = removing();
    let fails = ["power-on-new/vsphere.PowerOnVM_Task#1"];
    let reference = FakeWorld::new();
    process(&reference, MemoryStorage::default(), Verb::Upgrade, &parameters, &fails).unwrap();
    let addresses = reference.calls();
    let turned = addresses.iter().position(|call| call.starts_with("power-on-new/vsphere.FindByInventoryPath"));
    let turned = turned.unwrap();
    assert!(addresses.len() - turned > 15, "the reference undo makes {} calls", addresses.len() - turned);
    for verb in [Verb::Resume, Verb::Rollback] {
        at_every_call(addresses.len(), |crash| {
            let (Crash::Before(call) | Crash::After(call)) = crash;
            if call <= turned {
                return;
            }
            let (world, storage) = (FakeWorld::new(), MemoryStorage::default());
            world.crash(Some(crash));
            assert_eq!(process(&world, storage.clone(), Verb::Upgrade, &parameters, &fails), None, "{crash:?}");
            let report = survives(&world, &storage, verb, &parameters);
            let code = if verb == Verb::Resume { 10 } else { 0 };
            let end = (&report.outcome, report.exit_code);
            assert_eq!(end, (&Outcome::RolledBack, code), "{verb} {crash:?}: {}", report.message);
            shows(&world, &BEFORE);
            nothing_twice(&world, &report.outcome, false, &format!("{crash:?}"));
        });
    }
}

#[test]
fn a_rollback_that_ended_at_any_call_is_resumed_or_repeated() {
    let parameters = Parameters { keep_new_after_rollback: true, ..parameters() };
    let upgraded = || {
        let (world, storage) = (world(), MemoryStorage::default());
        process(&world, storage.clone(), Verb::Upgrade, &parameters, &[]).unwrap();
        (world, storage)
    };
    let (reference, storage) = upgraded();
    let before = reference.calls().len();
    survives(&reference, &storage, Verb::Rollback, &parameters);
    for verb in [Verb::Resume, Verb::Rollback] {
        at_every_call(calls(&reference, before), |crash| {
            let (world, storage) = upgraded();
            world.crash(Some(crash));
            assert_eq!(process(&world, storage.clone(), Verb::Rollback, &parameters, &[]), None, "{crash:?}");
            let report = survives(&world, &storage, verb, &parameters);
            assert_eq!(report.outcome, Outcome::RolledBack, "{verb} {crash:?}: {}", report.message);
            // What the rollback was told still holds: the machine is kept.
            shows(&world, &[("haproxy", true), (NEW, false)]);
        });
    }
}

#[test]
fn a_second_crash_does_no_harm() {
    let parameters = removing();
    let count = upgrade_calls(&world(), &parameters);
    for first in (1..=count).step_by(5) {
        for second in (1..=count).step_by(23) {
            let (world, storage) = (world(), MemoryStorage::default());
            world.crash(Some(Crash::After(first)));
            assert_eq!(process(&world, storage.clone(), Verb::Upgrade, &parameters, &[]), None);
            world.crash(Some(Crash::After(second)));
            // What is left may be less than that.
            let _report = process(&world, storage.clone(), Verb::Resume, &parameters, &[]);
            let report = survives(&world, &storage, Verb::Resume, &parameters);
            assert_eq!(report.outcome, Outcome::Upgraded, "{first}, {second}: {}", report.message);
            shows(&world, &REMOVED);
        }
    }
}

/// Ends the process at a write of the journal, and leaves as much of it as it says.
struct Ending {
    storage: MemoryStorage,
    /// How many writes it lets pass.
    left: usize,
    /// How much of the next one is there, in quarters.
    quarters: usize,
}

impl Storage for Ending {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        if self.left > 0 {
            self.left -= 1;
            return self.storage.append(bytes);
        }
        self.storage.append(&bytes[..bytes.len() * self.quarters / 4])?;
        resume_unwind(Box::new("the process ends"))
    }

    fn read(&self) -> Result<Vec<u8>, StorageError> {
        self.storage.read()
    }

    fn truncate(&mut self, length: usize) -> Result<(), StorageError> {
        self.storage.truncate(length)
    }
}

#[test]
fn an_upgrade_that_ended_at_any_record_is_resumed_or_rolled_back() {
    let parameters = removing();
    let (reference, storage) = (world(), MemoryStorage::default());
    process(&reference, storage.clone(), Verb::Upgrade, &parameters, &[]).unwrap();
    let records = Journal::open(Box::new(storage)).unwrap().records().len();
    assert_eq!(records, 2 * 12 + 2);
    for left in 0..records {
        for quarters in [0, 2, 4] {
            for verb in [Verb::Resume, Verb::Rollback] {
                let at = format!("{verb} after {left} records and {quarters} quarters");
                let (world, storage) = (world(), MemoryStorage::default());
                let ending = Ending { storage: storage.clone(), left, quarters };
                let process = || process(&world, ending, Verb::Upgrade, &parameters, &[]);
                assert!(catch_unwind(AssertUnwindSafe(process)).is_err(), "{at}");
                let report = survives(&world, &storage, verb, &parameters);
                let whole = left + usize::from(quarters == 4);
                match (verb, &report.outcome) {
                    // Not even that it began is written down.
                    (_, Outcome::Refused { rule, .. }) if whole == 0 => {
                        assert_eq!(rule, "journal", "{at}");
                        shows(&world, &BEFORE);
                        let report = survives(&world, &storage, Verb::Upgrade, &parameters);
                        assert_eq!(report.outcome, Outcome::Upgraded, "{at}: {}", report.message);
                    }
                    (Verb::Resume, outcome) => {
                        assert_eq!(outcome, &Outcome::Upgraded, "{at}: {}", report.message);
                        shows(&world, &REMOVED);
                        nothing_twice(&world, outcome, false, &at);
                    }
                    (_, Outcome::Refused { rule, .. }) => {
                        // The old machine is gone since before the last but one record.
                        assert_eq!(rule, "point-of-no-return", "{at}");
                        assert!(whole >= records - 2, "{at}");
                        shows(&world, &REMOVED);
                    }
                    (_, outcome) => {
                        assert_eq!(outcome, &Outcome::RolledBack, "{at}: {}", report.message);
                        shows(&world, &BEFORE);
                        nothing_twice(&world, outcome, false, &at);
                    }
                }
            }
        }
    }
}

#[test]
fn an_undo_that_ended_at_any_record_is_gone_on_with() {
    let parameters = removing();
    let fails = ["power-on-new/vsphere.PowerOnVM_Task#1"];
    let storage = MemoryStorage::default();
    process(&world(), storage.clone(), Verb::Upgrade, &parameters, &fails).unwrap();
    let records = Journal::open(Box::new(storage)).unwrap().records().to_vec();
    let turned = records.iter().position(|record| matches!(record, crate::Record::Failed { .. })).unwrap();
    for left in turned + 1..records.len() {
        for (verb, code) in [(Verb::Resume, 10), (Verb::Rollback, 0)] {
            let at = format!("{verb} after {left} records");
            let (world, storage) = (world(), MemoryStorage::default());
            let ending = Ending { storage: storage.clone(), left, quarters: 0 };
            let process = || process(&world, ending, Verb::Upgrade, &parameters, &fails);
            assert!(catch_unwind(AssertUnwindSafe(process)).is_err(), "{at}");
            let report = survives(&world, &storage, verb, &parameters);
            assert_eq!((&report.outcome, report.exit_code), (&Outcome::RolledBack, code), "{at}: {}", report.message);
            if verb == Verb::Resume {
                assert!(report.message.contains("power-on-new failed: "), "{at}: {}", report.message);
            }
            shows(&world, &BEFORE);
            nothing_twice(&world, &report.outcome, false, &at);
        }
    }
}

#[test]
fn a_run_that_has_ended_answers_what_was_recorded_and_touches_nothing() {
    let stuck: Vec<String> = (1..=3).map(|k| format!("power-off-old/vsphere.PowerOnVM_Task#{k}")).collect();
    let mut stuck: Vec<&str> = stuck.iter().map(String::as_str).collect();
    stuck.push("power-on-new/vsphere.PowerOnVM_Task#1");
    let older = Parameters { target: "v0.1.10".into(), ..parameters() };
    let cases: [(&[&str], Parameters, i32); 4] =
        [(&[], parameters(), 0), (&stuck[3..], parameters(), 10), (&stuck, parameters(), 30), (&[], older, 20)];
    for (faults, parameters, code) in cases {
        let (world, storage) = (FakeWorld::new(), MemoryStorage::default());
        let first = process(&world, storage.clone(), Verb::Upgrade, &parameters, faults).unwrap();
        let (power, made, bytes) = (world.power(), world.calls().len(), storage.read().unwrap());
        let again = survives(&world, &storage, Verb::Resume, &parameters);
        assert_eq!((first.exit_code, again.exit_code), (code, code), "{}", again.message);
        assert_eq!((again.outcome.name(), &again.message), (first.outcome.name(), &first.message));
        assert_eq!((world.power(), world.calls().len(), storage.read().unwrap()), (power, made, bytes));
    }
}

#[test]
fn what_is_not_this_plans_journal_is_not_resumed_and_stays_as_it_is() {
    let (world, storage) = (FakeWorld::new(), MemoryStorage::default());
    world.crash(Some(Crash::After(60)));
    assert_eq!(process(&world, storage.clone(), Verb::Upgrade, &parameters(), &[]), None);
    let bytes = storage.read().unwrap();
    let other = Parameters { target: "v0.3.0".into(), ..parameters() };
    for (verb, parameters, hint) in [
        (Verb::Resume, &other, "another plan"),
        (Verb::Rollback, &other, "another plan"),
        (Verb::Upgrade, &parameters(), "resume it or roll it back"),
    ] {
        let made = world.calls().len();
        let report = survives(&world, &storage, verb, parameters);
        assert!(matches!(&report.outcome, Outcome::Refused { rule, .. } if rule == "journal"), "{report:?}");
        assert!(report.message.contains(hint), "{}", report.message);
        assert_eq!((world.calls().len(), storage.read().unwrap()), (made, bytes.clone()), "{verb}");
    }
    let empty = survives(&world, &MemoryStorage::default(), Verb::Resume, &parameters());
    assert!(empty.message.contains("holds no run"), "{}", empty.message);
    assert_eq!(survives(&world, &storage, Verb::Resume, &parameters()).outcome, Outcome::Upgraded);
    shows(&world, &AFTER);
}

#[test]
fn secrets_in_the_journal_open_with_the_password_they_were_sealed_with_only() {
    let (world, storage) = (FakeWorld::new(), MemoryStorage::default());
    world.crash(Some(Crash::After(60)));
    assert_eq!(process(&world, storage.clone(), Verb::Upgrade, &parameters(), &[]), None);
    let other = Parameters { root_password: grenadier_wire::Secret::new("another"), ..parameters() };
    let report = survives(&world, &storage, Verb::Resume, &other);
    assert!(matches!(&report.outcome, Outcome::Refused { rule, .. } if rule == "journal"), "{report:?}");
    assert!(report.message.contains("sealed with another password"), "{}", report.message);
}
