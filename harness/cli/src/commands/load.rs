//! Loading the scenario a command names, with errors as people deserve.

use std::io::IsTerminal;

use grenadier_checks::ExitCode;
use grenadier_scenario::{LoadError, Loaded, Style, load};
use serde_json::json;

use crate::arguments::Format;
use crate::output::{complain, line, report_as, word};

/// The scenario, or the exit code after its problems were printed.
pub(crate) fn scenario(name_or_path: &str, format: Format) -> Result<Loaded, ExitCode> {
    let error = match load(name_or_path) {
        Ok(loaded) => return Ok(loaded),
        Err(error) => error,
    };
    match (&error, format) {
        (LoadError::Invalid(problems), Format::Json) => {
            let code = ExitCode::Input;
            line(&json!({"verdict": word(code), "exit_code": code.code(), "problems": problems}).to_string());
        }
        (LoadError::Invalid(problems), Format::Text) => complain(&problems.render(style())),
        _ => {
            report_as(format, ExitCode::Input, &error, error.help().as_deref());
        }
    }
    Err(ExitCode::Input)
}

fn style() -> Style {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colours { Style::Fancy } else { Style::Plain }
}
