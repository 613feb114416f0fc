//! `grenadier completions`.

use clap::CommandFactory;
use clap_complete::Shell;
use grenadier_checks::ExitCode;

use crate::arguments::Arguments;
use crate::output::print;

pub(crate) fn run(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "grenadier", &mut script);
    print(&String::from_utf8_lossy(&script));
    ExitCode::Passed
}
