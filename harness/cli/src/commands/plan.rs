//! `grenadier plan`.

use grenadier_checks::ExitCode;

use crate::arguments::{Format, Plan};
use crate::output::print;

pub(crate) fn run(arguments: &Plan) -> ExitCode {
    match super::load::scenario(&arguments.scenario, Format::Text) {
        Ok(loaded) => {
            print(&grenadier_runner::plan(&loaded.scenario).render());
            ExitCode::Passed
        }
        Err(code) => code,
    }
}
