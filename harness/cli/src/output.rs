//! What is printed, and where.
//!
//! A reader that went away (`| head`) is no error of ours: nothing here panics over a closed pipe, as `println!` would.

use std::error::Error;
use std::io::Write;

use grenadier_checks::{ExitCode, Word};
use serde_json::json;

use crate::arguments::Format;

/// Prints to standard output, as it is.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout();
    let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line to standard output.
pub(crate) fn line(text: &str) {
    print(&format!("{text}\n"));
}

/// Prints to standard error, as it is.
pub(crate) fn complain(text: &str) {
    let _gone = std::io::stderr().write_all(text.as_bytes());
}

/// Prints an error, its causes and what to do about it, and gives its exit code.
pub(crate) fn report(code: ExitCode, error: &dyn Error, hint: Option<&str>) -> ExitCode {
    let mut text = format!("error: {error}\n");
    for cause in causes(error) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("  hint: {}\n", hint.replace('\n', "\n        ")));
    }
    complain(&text);
    code
}

/// The same for people or for programs: a program gets an object in the verdict's place.
pub(crate) fn report_as(format: Format, code: ExitCode, error: &dyn Error, hint: Option<&str>) -> ExitCode {
    match format {
        Format::Text => report(code, error, hint),
        Format::Json => {
            let object = json!({
                "verdict": word(code),
                "exit_code": code.code(),
                "error": error.to_string(),
                "because": causes(error),
                "help": hint,
            });
            line(&object.to_string());
            code
        }
    }
}

/// The word in a verdict's place: those of verdicts, and `input` where nothing was run because the input is wrong.
pub(crate) fn word(code: ExitCode) -> &'static str {
    match code {
        ExitCode::Passed => Word::Passed.name(),
        ExitCode::Failed => Word::Failed.name(),
        ExitCode::Input => "input",
        ExitCode::Environment => Word::Unfit.name(),
        ExitCode::Interrupted => Word::Interrupted.name(),
    }
}

fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}
