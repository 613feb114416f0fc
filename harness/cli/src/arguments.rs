//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Rehearse the upgrade.
///
/// Grenadier stands up the base version of a system, creates load balancers on it, runs an upgrade engine, and says with
/// evidence whether the data plane stayed up and whether rollback restored the original state.
#[derive(Debug, Parser)]
#[command(
    name = "grenadier",
    version,
    max_term_width = 100,
    after_help = "Examples:
  grenadier run haproxy-appliance-swap
  grenadier run my-scenario.yaml --seed 7
  grenadier run haproxy-appliance-swap --world docker
  grenadier plan haproxy-appliance-swap

Exit codes: 0 all checks passed · 1 a scenario failed · 2 the input is wrong · 3 the environment is not fit · 4 interrupted"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario and judge it
    #[command(after_help = "Examples:
  grenadier run haproxy-appliance-swap
  grenadier run ./my-scenario.yaml --seed 7 --out runs/today
  grenadier run haproxy-appliance-swap --world docker
  grenadier run haproxy-appliance-swap --format json | jq .verdict")]
    Run(Run),
    /// Print what the engine would do, without running anything
    #[command(after_help = "Example:\n  grenadier plan haproxy-appliance-swap")]
    Plan(Plan),
    /// List the scenarios that come with the product
    #[command(after_help = "Example:\n  grenadier list --format json")]
    List(List),
    /// Print the JSON Schema of scenario files
    #[command(after_help = "Example:\n  grenadier schema > scenarios/schema.json")]
    Schema,
    /// Make the container images that the docker world needs
    #[command(after_help = "Example:\n  grenadier images\n\nImages that are there already are left alone.")]
    Images,
    /// Remove containers, networks and volumes that killed runs left behind
    #[command(after_help = "Examples:\n  grenadier clean\n  grenadier clean --all")]
    Clean(Clean),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  grenadier completions bash > /etc/bash_completion.d/grenadier")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A scenario by name, or the path of a scenario file
    pub scenario: String,
    /// Where to run it
    #[arg(long, value_enum, default_value_t = World::Virtual)]
    pub world: World,
    /// The seed everything random follows from; the scenario's own by default
    #[arg(long)]
    pub seed: Option<u64>,
    /// The folder to leave the run in; `grenadier-runs/<scenario>-<world>-<seed>` by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leave no folder
    #[arg(long, conflicts_with = "out")]
    pub no_folder: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print nothing but the verdict
    #[arg(long, short)]
    pub quiet: bool,
    /// Run it this many times and print how long a run took (for measuring; the last run is judged)
    #[arg(long, value_name = "N", hide = true)]
    pub repeat: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// A scenario by name, or the path of a scenario file
    pub scenario: String,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// Those of living runs too
    #[arg(long)]
    pub all: bool,
}

/// Where to run a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    /// Rust guests, virtual clock, exact outages; needs nothing
    Virtual,
    /// Containers with the real HAProxy; needs a Docker engine
    Docker,
}

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}
