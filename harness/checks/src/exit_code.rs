//! The exit codes of `grenadier`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a process of `grenadier` ends. The numbers are a promise to scripts and pipelines; they never change.
///
/// A broken environment never looks like a broken upgrade: only [`ExitCode::Failed`] says something about the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum ExitCode {
    /// 0: every check passed, or exactly those failed that the scenario says must.
    Passed = 0,
    /// 1: a scenario failed.
    Failed = 1,
    /// 2: the input is wrong: usage, scenario file.
    Input = 2,
    /// 3: the environment is not fit: no Docker engine, an image missing, a canary down, a required check not made.
    Environment = 3,
    /// 4: interrupted, and cleaned up.
    Interrupted = 4,
}

impl ExitCode {
    /// Every code, in order.
    pub const ALL: [ExitCode; 5] =
        [ExitCode::Passed, ExitCode::Failed, ExitCode::Input, ExitCode::Environment, ExitCode::Interrupted];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What the number says, in one line.
    pub const fn meaning(self) -> &'static str {
        match self {
            ExitCode::Passed => "all checks passed",
            ExitCode::Failed => "a scenario failed",
            ExitCode::Input => "the input is wrong (usage, scenario file)",
            ExitCode::Environment => "the environment is not fit",
            ExitCode::Interrupted => "interrupted (and cleaned up)",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> std::process::ExitCode {
        std::process::ExitCode::from(code.code())
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.meaning())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_never_change() {
        let numbers = ExitCode::ALL.map(ExitCode::code);
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        let names = ExitCode::ALL.map(|code| serde_json::to_string(&code).unwrap());
        assert_eq!(names, [r#""passed""#, r#""failed""#, r#""input""#, r#""environment""#, r#""interrupted""#]);
    }
}
