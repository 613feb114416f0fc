//! The procedure against a small world, with everything that can go wrong with a call.

use std::time::Duration;

use grenadier_events::{Kind, StepVerb};
use grenadier_wire::{FaultKind, FaultPlace, FaultRule, Secret, TlsTrust};

use crate::procedures::haproxy_appliance::{Deadlines, Ova, Parameters, Swap, Vantage, hardened};
use crate::testing::{FakeWorld, OVF, PASSWORD, run};
use crate::vsphere::VSphereAccess;
use crate::{Engine, EngineReport, Journal, MemoryStorage, Outcome, Procedure};

pub(super) fn parameters() -> Parameters {
    let vantage = |cluster: &str, targets: &[&str]| Vantage {
        cluster: cluster.to_owned(),
        host: format!("{cluster}.example"),
        user: "root".to_owned(),
        password: None,
        targets: targets.iter().map(|target| target.parse().unwrap()).collect(),
    };
    Parameters {
        vcenter: VSphereAccess {
            endpoint: "vcenter.example:443".into(),
            tls: Some(TlsTrust::Anyone),
            user: "admin".into(),
            password: Secret::new("let me in"),
        },
        datacenter: "DC0".into(),
        old_name: "haproxy".into(),
        new_name: "haproxy-v0.2.0".into(),
        base: "v0.1.10".into(),
        target: "v0.2.0".into(),
        target_regenerates_certificates: false,
        vsphere_after: None,
        ova: Ova { descriptor: OVF.into(), disk: "the disk".into() },
        target_networks: None,
        target_service_ranges: None,
        root_password: Secret::new(PASSWORD),
        haproxy_user: "client".into(),
        haproxy_password: Secret::new("hunter2"),
        vantages: vec![
            vantage("supervisor", &["198.18.2.20:443", "198.18.2.29:443"]),
            vantage("tenant-1", &["198.18.2.21:6443"]),
        ],
        remove_old: false,
        keep_new_after_rollback: true,
        run: String::new(),
        deadlines: Deadlines::default(),
    }
}

fn upgrade(world: &FakeWorld, parameters: Parameters, rules: &[(&str, FaultKind)]) -> EngineReport {
    let (report, _, _) = upgraded(world, parameters, rules);
    report
}

fn upgraded(
    world: &FakeWorld,
    parameters: Parameters,
    rules: &[(&str, FaultKind)],
) -> (EngineReport, Procedure<Swap>, MemoryStorage) {
    let wire = world.wire();
    for (at, fault) in rules {
        wire.add_rule(FaultRule::new(at.parse::<FaultPlace>().unwrap(), *fault));
    }
    let storage = MemoryStorage::default();
    let mut journal = Journal::open(Box::new(storage.clone())).unwrap();
    let mut procedure = hardened(wire.clone(), parameters);
    let report = run(Engine::new(wire.clone()).upgrade(&mut procedure, &mut journal));
    assert_eq!(wire.idle_rules(), [], "a rule found no call");
    (report, procedure, storage)
}

pub(super) const BEFORE: [(&str, bool); 1] = [("haproxy", true)];
pub(super) const AFTER: [(&str, bool); 2] = [("haproxy", false), ("haproxy-v0.2.0", true)];

pub(super) fn shows(world: &FakeWorld, want: &[(&str, bool)]) {
    let want: Vec<_> = want.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect();
    assert_eq!(world.power(), want);
    assert!(!world.state().fought, "two appliances were on together");
}

/// Steps and verbs in the order of the log, failed ones marked.
fn steps(world: &FakeWorld) -> Vec<String> {
    let events = world.log.events();
    let finished = events.iter().filter_map(|event| match &event.kind {
        Kind::StepFinished { step, verb, error } => {
            let verb = match verb {
                StepVerb::Apply => "apply",
                StepVerb::Undo => "undo",
                StepVerb::Verify => "verify",
            };
            Some(format!("{verb} {step}{}", if error.is_some() { " failed" } else { "" }))
        }
        _ => None,
    });
    finished.collect()
}

