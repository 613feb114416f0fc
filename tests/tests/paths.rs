//! Which version upgrades to which, rehearsed in the virtual world.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use grenadier_catalog::{System, World};
use grenadier_checks::{Class, Node, Word};
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_explore::Watch;
use grenadier_gate::{Job, Progress, Row, Worlds};
use grenadier_paths::{Evidence, Leap, Paths, Question, Rehearsing, State, Template, paths};
use grenadier_runner::{RunOutput, run_virtual};
use grenadier_scenario::{Loaded, Scenario, load, parse};

struct Idle(AtomicBool);

impl Watch for Idle {
    fn stop(&self) -> &AtomicBool {
        &self.0
    }
}

impl Progress for Idle {
    fn began(&self, _: &Job) {}

    fn ended(&self, _: &Row) {}
}

fn question(loaded: &[Loaded], procedure: Option<&str>) -> Question {
    let templates = loaded.iter().map(|loaded| Template::new(loaded, procedure).unwrap()).collect();
    Question::new(System::find("haproxy-appliance").unwrap(), templates).unwrap()
}

fn base() -> Vec<Loaded> {
    ["haproxy-appliance-swap", "haproxy-appliance-upgrade"].map(|name| load(name).unwrap()).into()
}

fn rehearsed(question: &Question, folder: &Path) -> Paths {
    let (worlds, idle) = (Worlds { folder: folder.to_owned(), workers: None }, Idle(AtomicBool::new(false)));
    let mut rehearsing = Rehearsing::new(question, World::Virtual, folder, &worlds, None, &idle).unwrap();
    let found = paths(question, &mut rehearsing);
    rehearsing.written().unwrap();
    found
}

fn told(found: &Paths) -> Vec<String> {
    found.bad().iter().flat_map(|leap| leap.telling()).map(|rehearsal| rehearsal.summary.clone()).collect()
}

#[test]
fn every_leap_between_versions_is_rehearsed_or_refused_by_its_rule() {
    let place = tempfile::tempdir().unwrap();
    let question = question(&base(), None);
    let found = rehearsed(&question, place.path());
    assert_eq!(found.verdict, Word::Passed, "{:#?}", told(&found));
    assert_eq!(found.leaps.len(), 12);
    for leap in &found.leaps {
        let state = if leap.rule.is_some() { State::Refused } else { State::Rehearsed };
        assert_eq!((leap.state, leap.rehearsals.len()), (state, 2), "{} → {}", leap.from, leap.to);
        assert!(leap.rehearsals.iter().all(|rehearsal| rehearsal.state == state), "{leap:?}");
    }
    let [route] = found.routes.as_slice() else { panic!("{:?}", found.routes) };
    assert_eq!((route.versions(), route.state), (vec!["v0.1.8", "v0.1.9", "v0.1.10", "v0.2.0"], State::Rehearsed));

    // What was left there says the same to somebody who only looks.
    let mut evidence = Evidence::read(&question, &[place.path().to_owned()]).unwrap();
    let again = paths(&question, &mut evidence);
    assert_eq!(evidence.len(), 2 * 12 + 2 * 2);
    assert_eq!((again.summary, again.routes[0].state), (found.summary.clone(), State::Rehearsed));
}

#[test]
fn what_is_rehearsed_again_is_the_same() {
    let question = question(&base(), None);
    let one = tempfile::tempdir().unwrap();
    let first = rehearsed(&question, one.path()).to_json();
    assert_eq!(rehearsed(&question, one.path()).to_json(), first);
}

#[test]
fn the_documented_procedure_fails_wherever_certificates_are_made_anew() {
    let place = tempfile::tempdir().unwrap();
    let found = rehearsed(&question(&base(), Some("documented")), place.path());
    assert_eq!(found.verdict, Word::Failed);
    let failed: Vec<(&str, &str)> =
        found.bad().iter().filter(|leap| leap.came_by.is_empty()).map(|leap| (&*leap.from, &*leap.to)).collect();
    let expected = [
        ("v0.1.8", "v0.1.9"),
        ("v0.1.8", "v0.1.10"),
        ("v0.1.8", "v0.2.0"),
        ("v0.1.9", "v0.1.10"),
        ("v0.1.9", "v0.2.0"),
    ];
    assert_eq!(failed, expected, "{:#?}", told(&found));
    let states: Vec<State> = found.routes[0].hops.iter().map(|hop| hop.state).collect();
    assert_eq!(states, [State::Failed, State::NotRehearsed, State::NotRehearsed], "there is no state to go on from");
}

