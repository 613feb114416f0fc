//! `grenadier fidelity`.

use grenadier_checks::ExitCode;

use crate::output::line;

pub(crate) fn run() -> ExitCode {
    line(grenadier_fidelity::markdown(&grenadier_runner::DECLARED).trim_end());
    ExitCode::Passed
}