#[test]
fn the_plan_names_the_catalogues_steps() {
    let known = grenadier_catalog::System::find("haproxy-appliance").unwrap().procedure("hardened").unwrap();
    let known: Vec<_> = known.steps.iter().map(|step| (step.name, step.irreversible)).collect();
    let procedure = hardened(FakeWorld::new().wire(), Parameters { remove_old: true, ..parameters() });
    let planned = procedure.plan().steps.iter();
    let planned: Vec<_> = planned.map(|step| (step.name.as_str(), step.undo == crate::Undo::Impossible)).collect();
    assert_eq!(planned, known);
}

#[test]
fn the_plan_can_be_read_before_anything_runs() {
    let world = FakeWorld::new();
    let procedure = hardened(world.wire(), Parameters { remove_old: true, ..parameters() });
    insta::assert_snapshot!(procedure.plan().render());
    assert!(world.log.is_empty());
}

#[test]
fn the_plan_promises_every_call_that_is_made() {
    let removed = FakeWorld::new();
    removed.state().knobs.regenerates_certificates = true;
    let parameters = Parameters { remove_old: true, ..parameters() };
    let (_, procedure, _) = upgraded(&removed, parameters.clone(), &[]);
    let rolled_back = FakeWorld::new();
    upgrade(&rolled_back, parameters, &[("remove-old/vsphere.Destroy_Task#1", FaultKind::TaskFails)]);
    for call in removed.calls().into_iter().chain(rolled_back.calls()) {
        // What is called outside a step is the end of the session.
        let Some((step, template)) = call.split_once('/').filter(|(step, _)| !step.contains('.')) else { continue };
        let template = template.rsplit_once('#').unwrap().0;
        let planned = procedure.plan().steps.iter().find(|planned| planned.name == step).unwrap();
        let mut promised = planned.calls.iter().chain(&planned.undo_calls);
        assert!(promised.any(|call| call == template), "{step} makes {template}");
    }
}

#[test]
fn an_upgrade_swaps_the_machines_and_keeps_what_matters() {
    let world = FakeWorld::new();
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!((&report.outcome, report.exit_code), (&Outcome::Upgraded, 0), "{}", report.message);
    assert_eq!(report.finished.len(), 11);
    shows(&world, &AFTER);
    let state = world.state();
    let new = state.machines.values().find(|machine| machine.version == "v0.2.0").unwrap();
    assert_eq!(new.cpus, 4, "the hardware of the old machine");
    assert_eq!(new.properties["appliance.root_pwd"], PASSWORD);
    assert_eq!(new.properties["appliance.ca_cert"], crate::testing::CERTIFICATE);
    assert_eq!(new.properties["network.management_ip"], "198.18.0.10/24");
    let config = &new.files["/etc/haproxy/haproxy.cfg"];
    assert!(config.starts_with("# _version=2\n") && config.contains("  maxconn 50000\n"), "{config}");
    assert!(!config.contains("supervisor-shop"), "routes are the operators' to program: {config}");
    assert!(state.session.is_none(), "logged out");
}

#[test]
fn removing_the_old_machine_ends_in_its_absence() {
    let world = FakeWorld::new();
    let (report, mut procedure, storage) = upgraded(&world, Parameters { remove_old: true, ..parameters() }, &[]);
    assert_eq!(report.outcome, Outcome::Upgraded, "{}", report.message);
    shows(&world, &[("haproxy-v0.2.0", true)]);

    let mut journal = Journal::open(Box::new(storage)).unwrap();
    let report = run(Engine::new(world.wire()).rollback(&mut procedure, &mut journal));
    assert!(matches!(&report.outcome, Outcome::Refused { rule, .. } if rule == "point-of-no-return"), "{report:?}");
    shows(&world, &[("haproxy-v0.2.0", true)]);
}

