//! What is printed, and where.
//!
//! A reader that went away (`| head`) is no error of ours: nothing here panics over a closed pipe, as `println!` would.

use std::error::Error;
use std::io::Write;

use grenadier_checks::ExitCode;
use grenadier_outputs::{Failure, causes};

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
            fail(&Failure::new(code, error, hint));
            code
        }
    }
}

/// Prints an error for programs, in one line.
pub(crate) fn fail(failure: &Failure) {
    line(&serde_json::to_string(failure).expect("an error has string keys"));
}
