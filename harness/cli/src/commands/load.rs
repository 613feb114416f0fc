//! Loading the scenario a command names, with errors as people deserve.

use std::io::IsTerminal;

use grenadier_checks::ExitCode;
use grenadier_scenario::{LoadError, Loaded, Style, load};

use crate::arguments::Format;

/// The scenario, or the exit code after its problems were printed.
pub(crate) fn scenario(name_or_path: &str, format: Format) -> Result<Loaded, ExitCode> {
    let error = match load(name_or_path) {
        Ok(loaded) => return Ok(loaded),
        Err(error) => error,
    };
    match (&error, format) {
        (LoadError::Invalid(problems), Format::Json) => {
            println!("{}", serde_json::json!({"verdict": "input", "problems": problems}));
        }
        (LoadError::Invalid(problems), Format::Text) => eprint!("{}", problems.render(style())),
        (_, Format::Json) => {
            println!("{}", serde_json::json!({"verdict": "input", "error": error.to_string(), "help": error.help()}));
        }
        (_, Format::Text) => {
            crate::report(ExitCode::Input, &error, error.help().as_deref());
        }
    }
    Err(ExitCode::Input)
}

fn style() -> Style {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colours { Style::Fancy } else { Style::Plain }
}
