//! What a gate does: which scenarios it runs, where, and what it asks of them. A TOML file, described in `docs/gate.md`.

mod choice;

use std::path::{Path, PathBuf};
use std::time::Duration;

use grenadier_catalog::{Check, World};

pub use crate::decode::profile as parse_profile;
pub use choice::Choice;
pub(crate) use choice::{Criterion, upgrade};

use crate::diagnostic::Finding;
use crate::{Diagnostics, Loaded};

/// What a gate does.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Where scenarios come from.
    pub sources: Vec<ScenarioSource>,
    /// Which of them are run, in the order in which they are asked: the first that chooses a scenario for a world counts.
    pub runs: Vec<RunRule>,
    /// Which of them are explored; again the first counts.
    pub explorations: Vec<ExploreRule>,
    pub(crate) source: String,
    pub(crate) file: String,
}

/// Where scenarios come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioSource {
    /// Those that come with the product.
    Embedded,
    /// A file, or all scenario files below a folder. Relative to the current directory.
    Path(PathBuf),
}

/// Which scenarios are run in a world, and what is asked of their runs.
#[derive(Debug, Clone)]
pub struct RunRule {
    /// Which scenarios.
    pub choice: Choice,
    /// Where.
    pub world: World,
    /// The checks that must have been made in every one of these runs, beside those that the scenario requires.
    pub require: Vec<Check>,
    /// How often a run that did not pass is made again.
    pub retries: u32,
    /// Whether a run that passes after one that did not is good enough.
    pub allow_flaky: bool,
    /// Whether the gate is not fit where the world is not there.
    pub must_run: bool,
    /// By how much a target may be unreachable for longer than in the baseline.
    pub outage_tolerance: Duration,
}

/// Which scenarios are explored, and how far.
#[derive(Debug, Clone)]
pub struct ExploreRule {
    /// Which scenarios.
    pub choice: Choice,
    /// How many cases of each are run at most; none: all.
    pub budget: Option<u64>,
    /// Which part of the cases is run, `k` of `n`; none: all.
    pub shard: Option<(u64, u64)>,
}

impl RunRule {
    /// The rule that runs every scenario in `world` once and asks nothing beside. The world must be there.
    pub fn once(world: World) -> RunRule {
        RunRule {
            choice: Choice::everything(),
            world,
            require: Vec::new(),
            retries: 0,
            allow_flaky: false,
            must_run: true,
            outage_tolerance: Duration::ZERO,
        }
    }
}

impl Profile {
    /// How the profile is called in problems.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The same, with what is relative meant from `folder`.
    #[must_use]
    pub fn below(mut self, folder: &Path) -> Profile {
        for source in &mut self.sources {
            if let ScenarioSource::Path(path) = source {
                *path = folder.join(&*path);
            }
        }
        self
    }

    /// Sees that everything the profile names is there: a gate that runs nothing would pass.
    ///
    /// # Errors
    /// A label, file, system or upgrade that no scenario has, or a rule that chooses none.
    pub fn fits(&self, scenarios: &[Loaded]) -> Result<(), Diagnostics> {
        let rules = self.runs.iter().map(|rule| &rule.choice).chain(self.explorations.iter().map(|rule| &rule.choice));
        let findings: Vec<Finding> = rules.flat_map(|choice| choice.problems(scenarios)).collect();
        if findings.is_empty() { Ok(()) } else { Err(self.problems(findings)) }
    }

    pub(crate) fn problems(&self, findings: Vec<Finding>) -> Diagnostics {
        Diagnostics::new(&self.source, &self.file, findings)
    }
}
