//! `grenadier schema`.

use grenadier_checks::ExitCode;

use crate::output::line;

pub(crate) fn run() -> ExitCode {
    let schema = grenadier_scenario::schema();
    line(&serde_json::to_string_pretty(&schema).expect("a schema is plain JSON"));
    ExitCode::Passed
}
