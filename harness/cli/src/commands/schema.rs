//! `grenadier schema`.

use grenadier_checks::ExitCode;

use crate::output::{line, print};

pub(crate) fn run(reference: bool) -> ExitCode {
    if reference {
        print(&grenadier_scenario::reference());
        return ExitCode::Passed;
    }
    let schema = grenadier_scenario::schema();
    line(&serde_json::to_string_pretty(&schema).expect("a schema is plain JSON"));
    ExitCode::Passed
}