#[test]
fn a_version_of_ones_own_is_in_the_matrix_and_a_bad_one_fails_there() {
    let source = load("haproxy-appliance-upgrade").unwrap().source;
    let own = |with: &str| {
        let text =
            source.replace("\nto: v0.2.0\n", &format!("\nto: {{like: v0.2.0, version: v0.3.0, with: {{{with}}}}}\n"));
        let scenario = parse(&text, "own.yaml").unwrap();
        let loaded = Loaded { scenario, source: text, file: "own.yaml".into() };
        let place = tempfile::tempdir().unwrap();
        let asked = question(&[loaded], None).between(None, Some("v0.3.0"), &[] as &[&str]).unwrap();
        rehearsed(&asked, place.path())
    };
    let good = own("");
    let to: Vec<&str> = good.leaps.iter().map(|leap| leap.to.as_str()).collect();
    assert_eq!((to, good.verdict), (vec!["v0.3.0 (like v0.2.0)"; 4], Word::Passed), "{:#?}", told(&good));
    // A Data Plane API of generation 3 has no `/v2`, which is what the operators speak.
    let bad = own("dataplane-generation: 3.0.0");
    assert!(bad.leaps.iter().all(|leap| leap.state == State::Failed), "{:#?}", told(&bad));
    assert!(bad.routes.iter().all(|route| route.state == State::Failed), "no way leads around it");
}

fn run(scenario: &Scenario) -> RunOutput {
    let output = run_virtual(scenario, Seed(1), "", EventLog::default());
    assert_eq!(output.verdict.verdict, Word::Passed, "{}: {}", scenario.name, output.verdict.summary);
    output
}

fn captured<'o>(output: &'o RunOutput, name: &str) -> &'o Node {
    &output.captures.iter().find(|capture| capture.name == name).unwrap().root
}

/// Every value of what identifies and configures the system, by path.
fn lasting(node: &Node, path: &str, values: &mut Vec<(String, String)>) {
    if let (Class::Identity | Class::Config, Some(value)) = (node.class, &node.value) {
        values.push((path.to_owned(), value.clone()));
    }
    for (name, child) in &node.children {
        lasting(child, &format!("{path}/{name}"), values);
    }
}

#[test]
fn a_hop_begins_with_the_state_that_the_last_one_left() {
    let question = question(&base()[1..], None);
    let hop = |came_by: &[usize], from, to| {
        let leap = Leap { came_by: came_by.to_vec(), from, to };
        let mut scenario = question.templates()[0].leap(&leap, question.versions(), None).unwrap();
        // To the end: what an earlier upgrade leaves is one VM.
        scenario.engine.remove_old = true;
        scenario.expect.residuals.clear();
        scenario
    };
    let (first, second) = (run(&hop(&[], 0, 2)), run(&hop(&[0], 2, 3)));
    let values = |node: &Node| {
        let mut values = Vec::new();
        lasting(node, "", &mut values);
        // What a vCenter did, and when, is its history; whose routes were programmed first hangs on when operators looked.
        let history = ["/cloud/tasks/", "/cloud/leases/", "/cloud/sessions/"];
        values.retain(|(path, _)| !history.iter().any(|it| path.starts_with(it)) && !path.ends_with("/createdNs"));
        for (_, text) in values.iter_mut().filter(|(path, _)| path.contains("/haproxy.cfg")) {
            let mut sections: Vec<&str> = text.split("\n\n").map(str::trim_end).collect();
            sections.sort_unstable();
            *text = sections.join("\n\n");
        }
        values
    };
    let (left, begun) = (values(captured(&first, "end")), values(captured(&second, "base")));
    assert!(left.len() > 100, "{}", left.len());
    assert!(left.iter().any(|(path, _)| path.starts_with("/machines/haproxy-v0.1.10/")), "{left:#?}");
    let missing: Vec<_> = left.iter().filter(|value| !begun.contains(value)).collect();
    let new: Vec<_> = begun.iter().filter(|value| !left.contains(value)).collect();
    assert_eq!((missing, new), (Vec::new(), Vec::new()));
}