#[test]
fn a_rollback_brings_the_old_machine_back_even_in_another_process() {
    for keep in [true, false] {
        let world = FakeWorld::new();
        let parameters = Parameters { keep_new_after_rollback: keep, ..parameters() };
        let (_, _, storage) = upgraded(&world, parameters.clone(), &[]);
        let mut journal = Journal::open(Box::new(storage)).unwrap();
        let wire = world.wire();
        let mut procedure = hardened(wire.clone(), parameters);
        let report = run(Engine::new(wire).rollback(&mut procedure, &mut journal));
        assert_eq!((&report.outcome, report.exit_code), (&Outcome::RolledBack, 0), "{}", report.message);
        // What the steps found out came back from the journal: the addresses were looked at again.
        assert!(world.calls().iter().any(|call| call.starts_with("power-off-old/shell.curl")));
        let kept: &[_] = &[("haproxy", true), ("haproxy-v0.2.0", false)];
        shows(&world, if keep { kept } else { &BEFORE });
    }
}

#[test]
fn a_journal_of_another_plan_is_not_rolled_back() {
    let world = FakeWorld::new();
    let (_, _, storage) = upgraded(&world, parameters(), &[]);
    let mut journal = Journal::open(Box::new(storage)).unwrap();
    let other = Parameters { target: "v0.3.0".into(), ..parameters() };
    let report = run(Engine::new(world.wire()).rollback(&mut hardened(world.wire(), other), &mut journal));
    assert!(matches!(&report.outcome, Outcome::Refused { rule, .. } if rule == "journal"), "{report:?}");
    shows(&world, &AFTER);
}

