//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use grenadier_clock::Seed;
use grenadier_explore::Shard;
use grenadier_outputs::Document;
use grenadier_runner::run_command;

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
  grenadier run haproxy-appliance-certificates-regenerated --procedure documented
  grenadier run haproxy-appliance-swap --fault power-on-new/vsphere.PowerOnVM_Task#1=lost-reply
  grenadier run haproxy-appliance-swap --fault deploy-new=crash-after:resume
  grenadier run haproxy-appliance-swap --format json | jq .verdict

Behind the kind, each after a colon: the machine it happens to, by how much or which share, how long it lasts, and what follows
a crash:
  power-on-new=partition:new-appliance:60s   deploy-new=crash-after:rollback
  verify-services=delay:new-appliance:200ms:60s   verify-services=loss:new-appliance:20%:60s

The folder holds report.html (the run on one page, for people), trace.json (for https://ui.perfetto.dev), events.jsonl,
verdict.json, junit.xml, states/, and case.yaml, which replays it.")]
    Run(Run),
    /// Break a scenario at every call and say what does not survive
    #[command(after_help = "Examples:
  grenadier explore haproxy-appliance-swap --budget 50
  grenadier explore haproxy-appliance-upgrade --order 2 --budget 100
  grenadier explore haproxy-appliance-swap --shard 1/40 --out explore-1
  grenadier explore haproxy-appliance-swap --random 20 --seed 7
  grenadier explore haproxy-appliance-swap --assumptions

The budget is a number of cases, so that a slow machine covers the same as a fast one.
The folder holds report.html (for people), explore.json, junit.xml, and of each failure its case and its run.")]
    Explore(Explore),
    /// Run and explore everything a profile asks for, with one verdict
    #[command(after_help = "Examples:
  grenadier gate
  grenadier gate --print-profile > gate.toml
  grenadier gate --profile gate.toml --out gate-today
  grenadier gate --baseline gate-yesterday --out gate-today

Without a profile: every embedded scenario in the virtual world, every single fault of the base ones, and the
swap with the real HAProxy where a Docker engine answers. docs/gate.md explains profiles and baselines.")]
    Gate(Gate),
    /// Run a case again, byte for byte
    #[command(after_help = "Examples:
  grenadier replay grenadier-runs/haproxy-appliance-swap-virtual-1/case.yaml
  grenadier replay case.yaml --until power-off-old --out stopped
  grenadier replay case.yaml --world docker")]
    Replay(Replay),
    /// Make a failing case smaller
    #[command(after_help = "Example:\n  grenadier shrink case.yaml --out smaller.yaml")]
    Shrink(Shrink),
    /// Run a scenario in both worlds and say where they differ
    #[command(after_help = "Examples:
  grenadier compare haproxy-appliance-swap
  grenadier compare haproxy-appliance-swap --fault power-on-new=boot-fails:new-appliance
  grenadier compare haproxy-appliance-swap --format json | jq .first_difference

The worlds agree when every check that both can make came out alike, the engine claims the same, and it made the same
changing calls in the same order. Outages stand beside each other and are judged by nobody. Exit code 1 says that they
differ, 3 that one was not fit to tell.")]
    Compare(Compare),
    /// Join the shards of an exploration
    #[command(after_help = "Example:\n  grenadier merge explore-1 explore-2 --out explore")]
    Merge(Merge),
    /// Show which version upgrades to which, and rehearse what nobody did
    #[command(after_help = "Examples:
  grenadier paths haproxy-appliance
  grenadier paths haproxy-appliance --run
  grenadier paths haproxy-appliance --run --procedure documented
  grenadier paths haproxy-appliance --run --from v0.1.8 --to v0.2.0 --by v0.1.9 --by v0.1.10
  grenadier paths haproxy-appliance --run --scenario my-appliance.yaml --world docker
  grenadier paths haproxy-appliance --format markdown > paths.md

Without --run it shows what earlier runs left in grenadier-runs, and what the rules refuse. A version of your own is in
the matrix when a scenario named with --scenario has it in `from` or `to`. docs/paths.md explains the matrix.")]
    Paths(Paths),
    /// Print what the engine would do, without running anything
    #[command(after_help = "Examples:
  grenadier plan haproxy-appliance-swap
  grenadier plan haproxy-appliance-swap --procedure documented")]
    Plan(Plan),
    /// Perform an upgrade with the built-in engine, or look at the journal of one
    #[command(subcommand, after_help = ENGINE_HELP)]
    Engine(Engine),
    /// List the scenarios that come with the product
    #[command(after_help = "Examples:
  grenadier list
  grenadier list --field --symptom 409
  grenadier list --format json")]
    List(List),
    /// Begin a scenario of your own from one that is there
    #[command(after_help = "Examples:
  grenadier new my-upgrade --from haproxy-appliance-swap
  grenadier new my-failure --from haproxy-appliance-swap --fault power-on-new/vsphere.PowerOnVM_Task#1=task-stuck

The new file keeps every comment of the old one. Nothing that is there already is written over.")]
    New(New),
    /// Name the faults that an engine's log points to
    #[command(after_help = "Examples:
  grenadier suggest haproxy-appliance-swap engine.log
  journalctl -u upgrade | grenadier suggest haproxy-appliance-swap -

A line of the log points to a fault where it says what went wrong (`connection reset`, `503`, `timed out`) and it or the
lines before it name a call (`PowerOnVM_Task`) or a step of the undisturbed run. docs/reproduce-a-field-failure.md walks
through an example.")]
    Suggest(Suggest),
    /// Print the JSON Schema of scenario files, or of what other commands print
    #[command(after_help = "Examples:
  grenadier schema > scenarios/schema.json
  grenadier schema --reference > docs/scenario.md
  grenadier schema --output run
  grenadier schema --output-reference > docs/json.md")]
    Schema(Schema),
    /// Print what the simulators assume, and how it is known
    #[command(after_help = "Example:\n  grenadier fidelity > docs/fidelity.md")]
    Fidelity,
    /// Say whether this machine is fit to rehearse on, and what to do where it is not
    #[command(after_help = "Examples:
  grenadier doctor
  grenadier doctor --world virtual
  grenadier doctor --format json

It runs one rehearsal in the virtual world, looks at the Docker engine and everything around it, and starts and
removes one small fleet there. Exit code 3 says that no run goes in the world that was asked about.")]
    Doctor(Doctor),
    /// Measure how long things take in the docker world, as a timing profile for the virtual one
    #[command(after_help = "Examples:
  grenadier calibrate
  grenadier run haproxy-appliance-swap --timing timing.json
  grenadier compare haproxy-appliance-swap --timing timing.json

It works on a machine of its own and rehearses haproxy-appliance-swap in the docker world. What it writes holds the date, the
machine, every length, and how near a virtual run with this profile came to the outages of the last real one.")]
    Calibrate(Calibrate),
    /// Serve a simulated cloud to clients and engines of any kind, until it is interrupted
    #[command(
        subcommand,
        after_help = "Examples:
  grenadier serve vsphere
  grenadier serve vsphere -l 127.0.0.1:0 --vm 20 --pace reference
  grenadier serve vsphere --username administrator@vsphere.local --password secret --tls=false"
    )]
    Serve(crate::commands::serve::Serve),
    /// Make the container images that the docker world needs
    #[command(after_help = "Example:\n  grenadier images\n\nImages that are there already are left alone.")]
    Images(Images),
    /// Remove containers, networks and volumes that killed runs left behind
    #[command(after_help = "Examples:\n  grenadier clean\n  grenadier clean --all")]
    Clean(Clean),
    /// Remove the folders of old runs
    #[command(after_help = "Examples:
  grenadier prune --keep 20
  grenadier prune ci-runs --keep 0

