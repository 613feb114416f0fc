//! `grenadier plan`.

use grenadier_checks::ExitCode;

use crate::arguments::{Format, Plan};
use crate::output::print;

pub(crate) fn run(arguments: &Plan) -> ExitCode {
    match super::load::with_procedure(&arguments.chosen, Format::Text) {
        Ok(loaded) => {
            print(&grenadier_runner::plan(&loaded.scenario).render());
            ExitCode::Passed
        }
        Err(code) => code,
    }
}
