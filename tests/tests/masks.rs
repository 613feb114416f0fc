//! The comparison of states notices every field it is not told to pass over.
//!
//! Every node of a captured base, and every line of every text in it, is changed once, removed once, and given a sibling once;
//! `restored` must say so, except where a reviewed mask covers it. And every mask is needed: without it some run fails.

use std::collections::BTreeSet;
use std::sync::Arc;

use grenadier_catalog::{Check, Outcome};
use grenadier_checks::{
    Capture, Class, EngineEnd, EngineFact, Facts, MaskClass, Masks, Node, Reference, Stages, Subject, Verb, Verdict,
    all,
};
use grenadier_clock::Time;
use grenadier_events::{CheckStatus, World};
use grenadier_runner::RunOutput;
use grenadier_tests::{run, scenario, variant};

const SYSTEM: &str = "haproxy-appliance";

/// The node that the audit adds.
const ADDED: &str = "added-by-the-audit";

/// The state before the upgrade of a swap.
fn base() -> Node {
    let captures = run(&scenario("haproxy-appliance-swap")).captures;
    captures.into_iter().find(|capture| capture.name == "base").expect("the base was captured").root
}

/// Whether `restored` notices that `base` became `now`, when a rollback was asked for and said that it was done.
fn noticed(base: &Node, now: Node, masks: &Masks) -> bool {
    let text = || SYSTEM.to_owned();
    let subject = Subject {
        scenario: text(),
        system: text(),
        procedure: None,
        world: World::Virtual,
        seed: 1,
        base: text(),
        target: text(),
        profile: text(),
        replay: text(),
    };
    let capture = |name: &str, root| Some(Capture { name: name.to_owned(), taken_ns: Time::ZERO, root });
    let facts = Facts {
        captures: Stages { base: capture("base", base.clone()), upgraded: None, end: capture("end", now) },
        engine: vec![ended(Verb::Rollback, Outcome::RolledBack)],
        ..Facts::new(subject, &[], masks)
    };
    let restored = all().into_iter().find(|check| check.name() == Check::Restored).expect("it is a check");
    restored.make(&facts).status == CheckStatus::Fail
}

/// A change to the tree: what it is, where, and how to make it.
struct Change {
    what: &'static str,
    path: String,
    make: Box<dyn Fn(&mut Node)>,
}

fn place<'a>(root: &'a mut Node, path: &str) -> &'a mut Node {
    let levels = path.split('/').filter(|level| !level.is_empty());
    levels.fold(root, |node, level| node.children.get_mut(level).expect("a path of this tree"))
}

/// Every change of one thing at and below `node`, which is at `path`.
fn changes(path: &str, node: &Node, found: &mut Vec<Change>) {
    let mut add = |what, make: Box<dyn Fn(&mut Node)>| found.push(Change { what, path: path.to_owned(), make });
    let at = path.to_owned();
    let edit = move |change: Box<dyn Fn(&mut Node)>| -> Box<dyn Fn(&mut Node)> {
        let at = at.clone();
        Box::new(move |root| change(place(root, &at)))
    };
    let class = if node.class == Class::Runtime { Class::Config } else { Class::Runtime };
    if let Some(value) = &node.value {
        add("class", edit(Box::new(move |node| node.class = class)));
        add("no value", edit(Box::new(|node| node.value = None)));
        let lines: Vec<String> = value.split('\n').map(str::to_owned).collect();
        // A log may grow: what is written behind its last line is no change of it.
        let behind = usize::from(node.class == Class::Log && lines.last().is_some_and(String::is_empty));
        for number in 0..lines.len() - behind {
            let (mut changed, mut removed) = (lines.clone(), lines.clone());
            changed[number].insert(0, 'x');
            removed.remove(number);
            let (changed, removed) = (changed.join("\n"), removed.join("\n"));
            add("changed line", edit(Box::new(move |node| node.value = Some(changed.clone()))));
            if lines.len() > 1 {
                add("removed line", edit(Box::new(move |node| node.value = Some(removed.clone()))));
            }
        }
    } else {
        add("a value", edit(Box::new(|node| node.value = Some("x".to_owned()))));
    }
    let added = edit(Box::new(|node| {
        node.children.insert(ADDED.to_owned(), Node::config("x"));
    }));
    add("added", added);
    for (name, child) in &node.children {
        let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let gone = name.clone();
        let remove = edit(Box::new(move |node| {
            node.children.remove(&gone);
        }));
        found.push(Change { what: "removed", path: below.clone(), make: remove });
        changes(&below, child, found);
    }
}

/// Whether a mask covers the change: of a value, or of what may come and go.
fn covered(masks: &Masks, change: &Change) -> bool {
    let path = match change.what {
        "added" if change.path.is_empty() => ADDED.to_owned(),
        "added" => format!("{}/{ADDED}", change.path),
        _ => change.path.clone(),
    };
    masks.matching(&path).any(|mask| {
        // Any other class allows only some changes, which would have to be told from these.
        assert!(mask.class == MaskClass::Volatile && mask.line_prefix.is_none(), "{} is not audited", mask.path);
        change.what.ends_with(" line") || mask.presence_may_vary()
    })
}

