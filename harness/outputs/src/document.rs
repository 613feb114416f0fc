//! The documents there are.

use grenadier_calibrate::Calibration;
use grenadier_checks::Verdict;
use grenadier_compare::Comparison;
use grenadier_engine_process::{ResultLine, Status};
use grenadier_events::Event;
use grenadier_explore::{Assumptions, Exploration};
use grenadier_gate::Gate;
use grenadier_paths::Paths;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::closed::closed;
use crate::{Diagnosis, Failure, Listing, Suggestions, diagnosis, failure, listing, suggestions};

/// A kind of document that programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The verdict of a run.
    Run,
    /// What an exploration came to.
    Explore,
    /// Which verdicts hang on what the simulators assume.
    Assumptions,
    /// What a gate came to.
    Gate,
    /// Which version upgrades to which.
    Paths,
    /// One scenario in both worlds.
    Compare,
    /// How long things take in the docker world.
    Calibrate,
    /// Whether a machine is fit to rehearse on.
    Doctor,
    /// The scenarios that come with the product.
    List,
    /// The faults that a log points to.
    Suggest,
    /// How the built-in engine ended.
    Engine,
    /// What the engine's journal says of a run.
    EngineStatus,
    /// What went wrong, in the place of any of the others.
    Error,
    /// One line of the log of a run.
    Event,
}

impl Document {
    /// All of them, in the order of the page.
    pub const ALL: [Document; 14] = [
        Document::Run,
        Document::Explore,
        Document::Assumptions,
        Document::Gate,
        Document::Paths,
        Document::Compare,
        Document::Calibrate,
        Document::Doctor,
        Document::List,
        Document::Suggest,
        Document::Engine,
        Document::EngineStatus,
        Document::Error,
        Document::Event,
    ];

    /// Its name on the command line and on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Document::Run => "run",
            Document::Explore => "explore",
            Document::Assumptions => "assumptions",
            Document::Gate => "gate",
            Document::Paths => "paths",
            Document::Compare => "compare",
            Document::Calibrate => "calibrate",
            Document::Doctor => "doctor",
            Document::List => "list",
            Document::Suggest => "suggest",
            Document::Engine => "engine",
            Document::EngineStatus => "engine-status",
            Document::Error => "error",
            Document::Event => "event",
        }
    }

    /// The document of this name.
    pub fn parse(name: &str) -> Option<Document> {
        Document::ALL.into_iter().find(|document| document.name() == name)
    }

    /// What it is, in one line.
    pub const fn doc(self) -> &'static str {
        match self {
            Document::Run => "The verdict of a run",
            Document::Explore => "What an exploration came to",
            Document::Assumptions => "Which verdicts hang on what the simulators assume",
            Document::Gate => "What a gate came to",
            Document::Paths => "Which version upgrades to which",
            Document::Compare => "One scenario in both worlds",
            Document::Calibrate => "How long things take in the docker world, as a timing profile",
            Document::Doctor => "Whether a machine is fit to rehearse on",
            Document::List => "The scenarios that come with the product",
            Document::Suggest => "The faults that a log points to",
            Document::Engine => "How the built-in engine ended",
            Document::EngineStatus => "What the engine's journal says of a run",
            Document::Error => "What went wrong, in the place of any of the others",
            Document::Event => "One line of the log of a run",
        }
    }

    /// Who writes it and where, in Markdown.
    pub(crate) const fn found(self) -> &'static str {
        match self {
            Document::Run => {
                "Printed by `grenadier run --format json` and `grenadier replay --format json`; `verdict.json` in the folder of a run."
            }
            Document::Explore => {
                "Printed by `grenadier explore --format json` and `grenadier merge --format json`; `explore.json` in the folder of an \
                 exploration."
            }
            Document::Assumptions => {
                "Printed by `grenadier explore --assumptions --format json`; `assumptions.json` in the folder that it leaves."
            }
            Document::Gate => "Printed by `grenadier gate --format json`; `gate.json` in the folder of a gate.",
            Document::Paths => "Printed by `grenadier paths --format json`; `paths.json` in the folder that it leaves.",
            Document::Compare => "Printed by `grenadier compare --format json`.",
            Document::Calibrate => "Printed by `grenadier calibrate --format json`; the file that it leaves.",
            Document::Doctor => "Printed by `grenadier doctor --format json`, in one line.",
            Document::List => "Printed by `grenadier list --format json`.",
            Document::Suggest => "Printed by `grenadier suggest --format json`.",
            Document::Engine => {
                "Printed by `grenadier engine upgrade`, `resume` and `rollback` with `--format json`, in one line."
            }
            Document::EngineStatus => "Printed by `grenadier engine status --format json`, in one line.",
            Document::Error => {
                "Printed by every command with `--format json` that came to no result, in one line. Arguments that cannot be \
                 understood are told on standard error alone, with exit code 2."
            }
            Document::Event => "A line of `events.jsonl` in the folder of a run.",
        }
    }

    /// The version of its shape, which stands in it as `v`. Within a version fields are added, and none changes its meaning.
    pub const fn version(self) -> u32 {
        match self {
            Document::Run => grenadier_checks::VERDICT_VERSION,
            Document::Explore | Document::Assumptions => grenadier_explore::VERSION,
            Document::Gate => grenadier_gate::VERSION,
            Document::Paths => grenadier_paths::VERSION,
            Document::Compare => grenadier_compare::VERSION,
            Document::Calibrate => grenadier_calibrate::VERSION,
            Document::Doctor => diagnosis::VERSION,
            Document::List => listing::VERSION,
            Document::Suggest => suggestions::VERSION,
            Document::Engine | Document::EngineStatus => grenadier_engine_process::RESULT_VERSION,
            Document::Error => failure::VERSION,
            Document::Event => grenadier_events::VERSION,
        }
    }

    /// Its JSON Schema (draft 2020-12). It names every field, so it refuses one that this version of the program does not write.
    pub fn schema(self) -> Value {
        let mut schema = match self {
            Document::Run => of::<Verdict>(),
            Document::Explore => of::<Exploration>(),
            Document::Assumptions => of::<Assumptions>(),
            Document::Gate => of::<Gate>(),
            Document::Paths => of::<Paths>(),
            Document::Compare => of::<Comparison>(),
            Document::Calibrate => of::<Calibration>(),
            Document::Doctor => of::<Diagnosis>(),
            Document::List => of::<Listing>(),
            Document::Suggest => of::<Suggestions>(),
            Document::Engine => of::<ResultLine>(),
            Document::EngineStatus => of::<Status>(),
            Document::Error => of::<Failure>(),
            Document::Event => of::<Event>(),
        }
        .to_value();
        schema["title"] = format!("grenadier {}, version {}", self.name(), self.version()).into();
        schema["properties"]["v"] = json!({"const": self.version(), "description": "The version of this shape."});
        closed(schema)
    }
}

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}