Only folders that a run, an exploration, a gate or a matrix of paths left are removed: those with a verdict.json,
explore.json, assumptions.json, gate.json or paths.json.")]
    Prune(Prune),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  grenadier completions bash > /etc/bash_completion.d/grenadier")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// A scenario, and who upgrades in it.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// A scenario by name, or the path of a scenario file
    pub scenario: String,
    /// The procedure the engine follows; the scenario's own by default
    #[arg(long, value_name = "NAME")]
    pub procedure: Option<String>,
}

impl Chosen {
    /// The command that runs it again, alike.
    pub(crate) fn run_again(
        &self,
        world: grenadier_events::World,
        seed: Seed,
        faults: &[String],
        timing: Option<&str>,
    ) -> String {
        let faults: String = faults.iter().map(|fault| format!(" --fault '{fault}'")).collect();
        let timing = timing.map(|path| format!(" --timing '{path}'")).unwrap_or_default();
        run_command(&self.scenario, self.procedure.as_deref(), world, seed) + &faults + &timing
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub chosen: Chosen,
    /// Where to run it
    #[arg(long, value_enum, default_value_t = World::Virtual)]
    pub world: World,
    /// The seed everything random follows from; the scenario's own by default
    #[arg(long)]
    pub seed: Option<u64>,
    /// Something that goes wrong, beside the scenario's own faults (more than one may be given):
    /// `step/template#k=kind` at a call, `step=kind` at a step
    #[arg(long = "fault", value_name = "PLACE=KIND[:MORE]")]
    pub faults: Vec<String>,
    /// How long things take in the virtual world: what `grenadier calibrate` wrote
    #[arg(long, value_name = "FILE")]
    pub timing: Option<String>,
    /// The folder to leave the run in; `grenadier-runs/<scenario>-<world>-<seed>` by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leave no folder
    #[arg(long, conflicts_with = "out")]
    pub no_folder: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
    /// Run it this many times and print how long a run took (for measuring; the last run is judged)
    #[arg(long, value_name = "N", hide = true)]
    pub repeat: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Explore {
    #[command(flatten)]
    pub chosen: Chosen,
    /// How many cases to run at most
    #[arg(long, value_name = "N")]
    pub budget: Option<u64>,
    /// 1: every single fault; 2: pairs of faults too
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub order: u8,
    /// How many threads run cases; one a core by default
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// Run only the k-th of n parts; `grenadier merge` joins them
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Run this many random schedules of faults, delays and orders of events instead
    #[arg(long, value_name = "N", conflicts_with = "order")]
    pub random: Option<u64>,
    /// Turn over each assumption that the run relies on, and say which verdicts hang on it
    #[arg(long, conflicts_with_all = ["order", "random", "shard", "budget"])]
    pub assumptions: bool,
    /// The seed of the runs, the scenario's own by default; with --random, what schedules are drawn from
    #[arg(long)]
    pub seed: Option<u64>,
    /// The folder to leave the cases in; `grenadier-runs/<scenario>-explore` by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leave no folder
    #[arg(long, conflicts_with = "out")]
    pub no_folder: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Gate {
    /// What to run, a TOML file; the built-in profile by default
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Print the built-in profile, and run nothing
    #[arg(long, conflicts_with_all = ["profile", "baseline", "out", "workers", "format", "quiet"])]
    pub print_profile: bool,
    /// The folder of an earlier gate: what became worse since then fails the gate
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// The folder to leave everything in
    #[arg(long, value_name = "DIR", default_value = "grenadier-runs/gate")]
    pub out: PathBuf,
    /// How many threads run cases; one a core by default
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The path of a case
    pub case: String,
    /// Stop after this step of the engine
    #[arg(long, value_name = "STEP")]
    pub until: Option<String>,
    /// Where to run it
    #[arg(long, value_enum, default_value_t = World::Virtual)]
    pub world: World,
    /// The folder to leave the run in; `grenadier-runs/<scenario>-replay-<seed>` by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leave no folder
    #[arg(long, conflicts_with = "out")]
    pub no_folder: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Shrink {
    /// The path of a case that fails
    pub case: String,
    /// The file to write the smaller case to; `<case>-shrunk.yaml` by default
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    pub chosen: Chosen,
    /// The seed of both runs; the scenario's own by default
    #[arg(long)]
    pub seed: Option<u64>,
    /// Something that goes wrong in both runs, beside the scenario's own faults (more than one may be given):
    /// `step/template#k=kind` at a call, `step=kind` at a step
    #[arg(long = "fault", value_name = "PLACE=KIND[:MORE]")]
    pub faults: Vec<String>,
    /// How long things take in the virtual world: what `grenadier calibrate` wrote
    #[arg(long, value_name = "FILE")]
    pub timing: Option<String>,
    /// The folder to leave both runs in, as `virtual` and `docker`; `grenadier-runs/<scenario>-compare` by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The folders of all shards
    #[arg(required = true)]
    pub folders: Vec<PathBuf>,
    /// The folder to leave the whole in; `grenadier-runs/<scenario>-explore` by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Paths {
    /// The system
    pub system: String,
    /// Rehearse every leap, and hop by hop where one cannot be made at once
    #[arg(long)]
    pub run: bool,
    /// Only from this version
    #[arg(long, value_name = "VERSION")]
    pub from: Option<String>,
    /// Only to this version
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// The way by this version; several are the hops in between, in this order
    #[arg(long, value_name = "VERSION")]
    pub by: Vec<String>,
    /// What to rehearse every leap with: a scenario whose topology, resources and expectations it takes; those of the system
    /// that are labelled `base` by default
    #[arg(long, value_name = "SCENARIO")]
    pub scenario: Vec<String>,
    /// The procedure the engine follows; the scenarios' own by default
    #[arg(long, value_name = "NAME")]
    pub procedure: Option<String>,
    /// Where to rehearse
    #[arg(long, value_enum, default_value_t = World::Virtual, requires = "run")]
    pub world: World,
    /// Where earlier runs are, without --run
    #[arg(long, value_name = "DIR", default_value = "grenadier-runs", conflicts_with = "run")]
    pub results: Vec<PathBuf>,
    /// The folder to leave everything in; with --run `grenadier-runs/paths-<system>` by default, else none
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How many threads rehearse; one a core by default
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// What to print
    #[arg(long, value_enum, default_value_t = PageFormat::Text)]
    pub format: PageFormat,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub chosen: Chosen,
}

const ENGINE_HELP: &str = r#"Examples:
  grenadier engine upgrade --journal swap.sqlite --parameters swap.yaml
  grenadier engine status --journal swap.sqlite
  grenadier engine resume --journal swap.sqlite --parameters swap.yaml
  grenadier engine rollback --journal swap.sqlite --parameters swap.yaml --format json

Parameters (paths are relative to the file; secrets are in files or variables of the environment):
  vcenter:
    url: https://vcenter.example
    fingerprint: 4F:0C:…                 # openssl x509 -noout -fingerprint -sha256
    user: upgrader@vsphere.local
    password: {env: VCENTER_PASSWORD}    # or {file: PATH}
  datacenter: DC0
  old: haproxy
  new: haproxy-v0.2.0
  from: v0.1.10
  to: v0.2.0
  image: {descriptor: haproxy.ovf, disk: haproxy-disk1.vmdk}
  appliance: {root-password: {file: root.secret}, user: wcp, password: {file: wcp.secret}}
  vantages:
    - {cluster: supervisor, host: 198.51.100.4, user: root, targets: ["198.51.100.20:443"]}
  # target: {networks: […], service-ranges: […]}   vsphere-after: 8.0.2   remove-old: false
  # keep-new-after-rollback: false   deadlines: {services: 3m, …}
  # ssh-options: [UserKnownHostsFile=known_hosts]

Whatever ends the process, SIGKILL too: `resume` goes on where it was, `rollback` takes all of it
back. The last line on standard output is the result; --format json makes it one object:
  {"v":1,"result":"upgraded","verb":"upgrade","exit-code":0,"message":"…","finished":[…],"undone":[]}

Exit codes: 0 the verb was done · 10 rolled back instead · 20 refused and untouched
30 stuck: the result says what to do · 2 the parameters are wrong · 3 the journal cannot be opened"#;

#[derive(Debug, Subcommand)]
pub(crate) enum Engine {
    /// Bring the target version into service; where that fails, take everything back
    #[command(
        after_help = "Example:\n  grenadier engine upgrade --journal swap.sqlite --parameters swap.yaml\n\n`grenadier engine --help` shows the parameters' form and the exit codes."
    )]
    Upgrade(Perform),
    /// Bring an interrupted upgrade, or an interrupted rollback, to its end
    #[command(after_help = "Example:\n  grenadier engine resume --journal swap.sqlite --parameters swap.yaml")]
    Resume(Perform),
    /// Bring the base version back, wherever the upgrade ended
    #[command(after_help = "Example:\n  grenadier engine rollback --journal swap.sqlite --parameters swap.yaml")]
    Rollback(Perform),
    /// Print which steps are done, which one is open, and what comes next
    #[command(
        after_help = "Examples:\n  grenadier engine status --journal swap.sqlite\n  grenadier engine status --journal swap.sqlite --format json | jq -r .next"
    )]
    Status(EngineStatus),
}

