//! Whatever is in the file, the reader answers with a scenario or with problems that lie inside it.

use grenadier_scenario::{Style, embedded, parse};
use proptest::prelude::*;

/// Reads and renders; a panic anywhere fails the test.
fn survives(source: &str) {
    if let Err(problems) = parse(source, "any.yaml") {
        let lines = source.lines().count() + 1;
        for problem in problems.iter() {
            assert!((1..=lines).contains(&problem.line), "{problem:?}");
            assert!(problem.column >= 1 && !problem.message.is_empty(), "{problem:?}");
        }
        let plain = problems.render(Style::Plain);
        for problem in problems.iter() {
            let place = format!("[any.yaml:{}:{}]", problem.line, problem.column);
            assert!(plain.contains(&place), "{place} is not in\n{plain}");
        }
        assert!(problems.render(Style::Fancy).contains("any.yaml"));
    }
}

/// An embedded scenario with some of its characters replaced: near enough to right to reach every corner.
fn mutilated() -> impl Strategy<Value = String> {
    let replacement = prop_oneof![
        Just(String::new()),
        "[ \t\n:,#{}\\[\\]'\"&*!|>%@`-]{1,3}",
        "\\PC{1,3}",
        Just("\u{feff}".to_owned())
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6, replacement), 1..4);
    (0..embedded().len(), edits).prop_map(|(which, edits)| {
        let mut characters: Vec<char> = embedded()[which].source.chars().collect();
        for (at, removed, inserted) in edits {
            let at = at.index(characters.len());
            let end = (at + removed).min(characters.len());
            characters.splice(at..end, inserted.chars());
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(source in "\\PC{0,200}") {
        survives(&source);
    }

    #[test]
    fn no_control_character_panics(source in any::<String>()) {
        survives(&source);
    }

    #[test]
    fn nothing_that_looks_like_yaml_panics(source in "([a-z]{1,4}|: |\n|  |- |[\\[\\]{},#&*!|>'\"%@\t]|\u{feff}|ü|[0-9]){0,60}") {
        survives(&source);
    }

    #[test]
    fn no_mutilated_scenario_panics(source in mutilated()) {
        survives(&source);
    }
}

#[test]
fn very_deep_and_very_long_files_are_answered() {
    survives(&"[".repeat(50_000));
    survives(&"- ".repeat(5_000));
    survives(&format!("name: {}\n", "x".repeat(1_000_000)));
    survives(&format!("{}: 1\n", "k".repeat(1_000)));
    survives(&"a: &a [*a, *a]\n".repeat(100));
}
