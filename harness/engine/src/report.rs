//! What the engine says at the end.

use std::error::Error;
use std::fmt;

use serde::Serialize;

use crate::advice::Advice;

/// What the engine was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Bring the target version into service.
    Upgrade,
    /// Bring an interrupted upgrade, or an interrupted rollback, to its end.
    Resume,
    /// Bring the base version back after an upgrade.
    Rollback,
}

impl Verb {
    /// The name in events and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Upgrade => "upgrade",
            Verb::Resume => "resume",
            Verb::Rollback => "rollback",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How the engine says it ended. It is compared with what the world shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The target version serves.
    Upgraded,
    /// The base version serves again (or still: nothing had been changed yet).
    RolledBack,
    /// Nothing was changed, because a rule forbids it.
    Refused {
        /// The rule's name: `target-not-newer`.
        rule: String,
        /// What was found.
        message: String,
    },
    /// Neither forward nor back: somebody is needed.
    Stuck,
}

impl Outcome {
    /// The name in events, scenarios and reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Outcome::Upgraded => "upgraded",
            Outcome::RolledBack => "rolled-back",
            Outcome::Refused { .. } => "refused",
            Outcome::Stuck => "stuck",
        }
    }
}

/// The end of a verb.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EngineReport {
    /// What was asked.
    pub verb: Verb,
    /// How it ended.
    pub outcome: Outcome,
    /// 0 the verb was done, 10 rolled back instead, 20 refused and untouched, 30 stuck.
    pub exit_code: i32,
    /// What happened.
    pub message: String,
    /// What somebody should do next, where the engine cannot go on alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// The steps that were performed and verified, in order.
    pub finished: Vec<String>,
    /// The steps that were taken back, in the order in which that happened.
    pub undone: Vec<String>,
}

impl EngineReport {
    pub(crate) fn new(verb: Verb, outcome: Outcome, message: String) -> EngineReport {
        let exit_code = match (verb, &outcome) {
            (Verb::Upgrade | Verb::Resume, Outcome::Upgraded) | (Verb::Rollback, Outcome::RolledBack) => 0,
            (_, Outcome::RolledBack) => 10,
            (_, Outcome::Refused { .. }) => 20,
            (_, Outcome::Stuck) => 30,
            (Verb::Rollback, Outcome::Upgraded) => unreachable!("a rollback does not upgrade"),
        };
        EngineReport { verb, outcome, exit_code, message, advice: None, finished: Vec::new(), undone: Vec::new() }
    }

    /// Message and advice in one line, for logs.
    pub fn told(&self) -> String {
        match &self.advice {
            None => self.message.clone(),
            Some(advice) => format!("{}. {advice}", self.message),
        }
    }

    pub(crate) fn advised(self, advice: Option<Advice>) -> EngineReport {
        EngineReport { advice, ..self }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = fmt::Write::write_fmt(&mut text, format_args!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_follow_from_verb_and_outcome() {
        let refused = || Outcome::Refused { rule: "target-not-newer".to_owned(), message: String::new() };
        for (verb, outcome, code) in [
            (Verb::Upgrade, Outcome::Upgraded, 0),
            (Verb::Upgrade, Outcome::RolledBack, 10),
            (Verb::Upgrade, refused(), 20),
            (Verb::Upgrade, Outcome::Stuck, 30),
            (Verb::Resume, Outcome::Upgraded, 0),
            (Verb::Resume, Outcome::RolledBack, 10),
            (Verb::Resume, Outcome::Stuck, 30),
            (Verb::Rollback, Outcome::RolledBack, 0),
            (Verb::Rollback, refused(), 20),
            (Verb::Rollback, Outcome::Stuck, 30),
        ] {
            assert_eq!(EngineReport::new(verb, outcome.clone(), String::new()).exit_code, code, "{verb} {outcome:?}");
        }
    }
}
