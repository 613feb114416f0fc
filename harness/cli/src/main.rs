//! The `grenadier` command line: arguments, exit codes, nothing else.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the command line lives in real time: it measures runs for people and waits for signals"
)]

mod arguments;
mod commands;
mod output;
#[cfg(test)]
mod pipelines;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;

/// A run makes and drops some hundred thousand small things; glibc's allocator would take a fifth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(code) = commands::internal::dispatch() {
        return code;
    }
    // clap's own exit code for a usage error is 2, which is ours for wrong input too.
    let arguments = Arguments::parse();
    let code = match arguments.command {
        Command::Run(run) => commands::run::run(&run),
        Command::Explore(explore) => commands::explore::run(&explore),
        Command::Gate(gate) => commands::gate::run(&gate),
        Command::Replay(replay) => commands::replay::run(&replay),
        Command::Shrink(shrink) => commands::shrink::run(&shrink),
        Command::Compare(compare) => commands::compare::run(&compare),
        Command::Merge(merge) => commands::merge::run(&merge),
        Command::Paths(paths) => commands::paths::run(&paths),
        Command::Plan(plan) => commands::plan::run(&plan),
        Command::Engine(engine) => return commands::engine::run(&engine),
        Command::List(list) => commands::list::run(&list),
        Command::New(new) => commands::new::run(&new),
        Command::Suggest(suggest) => commands::suggest::run(&suggest),
        Command::Schema(schema) => commands::schema::run(&schema),
        Command::Fidelity => commands::fidelity::run(),
        Command::Calibrate(calibrate) => commands::calibrate::run(&calibrate),
        Command::Doctor(doctor) => commands::doctor::run(&doctor),
        Command::Serve(serve) => commands::serve::run(&serve),
        Command::Images(images) => commands::images::run(&images),
        Command::Clean(clean) => commands::clean::run(&clean),
        Command::Prune(prune) => commands::prune::run(&prune),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    code.into()
}
