//! What the product starts itself: the agent inside containers, the supervisor beside a run.

use grenadier_checks::ExitCode;

pub(crate) fn agent(_arguments: &[String]) -> ExitCode {
    ExitCode::Input
}

pub(crate) fn supervise(_arguments: &[String]) -> ExitCode {
    ExitCode::Input
}