#[test]
fn what_forbids_the_upgrade_is_refused_before_anything_is_changed() {
    type Case = (&'static str, fn(&FakeWorld, &mut Parameters));
    let cases: &[Case] = &[
        ("no-running-appliance", |world, _| world.state().machines.get_mut("vm-1").unwrap().on = None),
        ("no-running-appliance", |world, _| world.state().machines.clear()),
        ("no-deploy-privilege", |world, _| world.state().knobs.missing_privilege = Some("VApp.Import")),
        ("no-deploy-privilege", |world, _| world.state().knobs.missing_privilege = Some("Network.Assign")),
        ("target-not-newer", |_, parameters| parameters.target = "v0.1.10".into()),
        // The appliance's own word counts, not what we were told.
        ("target-not-newer", |_, parameters| (parameters.base, parameters.target) = ("v0.1.8".into(), "v0.1.9".into())),
        ("vsphere-needs-v0.1.9", |world, parameters| {
            world.state().knobs.vsphere = "7.0.1";
            older(world, parameters);
        }),
        ("vsphere-needs-v0.1.9", |world, parameters| {
            parameters.vsphere_after = Some("7.0.3".into());
            older(world, parameters);
        }),
        ("topology-differs", |_, parameters| {
            parameters.target_networks = Some(vec!["management".into(), "workload".into()]);
        }),
        ("address-plan-differs", |_, parameters| {
            parameters.target_service_ranges = Some(vec!["198.18.2.16/27".into()]);
        }),
        ("insufficient-resources", |world, _| world.state().knobs.free_memory_mib = 4000),
        ("certificate-missing", |world, _| remove_file(world, "/etc/haproxy/server.key")),
        ("certificate-missing", |world, _| remove_file(world, "/etc/haproxy/server.crt")),
    ];
    for (rule, arrange) in cases {
        let (world, mut parameters) = (FakeWorld::new(), parameters());
        arrange(&world, &mut parameters);
        let before = world.power();
        let report = upgrade(&world, parameters, &[]);
        let refused = matches!(&report.outcome, Outcome::Refused { rule: by, .. } if by == rule);
        assert!(refused && report.exit_code == 20, "{rule}: {report:?}");
        assert_eq!(world.power(), before, "{rule}");
        assert_eq!(steps(&world), ["apply check-prerequisites failed"]);
        assert_eq!(world.state().writes, []);
    }
}

#[test]
fn a_vcenter_that_is_upgraded_meanwhile_stops_an_old_target() {
    for (step, outcome) in [("save-customisations", "refused"), ("deploy-new", "rolled-back")] {
        let (world, mut parameters) = (FakeWorld::new(), parameters());
        older(&world, &mut parameters);
        let other = world.clone();
        world.log.observe(Box::new(move |event| {
            if matches!(&event.kind, Kind::StepFinished { step: done, verb: StepVerb::Verify, .. } if done == step) {
                other.state().knobs.vsphere = "7.0.1";
            }
        }));
        let report = upgrade(&world, parameters, &[]);
        assert_eq!(report.outcome.name(), outcome, "{}", report.message);
        assert!(report.message.contains("vSphere 7.0.1 needs v0.1.9"), "{}", report.message);
        shows(&world, &BEFORE);
    }
}

fn older(world: &FakeWorld, parameters: &mut Parameters) {
    parameters.target = "v0.1.8".into();
    let mut state = world.state();
    let old = state.machines.get_mut("vm-1").unwrap();
    old.files.insert("/etc/vmware-haproxy-release".into(), "VERSION=v0.1.7\n".into());
}

fn remove_file(world: &FakeWorld, path: &str) {
    world.state().machines.get_mut("vm-1").unwrap().files.remove(path);
}

#[test]
fn the_same_plan_told_in_other_words_is_not_refused() {
    let world = FakeWorld::new();
    let parameters = Parameters {
        target_networks: Some(["frontend", "workload", "management"].map(str::to_owned).into()),
        target_service_ranges: Some(vec!["198.18.2.17/28".into()]),
        ..parameters()
    };
    assert_eq!(upgrade(&world, parameters, &[]).outcome, Outcome::Upgraded);
}

#[test]
fn regenerated_certificates_are_replaced_by_the_saved_ones() {
    let world = FakeWorld::new();
    world.state().knobs.regenerates_certificates = true;
    assert_eq!(upgrade(&world, parameters(), &[]).outcome, Outcome::Upgraded);
    let state = world.state();
    let new = state.machines.values().find(|machine| machine.version == "v0.2.0").unwrap();
    assert_eq!(new.shown, crate::testing::CERTIFICATE);
}

#[test]
fn a_new_machine_that_does_not_boot_is_rolled_back() {
    let world = FakeWorld::new();
    world.state().knobs.new_never_boots = true;
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!((&report.outcome, report.exit_code), (&Outcome::RolledBack, 10), "{}", report.message);
    assert!(report.message.contains("verify-services failed"), "{}", report.message);
    assert_eq!(report.undone, ["verify-services", "power-on-new", "power-off-old", "deploy-new"]);
    shows(&world, &BEFORE);
}

#[test]
fn operators_that_do_not_come_back_are_rolled_back() {
    let world = FakeWorld::new();
    world.state().knobs.no_routes_on_new = true;
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!(report.outcome, Outcome::RolledBack, "{}", report.message);
    assert!(report.message.contains("198.18.2.20:443 from supervisor"), "{}", report.message);
    shows(&world, &BEFORE);
}

#[test]
fn a_customisation_the_new_haproxy_refuses_is_rolled_back() {
    let world = FakeWorld::new();
    let custom = "global\n  nonsense\n";
    let path = "/etc/haproxy/haproxy.cfg".to_owned();
    world.state().machines.get_mut("vm-1").unwrap().files.insert(path, custom.into());
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!(report.outcome, Outcome::RolledBack, "{}", report.message);
    assert!(report.message.contains("reapply-customisations failed"), "{}", report.message);
    shows(&world, &BEFORE);
}

#[test]
fn a_machine_of_that_name_that_is_not_ours_is_left_alone() {
    let world = FakeWorld::new();
    let mut other = world.state().machines["vm-1"].clone();
    (other.name, other.on) = ("haproxy-v0.2.0".into(), None);
    world.state().machines.insert("vm-2".into(), other);
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!(report.outcome, Outcome::RolledBack);
    assert!(report.message.contains("did not make"), "{}", report.message);
    shows(&world, &[("haproxy", true), ("haproxy-v0.2.0", false)]);
}

#[test]
fn passwords_that_vcenter_keeps_to_itself_are_the_ones_we_were_told() {
    let world = FakeWorld::new();
    world.state().machines.get_mut("vm-1").unwrap().properties.retain(|id, _| !id.ends_with("_pwd"));
    assert_eq!(upgrade(&world, parameters(), &[]).outcome, Outcome::Upgraded);
    let state = world.state();
    let new = state.machines.values().find(|machine| machine.version == "v0.2.0").unwrap();
    assert_eq!(new.properties["appliance.root_pwd"], PASSWORD);
    assert_eq!(new.properties["loadbalance.haproxy_pwd"], "hunter2");
}

#[test]
fn an_input_the_new_image_does_not_know_is_not_dropped_in_silence() {
    for (value, outcome) in [("198.18.1.1", "rolled-back"), ("", "upgraded")] {
        let world = FakeWorld::new();
        let input = ("network.workload_gateway".to_owned(), value.to_owned());
        world.state().machines.get_mut("vm-1").unwrap().properties.extend([input]);
        let report = upgrade(&world, parameters(), &[]);
        assert_eq!(report.outcome.name(), outcome, "{}", report.message);
    }
}

#[test]
fn a_session_may_end_at_any_time() {
    // A session lasts for four calls only: reading a machine needs one, waiting for a task three.
    let world = FakeWorld::new();
    world.state().knobs.session_calls = 5;
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!(report.outcome, Outcome::Upgraded, "{}", report.message);
    shows(&world, &AFTER);
}

#[test]
fn each_step_that_fails_is_taken_back_in_reverse_order() {
    // Six attempts at a call, or as many looks as a deadline allows.
    let (attempts, looks) = (6, 2_000);
    let cases = [
        ("check-prerequisites", "vsphere.RetrieveServiceContent", attempts),
        ("read-appliance", "vsphere.RetrievePropertiesEx", attempts),
        ("copy-certificates", "shell.test", attempts),
        ("save-customisations", "shell.test", attempts),
        ("deploy-new", "vsphere.RetrieveServiceContent", attempts),
        ("power-off-old", "vsphere.RetrieveServiceContent", attempts),
        ("power-on-new", "vsphere.RetrievePropertiesEx", attempts),
        ("verify-services", "shell.systemctl", looks),
        ("reapply-customisations", "shell.test", attempts),
        ("verify-addresses", "shell.curl", looks),
        ("verify-routes", "dataplane.GET /configuration/frontends", looks),
        ("remove-old", "vsphere.RetrievePropertiesEx", attempts),
    ];
    for (index, (step, call, times)) in cases.into_iter().enumerate() {
        let world = FakeWorld::new();
        let wire = world.wire();
        for k in 1..=times {
            let at = format!("{step}/{call}#{k}").parse::<FaultPlace>().unwrap();
            wire.add_rule(FaultRule::new(at, FaultKind::Refuse));
        }
        let mut procedure = hardened(wire.clone(), Parameters { remove_old: true, ..parameters() });
        let report = run(Engine::new(wire).upgrade(&mut procedure, &mut Journal::in_memory()));
        assert_eq!((&report.outcome, report.exit_code), (&Outcome::RolledBack, 10), "{step}: {}", report.message);
        let planned = &procedure.plan().steps;
        let begun = planned[..=index].iter().rev().filter(|step| step.undo != crate::Undo::Nothing);
        let undos: Vec<String> = begun.map(|step| format!("undo {}", step.name)).collect();
        let done: Vec<String> = report.undone.iter().map(|step| format!("undo {step}")).collect();
        assert_eq!(done, undos, "{step}");
        let steps = steps(&world);
        let failed = steps.iter().position(|line| line.ends_with(" failed")).unwrap();
        assert_eq!(steps[failed], format!("apply {step} failed"));
        assert_eq!(steps[failed + 1..], undos, "{step}");
        assert_eq!(report.finished.len(), index, "{step}");
        shows(&world, &BEFORE);
    }
}

#[test]
fn a_task_that_fails_is_not_tried_again_but_rolled_back() {
    for at in ["deploy-new/vsphere.ReconfigVM_Task#1", "power-on-new/vsphere.PowerOnVM_Task#1"] {
        let world = FakeWorld::new();
        let report = upgrade(&world, parameters(), &[(at, FaultKind::TaskFails)]);
        assert_eq!(report.outcome, Outcome::RolledBack, "{at}: {}", report.message);
        assert!(report.message.contains("SystemError: it did not work"), "{}", report.message);
        shows(&world, &BEFORE);
    }
}

#[test]
fn a_removal_that_failed_is_rolled_back() {
    let world = FakeWorld::new();
    let parameters = Parameters { remove_old: true, ..parameters() };
    let report = upgrade(&world, parameters, &[("remove-old/vsphere.Destroy_Task#1", FaultKind::TaskFails)]);
    assert_eq!(report.outcome, Outcome::RolledBack, "{}", report.message);
    shows(&world, &BEFORE);
}

#[test]
fn an_undo_that_fails_for_good_is_stuck_and_says_what_to_do() {
    let world = FakeWorld::new();
    let mut rules = vec![("power-on-new/vsphere.PowerOnVM_Task#1".to_owned(), FaultKind::TaskFails)];
    rules.extend((1..=3).map(|k| (format!("power-off-old/vsphere.PowerOnVM_Task#{k}"), FaultKind::TaskFails)));
    let rules: Vec<_> = rules.iter().map(|(at, fault)| (at.as_str(), *fault)).collect();
    let (report, _, storage) = upgraded(&world, parameters(), &rules);
    assert_eq!((&report.outcome, report.exit_code), (&Outcome::Stuck, 30));
    says(
        &report,
        &[
            "power-off-old could not be taken back",
            "SystemError: it did not work",
            "Left: haproxy is poweredOff; haproxy-v0.2.0 is poweredOff",
            "in /etc/haproxy on haproxy's disk",
            "the customisations are in",
            "`govc vm.info /DC0/vm/haproxy-v0.2.0`",
            "`govc vm.power -on /DC0/vm/haproxy`",
            "`journalctl -xeu dataplaneapi`",
            "; then take deploy-new back: ",
        ],
    );
    assert_eq!(report.undone, ["power-on-new"]);
    shows(&world, &[("haproxy", false), ("haproxy-v0.2.0", false)]);

    // Whoever comes later can still roll back: the journal knows what is left to take back.
    let mut journal = Journal::open(Box::new(storage)).unwrap();
    let mut procedure = hardened(world.wire(), parameters());
    let report = run(Engine::new(world.wire()).rollback(&mut procedure, &mut journal));
    assert_eq!((&report.outcome, report.exit_code), (&Outcome::RolledBack, 0), "{}", report.message);
    assert_eq!(report.undone, ["power-off-old", "deploy-new"]);
}

/// A report that leaves somebody alone with a stuck upgrade says all of this.
fn says(report: &EngineReport, parts: &[&str]) {
    assert_eq!((&report.outcome, report.exit_code), (&Outcome::Stuck, 30), "{}", report.message);
    let told = report.told();
    for part in parts {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
}

/// The upgrade ends stuck where calls of these addresses, each from the first to the third, have their tasks fail.
fn stuck(world: &FakeWorld, parameters: Parameters, failing: &[&str]) -> EngineReport {
    let rules: Vec<String> = failing.iter().flat_map(|at| (1..=3).map(move |k| format!("{at}#{k}"))).collect();
    let rules: Vec<_> = rules.iter().map(|at| (at.as_str(), FaultKind::TaskFails)).collect();
    upgrade(world, parameters, &rules)
}

#[test]
fn stuck_with_a_machine_that_cannot_be_removed() {
    let world = FakeWorld::new();
    world.state().knobs.new_never_boots = true;
    let report = stuck(&world, parameters(), &["deploy-new/vsphere.Destroy_Task"]);
    says(
        &report,
        &[
            "verify-services failed",
            "deploy-new could not be taken back: the task of Destroy_Task",
            "Left: haproxy is poweredOn; haproxy-v0.2.0 is poweredOff",
            "never power haproxy-v0.2.0 on",
            "`govc vm.destroy /DC0/vm/haproxy-v0.2.0`",
        ],
    );
    shows(&world, &[("haproxy", true), ("haproxy-v0.2.0", false)]);
}

#[test]
fn stuck_with_a_new_machine_that_does_not_go_off() {
    let world = FakeWorld::new();
    (world.state().knobs.new_never_boots, world.state().knobs.deaf_guests) = (true, true);
    let report = stuck(&world, parameters(), &["power-on-new/vsphere.PowerOffVM_Task"]);
    says(
        &report,
        &[
            "power-on-new could not be taken back: the task of PowerOffVM_Task",
            "Left: haproxy is poweredOff; haproxy-v0.2.0 is poweredOn",
            "among haproxy-v0.2.0's OVF inputs",
            "with `govc vm.power -off -force /DC0/vm/haproxy-v0.2.0`; only when `govc vm.info /DC0/vm/haproxy-v0.2.0` says \
             poweredOff, power haproxy on",
            "; then take power-off-old back: power the old machine on",
        ],
    );
    shows(&world, &AFTER);
}

#[test]
fn stuck_beyond_the_point_of_no_return() {
    let world = FakeWorld::new();
    let rules: Vec<String> = (1..=6).map(|k| format!("remove-old/vsphere.FindByInventoryPath#{k}")).collect();
    let rules: Vec<_> = rules.iter().map(|at| (at.as_str(), FaultKind::Refuse)).collect();
    let report = upgrade(&world, Parameters { remove_old: true, ..parameters() }, &rules);
    says(
        &report,
        &[
            "remove-old was performed but did not take",
            "remove-old could not be taken back: haproxy is gone",
            "Left: haproxy is not there; haproxy-v0.2.0 is poweredOn",
            "the customisations are sealed with root's password in the journal",
            "leave haproxy-v0.2.0 on",
        ],
    );
    shows(&world, &[("haproxy-v0.2.0", true)]);
}

#[test]
fn stuck_without_a_vcenter_says_what_cannot_be_seen() {
    let world = FakeWorld::new();
    let mut rules = vec![("power-on-new/vsphere.PowerOnVM_Task#1".to_owned(), FaultKind::TaskFails)];
    // Three attempts at taking back and two looks, six calls each.
    rules.extend((1..=30).map(|k| (format!("power-on-new/vsphere.FindByInventoryPath#{k}"), FaultKind::Refuse)));
    let rules: Vec<_> = rules.iter().map(|(at, fault)| (at.as_str(), *fault)).collect();
    let report = upgrade(&world, parameters(), &rules);
    says(
        &report,
        &["Left: haproxy cannot be seen (FindByInventoryPath got no answer: ", "Or call the engine with `rollback`"],
    );
}

/// Somebody turns a machine on as soon as a verb of a step has ended.
fn turned_on_after(world: &FakeWorld, verb: StepVerb, step: &'static str, machine: &'static str) {
    let other = world.clone();
    world.log.observe(Box::new(move |event| {
        if matches!(&event.kind, Kind::StepFinished { step: done, verb: of, .. } if done == step && *of == verb) {
            let now = event.t_ns;
            let mut state = other.state();
            state.machines.values_mut().find(|found| found.name == machine).unwrap().on = Some(now);
        }
    }));
}

#[test]
fn the_new_machine_stays_off_while_the_old_one_is_on() {
    let world = FakeWorld::new();
    turned_on_after(&world, StepVerb::Verify, "power-off-old", "haproxy");
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!(report.outcome, Outcome::RolledBack, "{}", report.message);
    assert!(report.message.contains("two appliances must never be on together"), "{}", report.message);
    shows(&world, &BEFORE);
}

#[test]
fn the_old_machine_stays_off_while_the_new_one_is_on() {
    let world = FakeWorld::new();
    world.state().knobs.new_never_boots = true;
    turned_on_after(&world, StepVerb::Undo, "power-on-new", "haproxy-v0.2.0");
    let report = upgrade(&world, parameters(), &[]);
    assert_eq!(report.outcome, Outcome::Stuck, "{}", report.message);
    assert!(report.message.contains("two appliances must never be on together"), "{}", report.message);
    shows(&world, &AFTER);
}

/// What a bad network or a busy server does; the engine must come through all of it.
const TRANSIENT: [FaultKind; 5] =
    [FaultKind::Refuse, FaultKind::Hang, FaultKind::Unavailable, FaultKind::ErrorAfter, FaultKind::LostReply];

#[test]
fn no_single_lost_or_refused_call_stops_the_upgrade() {
    let world = FakeWorld::new();
    upgrade(&world, Parameters { remove_old: true, ..parameters() }, &[]);
    let calls = world.calls();
    assert!(calls.len() > 80, "the reference run makes {} calls", calls.len());
    for call in calls.iter().filter(|call| !call.contains("Logout")) {
        for fault in TRANSIENT {
            let world = FakeWorld::new();
            let report = upgrade(&world, Parameters { remove_old: true, ..parameters() }, &[(call, fault)]);
            assert_eq!(report.outcome, Outcome::Upgraded, "{fault} at {call}: {}", report.message);
            shows(&world, &[("haproxy-v0.2.0", true)]);
        }
    }
}

#[test]
fn no_single_lost_or_refused_call_stops_the_rollback() {
    let fails = ("power-on-new/vsphere.PowerOnVM_Task#1", FaultKind::TaskFails);
    let world = FakeWorld::new();
    upgrade(&world, parameters(), &[fails]);
    let calls = world.calls();
    let undo = calls.iter().position(|call| call.starts_with("power-on-new/vsphere.FindByInventoryPath")).unwrap();
    assert!(calls.len() - undo > 15, "the reference rollback makes {} calls", calls.len() - undo);
    for call in calls[undo..].iter().filter(|call| !call.contains("Logout")) {
        for fault in TRANSIENT {
            let world = FakeWorld::new();
            let report = upgrade(&world, parameters(), &[fails, (call, fault)]);
            assert_eq!(report.outcome, Outcome::RolledBack, "{fault} at {call}: {}", report.message);
            shows(&world, &BEFORE);
        }
    }
}

#[test]
fn the_journal_holds_no_secret() {
    use crate::Storage as _;
    let world = FakeWorld::new();
    let (_, _, storage) = upgraded(&world, parameters(), &[]);
    let text = String::from_utf8(storage.read().unwrap()).unwrap();
    assert!(text.contains("read-appliance"));
    for secret in [PASSWORD, "hunter2", "let me in", "S0VZ"] {
        assert!(!text.contains(secret), "{secret} is in the journal");
        assert!(!world.log.to_jsonl().contains(secret), "{secret} is in the log");
    }
}

#[test]
fn waiting_ends() {
    // The longest wait there is: addresses that never answer, twice, and everything else in between.
    let world = FakeWorld::new();
    world.state().knobs.no_routes_on_new = true;
    let began = grenadier_clock::Clock::now(&world.clock);
    upgrade(&world, parameters(), &[]);
    let took = grenadier_clock::Clock::now(&world.clock) - began;
    assert!(took < Duration::from_secs(600), "{took:?}");
}