#[derive(Debug, Args)]
pub(crate) struct Perform {
    /// What to perform
    #[arg(long, value_name = "NAME", default_value = "haproxy-appliance/hardened")]
    pub procedure: String,
    /// The journal, an SQLite file; begun where it is not there
    #[arg(long, value_name = "FILE")]
    pub journal: PathBuf,
    /// The parameters, a YAML file
    #[arg(long, value_name = "FILE")]
    pub parameters: PathBuf,
    /// What to print at the end
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Who makes the calls
    #[arg(long, value_enum, default_value_t = Wire::Direct, hide = true)]
    pub wire: Wire,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct EngineStatus {
    /// The journal
    #[arg(long, value_name = "FILE")]
    pub journal: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Who makes the calls of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    /// The process itself, over the network
    Direct,
    /// Whoever started it, asked over standard output and answering over standard input
    Stdio,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The name of the new scenario
    pub name: String,
    /// The scenario to begin with: a name, or the path of a file
    #[arg(long, value_name = "SCENARIO")]
    pub from: String,
    /// A fault the new scenario has beside those of the old one; may be given several times
    #[arg(long = "fault", value_name = "ADDRESS=KIND")]
    pub faults: Vec<String>,
    /// The file to write; `<name>.yaml` by default
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Suggest {
    #[command(flatten)]
    pub chosen: Chosen,
    /// The log of an engine, or - for standard input
    pub log: PathBuf,
    /// How many faults to name at most
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub most: usize,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only failures that somebody really had
    #[arg(long)]
    pub field: bool,
    /// Only failures recognised by this: words of a message, a status, an issue's number; all of them, where there are more
    #[arg(long, value_name = "TEXT")]
    pub symptom: Vec<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// The folder whose runs to remove
    #[arg(value_name = "DIR", default_value = "grenadier-runs")]
    pub folder: PathBuf,
    /// How many of the newest to keep
    #[arg(long, value_name = "N")]
    pub keep: usize,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Calibrate {
    /// How many whole runs to measure, some half a minute each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub runs: u32,
    /// The file to write the profile to
    #[arg(long, value_name = "FILE", default_value = "timing.json")]
    pub out: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The world that is to be fit
    #[arg(long, value_enum, default_value_t = World::Docker)]
    pub world: World,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// Those of living runs too
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub quiet: Quiet,
}

#[derive(Debug, Args)]
pub(crate) struct Images {
    #[command(flatten)]
    pub quiet: Quiet,
}

/// What every command means by it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Quiet {
    /// Print nothing but the result: the verdict in one line, or names one a line (errors still go to standard error)
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The same for people: every key, as a page of Markdown
    #[arg(long)]
    pub reference: bool,
    /// The JSON Schema of what a command prints with --format json instead
    #[arg(long, value_name = "NAME", value_parser = documents(), conflicts_with = "reference")]
    pub output: Option<Document>,
    /// The same for people: every document, as a page of Markdown
    #[arg(long, conflicts_with_all = ["reference", "output"])]
    pub output_reference: bool,
}

/// The documents by name.
fn documents() -> impl TypedValueParser<Value = Document> {
    let names = Document::ALL.map(|document| PossibleValue::new(document.name()).help(document.doc()));
    PossibleValuesParser::new(names).map(|name| Document::parse(&name).expect("it is one of them"))
}

/// Where to run a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    /// Rust guests, virtual clock, exact outages; needs nothing
    Virtual,
    /// Containers with the real HAProxy; needs a Docker engine
    Docker,
}

/// What to print, where that may be a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For a page or a comment
    Markdown,
    /// One file for a browser
    Html,
}

impl PageFormat {
    /// How errors are told.
    pub(crate) fn of_errors(self) -> Format {
        if self == PageFormat::Json { Format::Json } else { Format::Text }
    }
}

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}
