//! What the product starts itself: the agent inside containers, the supervisor beside a run.
//!
//! They are dispatched before the command line is parsed: their standard output is a protocol, and nobody types them. So is the
//! answer to `ssh` when that asks the engine for a password.

use std::process::ExitCode;

/// Plays the role that the first argument names, where it names one.
pub(crate) fn dispatch() -> Option<ExitCode> {
    if let Some(code) = grenadier_engine_process::askpass() {
        return Some(code);
    }
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("agent") => Some(grenadier_agent::run(grenadier_agent::make_guest)),
        Some("supervise") => {
            let run = arguments.next()?;
            Some(grenadier_fleet_docker::supervisor::supervise(&run))
        }
        _ => None,
    }
}
