//! What a journal says of a run, at every place where it may end.

use grenadier_engine::{Journal, PLAN_FORMAT, Plan, PlannedStep, Undo};
use grenadier_engine_process::{Status, StepState};
use grenadier_events::StepVerb::{Apply, Undo as TakeBack};
use serde_json::Value;

fn step(name: &str, changes: bool) -> PlannedStep {
    PlannedStep {
        name: name.to_owned(),
        does: String::new(),
        changes,
        undo: if changes { Undo::Does("take it back".to_owned()) } else { Undo::Nothing },
        undo_calls: Vec::new(),
        boundary: None,
        calls: Vec::new(),
        key: "k".to_owned(),
    }
}

fn begun() -> Journal {
    let mut journal = Journal::in_memory();
    let plan = Plan {
        format: PLAN_FORMAT,
        procedure: "system/procedure".to_owned(),
        from: "old v1".to_owned(),
        to: "new v2".to_owned(),
        steps: vec![step("swap", true), step("look", false), step("tidy", true)],
        notes: Vec::new(),
    };
    journal.begin(&plan).unwrap();
    journal
}

fn states(journal: &Journal) -> Vec<&'static str> {
    Status::of(journal).steps.iter().map(|step| step.state.name()).collect()
}

#[test]
fn an_open_step_is_next_and_the_journal_says_what_to_call() {
    let mut journal = begun();
    assert_eq!(Status::of(&journal).next.as_deref(), Some("swap"));
    journal.intent("swap", Apply, "k").unwrap();
    journal.done("swap", Apply, Value::Null).unwrap();
    journal.intent("look", Apply, "k").unwrap();
    let status = Status::of(&journal);
    assert_eq!(states(&journal), ["done", "open", "to-come"]);
    assert_eq!(
        (status.state.as_str(), status.going_back, status.next.as_deref()),
        ("interrupted", false, Some("look"))
    );
    let next = &status.advice.as_ref().unwrap().next[0];
    assert!(next.contains("`grenadier engine resume` (goes on with the upgrade)"), "{next}");
    let text = status.render();
    assert!(
        text.contains("  state  interrupted\n\n  1  swap  done\n  2  look  open  <- next\n  3  tidy  to-come\n"),
        "{text}"
    );
}

#[test]
fn on_the_way_back_steps_that_only_look_are_not_next() {
    let mut journal = begun();
    for step in ["swap", "look"] {
        journal.intent(step, Apply, "k").unwrap();
        journal.done(step, Apply, Value::Null).unwrap();
    }
    journal.intent("tidy", Apply, "k").unwrap();
    journal.failed("tidy", Apply, "no").unwrap();
    assert_eq!(Status::of(&journal).next.as_deref(), Some("tidy"));
    journal.intent("tidy", TakeBack, "k").unwrap();
    journal.done("tidy", TakeBack, Value::Null).unwrap();
    let status = Status::of(&journal);
    assert_eq!(states(&journal), ["done", "done", "taken-back"]);
    assert_eq!((status.going_back, status.next.as_deref()), (true, Some("swap")));
    assert!(status.render().contains("  state  interrupted, on its way back\n"), "{}", status.render());
    journal.intent("swap", TakeBack, "k").unwrap();
    journal.failed("swap", TakeBack, "never").unwrap();
    let status = Status::of(&journal);
    assert_eq!((status.steps[0].state, status.steps[0].error.as_deref()), (StepState::NotTakenBack, Some("never")));
}

#[test]
fn an_empty_journal_holds_no_run() {
    let status = Status::of(&Journal::in_memory());
    assert_eq!((status.state.as_str(), status.procedure.is_none(), status.next.is_none()), ("empty", true, true));
    assert_eq!(status.render(), "the journal holds no run\n");
}
