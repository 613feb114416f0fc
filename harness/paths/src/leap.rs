//! One upgrade from a version to another, and what is known of it.

use grenadier_catalog::{Named, Outcome, RefusalRule};
use grenadier_checks::{Verdict, Word};
use grenadier_probe::Part;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::versions::Versions;

/// An upgrade from one version to another, by places in [`Versions`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leap {
    /// The versions that the appliance came by before, the oldest first. None where it was deployed with the one it starts from.
    pub came_by: Vec<usize>,
    /// The version it starts from.
    pub from: usize,
    /// The version it goes to.
    pub to: usize,
}

impl Leap {
    /// A leap of a freshly deployed appliance.
    pub fn fresh(from: usize, to: usize) -> Leap {
        Leap { came_by: Vec::new(), from, to }
    }

    /// How it is written: `v0.1.9 → v0.2.0, which came by v0.1.8`.
    pub fn told(&self, versions: &Versions) -> String {
        let name = |at: &usize| versions.at(*at).version.name.as_str();
        let mut text = format!("{} → {}", name(&self.from), name(&self.to));
        if !self.came_by.is_empty() {
            text += &format!(", come by {}", self.came_by.iter().map(name).collect::<Vec<_>>().join(", "));
        }
        text
    }
}

/// How it stands with a leap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A rule forbids it. Where it was rehearsed, the engine refused by that rule and touched nothing.
    Refused,
    /// It was rehearsed, and every check passed.
    Rehearsed,
    /// It was rehearsed, and something was shown not to hold.
    Failed,
    /// It was to be rehearsed, and the environment was not fit for it.
    Unfit,
    /// Nobody rehearsed it.
    NotRehearsed,
}

impl State {
    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            State::Refused => "refused",
            State::Rehearsed => "rehearsed",
            State::Failed => "FAILED",
            State::Unfit => "UNFIT",
            State::NotRehearsed => "not rehearsed",
        }
    }
}

/// One rehearsal of a leap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsal {
    /// The scenario.
    pub scenario: String,
    /// The engine: a procedure of the built-in one.
    pub engine: String,
    /// In which world: `virtual` or `docker`.
    pub world: String,
    /// What it came to.
    pub state: State,
    /// In one line.
    pub summary: String,
    /// How long the target was unreachable in the upgrade that was so longest, in nanoseconds; none where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_ns: Option<u64>,
    /// The same in the rollback, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_outage_ns: Option<u64>,
    /// The folder that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The command that does it again.
    pub replay: String,
}

impl Rehearsal {
    /// What a verdict tells of a leap. `engine` is the procedure it ran with.
    pub fn of(verdict: &Verdict, engine: &str, folder: Option<String>) -> Rehearsal {
        let state = match verdict.verdict {
            Word::Passed if verdict.engine.iter().any(|call| call.outcome == Some(Outcome::Refused)) => State::Refused,
            Word::Passed => State::Rehearsed,
            Word::Failed => State::Failed,
            Word::Unfit => State::Unfit,
            Word::Interrupted => State::NotRehearsed,
        };
        let worst = |part: Part| {
            let watched = verdict.targets.iter().filter(|target| !target.is_canary);
            let totals = watched.flat_map(|target| &target.totals).filter(|total| total.part == part);
            totals.map(|total| total.length.upper_ns).max()
        };
        Rehearsal {
            scenario: verdict.run.scenario.clone(),
            engine: engine.to_owned(),
            world: verdict.run.world.name().to_owned(),
            state,
            summary: verdict.summary.clone(),
            outage_ns: worst(Part::Upgrade),
            rollback_outage_ns: worst(Part::Rollback),
            folder,
            replay: verdict.run.replay.clone(),
        }
    }
}

/// A leap and what is known of it: a cell of the matrix, or a hop of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeapLine {
    /// The versions that the appliance came by before, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came_by: Vec<String>,
    /// The version it starts from.
    pub from: String,
    /// The version it goes to.
    pub to: String,
    /// How it stands.
    pub state: State,
    /// The rule that forbids it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Everything that was rehearsed of it.
    pub rehearsals: Vec<Rehearsal>,
}

impl LeapLine {
    /// What rehearsals, and the rule that forbids it, say of a leap.
    ///
    /// One that failed counts, whatever others say; then one that the environment was not fit for. Without any, a rule that
    /// forbids it is all there is to say.
    pub fn of(leap: &Leap, versions: &Versions, rule: Option<RefusalRule>, rehearsals: Vec<Rehearsal>) -> LeapLine {
        let any = |state: State| rehearsals.iter().any(|rehearsal| rehearsal.state == state);
        let settled = if rule.is_some() { State::Refused } else { State::Rehearsed };
        let state = match rule {
            _ if any(State::Failed) => State::Failed,
            _ if any(State::Unfit) => State::Unfit,
            _ if any(settled) => settled,
            Some(_) => State::Refused,
            None => State::NotRehearsed,
        };
        let name = |at: &usize| versions.at(*at).version.name.clone();
        LeapLine {
            came_by: leap.came_by.iter().map(name).collect(),
            from: name(&leap.from),
            to: name(&leap.to),
            state,
            rule: rule.map(|rule| rule.name().to_owned()),
            rehearsals,
        }
    }

    /// How long the target was unreachable that was so longest, of all rehearsals.
    pub fn outage_ns(&self) -> Option<u64> {
        self.rehearsals.iter().filter_map(|rehearsal| rehearsal.outage_ns).max()
    }

    /// The rehearsals that explain why it stands as it does.
    pub fn telling(&self) -> impl Iterator<Item = &Rehearsal> {
        self.rehearsals.iter().filter(|rehearsal| rehearsal.state == self.state)
    }
}
