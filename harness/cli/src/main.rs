//! The `grenadier` command line: arguments, exit codes, nothing else.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the command line lives in real time: it measures runs for people and waits for signals"
)]

mod arguments;
mod commands;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use grenadier_checks::ExitCode as Code;

fn main() -> ExitCode {
    if let Some(code) = commands::internal::dispatch() {
        return code;
    }
    // clap's own exit code for a usage error is 2, which is ours for wrong input too.
    let arguments = Arguments::parse();
    let code = match arguments.command {
        Command::Run(run) => commands::run::run(&run),
        Command::Plan(plan) => commands::plan::run(&plan),
        Command::List(list) => commands::list::run(&list),
        Command::Schema => commands::schema::run(),
        Command::Images => commands::images::run(),
        Command::Clean(clean) => commands::clean::run(&clean),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    code.into()
}

/// Prints an error, its causes and what to do about it, and gives its exit code.
fn report(code: Code, error: &dyn std::error::Error, hint: Option<&str>) -> Code {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("\n  because: {error}"));
        cause = error.source();
    }
    if let Some(hint) = hint {
        text.push_str(&format!("\n  hint: {}", hint.replace('\n', "\n        ")));
    }
    eprintln!("{text}");
    code
}
