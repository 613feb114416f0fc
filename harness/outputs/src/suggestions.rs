//! The faults that a log points to, as a document.

use grenadier_explore::Suggestion;
use schemars::JsonSchema;
use serde::Serialize;

/// The version of the shape of [`Suggestions`], written as `v`.
pub(crate) const VERSION: u32 = 1;

/// The faults that an engine's log points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggestions {
    /// The version of this shape.
    pub v: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The faults, the likeliest first.
    pub suggestions: Vec<Suggested>,
}

/// A fault that would look like what a line of the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggested {
    /// The fault, as `--fault` takes it.
    pub fault: String,
    /// The line of the log, counted from 1.
    pub line: usize,
    /// That line, cut to a length people read.
    pub text: String,
    /// The call or the step that it, or a line before it, names.
    pub named: String,
    /// The words in it that say what went wrong.
    pub symptom: String,
    /// The command that runs the scenario with the fault.
    pub run: String,
}

impl Suggestions {
    /// These, for the scenario that `run` runs undisturbed.
    pub fn of(scenario: &str, run: &str, found: &[Suggestion]) -> Suggestions {
        let suggested = |known: &Suggestion| {
            let Suggestion { fault, line, text, words: [named, symptom], .. } = known;
            Suggested {
                fault: fault.to_string(),
                line: *line,
                text: text.clone(),
                named: named.clone(),
                symptom: symptom.clone(),
                run: format!("{run} --fault '{fault}'"),
            }
        };
        Suggestions { v: VERSION, scenario: scenario.to_owned(), suggestions: found.iter().map(suggested).collect() }
    }
}
