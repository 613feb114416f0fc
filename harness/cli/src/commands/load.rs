//! Loading the scenario a command names, with errors as people deserve.

use std::io::IsTerminal;

use grenadier_checks::ExitCode;
use grenadier_outputs::Failure;
use grenadier_scenario::{Case, LoadError, Loaded, Scenario, Style, add_faults, load, load_calibration, load_case};

use crate::arguments::{Chosen, Format};
use crate::output::{complain, fail, report_as};

/// The scenario, or the exit code after its problems were printed.
pub(crate) fn scenario(name_or_path: &str, format: Format) -> Result<Loaded, ExitCode> {
    load(name_or_path).map_err(|error| complained(&[error], format))
}

/// The scenario for the procedure that was asked for, or the exit code after its problems were printed.
pub(crate) fn with_procedure(chosen: &Chosen, format: Format) -> Result<Loaded, ExitCode> {
    let loaded = scenario(&chosen.scenario, format)?;
    let Some(name) = &chosen.procedure else { return Ok(loaded) };
    match loaded.scenario.with_procedure(name) {
        Ok(scenario) => Ok(Loaded { scenario, ..loaded }),
        Err(error) => Err(report_as(format, ExitCode::Input, &error, Some(&error.hint()))),
    }
}

/// Adds the faults of the command line to a scenario's, or gives the exit code after their problems were printed.
pub(crate) fn faults(scenario: &mut Scenario, texts: &[String], format: Format) -> Result<(), ExitCode> {
    add_faults(scenario, texts).map_err(|problems| complained(&[problems.into()], format))
}

/// Has the virtual world take as long as a calibration says, or gives the exit code after its problems were printed.
pub(crate) fn timing(scenario: &mut Scenario, path: Option<&str>, format: Format) -> Result<(), ExitCode> {
    if let Some(path) = path {
        scenario.timing.profile = load_calibration(path).map_err(|error| complained(&[error], format))?;
    }
    Ok(())
}

/// The case, or the exit code after its problems were printed.
pub(crate) fn case(path: &str, format: Format) -> Result<Case, ExitCode> {
    load_case(path).map_err(|error| complained(&[error], format))
}

/// Tells everything that is wrong with what was to be loaded.
pub(super) fn complained(errors: &[LoadError], format: Format) -> ExitCode {
    let code = ExitCode::Input;
    let problems: Vec<_> = errors
        .iter()
        .filter_map(|error| match error {
            LoadError::Invalid(problems) => Some(problems),
            _ => None,
        })
        .collect();
    let others = errors.iter().filter(|error| !matches!(error, LoadError::Invalid(_)));
    match format {
        // One document: where no file has problems, the first error is what there is to tell.
        Format::Json if !problems.is_empty() => {
            let problems = problems.iter().flat_map(|problems| problems.iter()).cloned().collect();
            fail(&Failure::of_problems(problems));
        }
        Format::Json => {
            others.take(1).for_each(|error| _ = report_as(format, code, error, error.help().as_deref()));
        }
        Format::Text => {
            problems.iter().for_each(|problems| complain(&problems.render(style())));
            others.for_each(|error| _ = report_as(format, code, error, error.help().as_deref()));
        }
    }
    code
}

fn style() -> Style {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colours { Style::Fancy } else { Style::Plain }
}
