//! `grenadier completions`.

use clap::CommandFactory;
use clap_complete::Shell;
use grenadier_checks::ExitCode;

use crate::arguments::Arguments;

pub(crate) fn run(shell: Shell) -> ExitCode {
    clap_complete::generate(shell, &mut Arguments::command(), "grenadier", &mut std::io::stdout());
    ExitCode::Passed
}
