//! What a process of the engine shows while it is at work.

use std::io::Write;

use grenadier_events::{Event, Kind};

use crate::piped::say;
use crate::wire::FromEngine;

/// Tells the one who started the process of the engine's steps. Its calls are told by the calls themselves.
pub(crate) fn tell(event: &Event) {
    match &event.kind {
        Kind::StepStarted { step, verb } => say(&FromEngine::StepStarted { step: step.clone(), verb: *verb }),
        Kind::StepFinished { step, verb, error } => {
            say(&FromEngine::StepFinished { step: step.clone(), verb: *verb, error: error.clone() });
        }
        _ => {}
    }
}

/// Writes a line to standard error for each verb of a step that ended.
pub(crate) fn show(event: &Event) {
    if let Kind::StepFinished { step, verb, error } = &event.kind {
        let seconds = event.t_ns.since(grenadier_clock::Time::ZERO).as_secs_f64();
        let verb =
            serde_json::to_value(verb).ok().and_then(|verb| verb.as_str().map(str::to_owned)).unwrap_or_default();
        let ended = error.as_ref().map_or_else(|| "done".to_owned(), |error| format!("failed: {error}"));
        let _gone = writeln!(std::io::stderr(), "{seconds:>8.1}s  {step:<24}  {verb:<6}  {ended}");
    }
}
