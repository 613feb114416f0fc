//! What the engine under test did and said.

use grenadier_catalog::Outcome;
use grenadier_clock::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the engine was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Upgrade from the base to the target.
    Upgrade,
    /// Go on after having been killed.
    Resume,
    /// Take a finished upgrade back.
    Rollback,
}

impl Verb {
    /// The word on the engine's command line, in events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Upgrade => "upgrade",
            Verb::Resume => "resume",
            Verb::Rollback => "rollback",
        }
    }

    /// The outcome an exit code of this verb stands for: 0 the verb was done, 10 rolled back instead, 20 refused and
    /// untouched, 30 stuck. Any other code is a failure without an outcome.
    pub const fn outcome(self, exit_code: i32) -> Option<Outcome> {
        match (exit_code, self) {
            (0, Verb::Upgrade | Verb::Resume) => Some(Outcome::Upgraded),
            (0, Verb::Rollback) | (10, _) => Some(Outcome::RolledBack),
            (20, _) => Some(Outcome::Refused),
            (30, _) => Some(Outcome::Stuck),
            _ => None,
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// One call of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFact {
    /// What it was asked for.
    pub verb: Verb,
    /// What the call that it goes on with was asked for, where that one crashed; else the same as `verb`.
    pub asked: Verb,
    /// When.
    pub began_ns: Time,
    /// Whether a fault made its process end, so that another one had to go on.
    pub crashed: bool,
    /// How it ended; none where it had not by the end of the run.
    pub end: Option<EngineEnd>,
}

/// How a call of the engine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineEnd {
    /// When.
    pub at_ns: Time,
    /// Its exit code.
    pub exit_code: i32,
    /// The outcome it claims in words, where it does. An engine that only exits claims what its code stands for.
    pub outcome: Option<Outcome>,
    /// The rule by which it refused, where it names one.
    pub rule: Option<String>,
    /// What it said last.
    pub message: String,
    /// What it said somebody should do next, where it could not go on alone.
    pub advice: Option<Advice>,
}

/// What an engine tells somebody who has to take over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Advice {
    /// What is left: which machine is on, and where to find what was saved. None where nothing was touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// What to do, in this order.
    pub next: Vec<String>,
}

impl EngineEnd {
    /// Message and advice in one line, for logs.
    pub fn told(&self) -> String {
        let Some(advice) = &self.advice else { return self.message.clone() };
        let left = advice.left.as_ref().map(|left| format!(" Left: {left}.")).unwrap_or_default();
        format!("{}.{left} Next: {}", self.message, advice.next.join("; "))
    }
}

impl EngineFact {
    /// The outcome it claims: in words, or by its exit code.
    pub fn claims(&self) -> Option<Outcome> {
        let end = self.end.as_ref()?;
        end.outcome.or(self.verb.outcome(end.exit_code))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Verb::Upgrade, 0, Some(Outcome::Upgraded))]
    #[case(Verb::Resume, 0, Some(Outcome::Upgraded))]
    #[case(Verb::Rollback, 0, Some(Outcome::RolledBack))]
    #[case(Verb::Upgrade, 10, Some(Outcome::RolledBack))]
    #[case(Verb::Upgrade, 20, Some(Outcome::Refused))]
    #[case(Verb::Rollback, 30, Some(Outcome::Stuck))]
    #[case(Verb::Upgrade, 1, None)]
    #[case(Verb::Upgrade, -9, None)]
    fn exit_codes_stand_for_outcomes(#[case] verb: Verb, #[case] code: i32, #[case] want: Option<Outcome>) {
        assert_eq!(verb.outcome(code), want);
    }
}