#[test]
fn every_field_that_no_mask_covers_is_noticed() {
    let (base, masks) = (base(), Masks::of(SYSTEM));
    assert!(!noticed(&base, base.clone(), masks), "what did not change is no difference");
    let mut all = Vec::new();
    changes("", &base, &mut all);
    let (mut unnoticed, mut passed_over) = (Vec::new(), BTreeSet::new());
    for change in &all {
        let mut now = base.clone();
        (change.make)(&mut now);
        assert_ne!(now, base, "{} at {} changes nothing", change.what, change.path);
        if noticed(&base, now, masks) {
            continue;
        }
        if covered(masks, change) {
            passed_over.insert(change.path.clone());
        } else {
            unnoticed.push(format!("{} at {}", change.what, change.path));
        }
    }
    assert!(
        unnoticed.is_empty(),
        "{} of {} changes are not noticed:\n{}",
        unnoticed.len(),
        all.len(),
        unnoticed.join("\n")
    );
    assert!(all.len() > 2000, "{} changes of {} nodes", all.len(), base.count());
    println!("{} changes of {} nodes, {} paths passed over", all.len(), base.count(), passed_over.len());
}

const POWER_ON_FAILS: &str = "haproxy-appliance-power-on-fails";
const LOGIN_LOST: &str = "faults:\n  - {at: check-prerequisites/vsphere.Login#1, do: lost-reply}";

/// A run for each mask in which it is needed, as edits to [`POWER_ON_FAILS`].
const NEEDED: &[(&str, &[(&str, &str)])] =
    &[("cloud/leases/**", &[]), ("cloud/sessions/**", &[("faults:", LOGIN_LOST)]), ("cloud/tasks/**", &[])];

#[test]
fn every_mask_is_needed_by_a_run() {
    let all = Masks::of(SYSTEM);
    let paths: Vec<String> = all.masks.iter().map(|mask| mask.path.to_string()).collect();
    assert_eq!(paths, NEEDED.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    for (number, (path, edits)) in NEEDED.iter().enumerate() {
        let captures = run(&variant(POWER_ON_FAILS, edits)).captures;
        let root = |name: &str| captures.iter().find(|capture| capture.name == name).expect(name).root.clone();
        let mut without = all.clone();
        without.masks.remove(number);
        assert!(!noticed(&root("base"), root("end"), all), "{path}: the run is not equal under all masks");
        assert!(noticed(&root("base"), root("end"), &without), "{path}: the run is equal without the mask");
    }
}

/// A call that hangs lets the operators come back in another order.
const ORDER: &str = "faults:\n  - {at: power-on-new/vsphere.RetrievePropertiesEx#1, do: hang}\nexpect:";
/// An import whose answer was lost is made again.
const TWICE: &str = "faults:\n  - {at: deploy-new/vsphere.ImportVApp#1, do: lost-reply}\nexpect:";

/// The same for the masks that count between two runs: what disturbs an upgrade.
const NEEDED_BETWEEN_RUNS: &[(&str, &str)] = &[
    ("machines/*/files/etc/haproxy/haproxy.cfg", ORDER),
    ("machines/*/files/etc/haproxy/haproxy.cfg.lkg", ORDER),
    ("machines/*/state/haproxy/config", ORDER),
    ("machines/*/config/guestinfo.ovfEnv", TWICE),
];

#[test]
fn every_mask_between_runs_is_needed_by_a_pair_of_runs() {
    let (all, name) = (Masks::of(SYSTEM), "haproxy-appliance-upgrade");
    let paths: Vec<String> = all.between_runs.iter().map(|mask| mask.path.to_string()).collect();
    assert_eq!(paths, NEEDED_BETWEEN_RUNS.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    let reference = Arc::new(run(&scenario(name)).reference());
    for (number, (path, faults)) in NEEDED_BETWEEN_RUNS.iter().enumerate() {
        let disturbed = run(&variant(name, &[("expect:", faults)]));
        let mut without = all.clone();
        without.between_runs.remove(number);
        assert!(!unlike(&reference, &disturbed, all), "{path}: the runs are not equal under all masks");
        assert!(unlike(&reference, &disturbed, &without), "{path}: the runs are equal without the mask");
    }
}

/// Whether `differential` finds that the disturbed run ended unlike the undisturbed one.
fn unlike(reference: &Arc<Reference>, disturbed: &RunOutput, masks: &Masks) -> bool {
    let events = disturbed.log.events();
    let capture = |name: &str| disturbed.captures.iter().find(|capture| capture.name == name).cloned();
    let facts = Facts {
        captures: Stages { base: capture("base"), upgraded: capture("upgraded"), end: capture("end") },
        engine: vec![ended(Verb::Upgrade, Outcome::Upgraded)],
        reference: Some(Arc::clone(reference)),
        ..Facts::new(disturbed.verdict.run.clone(), &events, masks)
    };
    let verdict = Verdict::judge(&facts);
    let line = verdict.checks.iter().find(|line| line.result.check == Check::Differential).expect("it is made");
    line.result.status == CheckStatus::Fail
}

fn ended(verb: Verb, outcome: Outcome) -> EngineFact {
    let (at_ns, message) = (Time::ZERO, String::new());
    let end = EngineEnd { at_ns, exit_code: 0, outcome: Some(outcome), rule: None, message, advice: None };
    EngineFact { verb, asked: verb, began_ns: at_ns, crashed: false, end: Some(end) }
}
