//! An error as a document.

use std::error::Error;

use grenadier_checks::ExitCode;
use grenadier_scenario::Problem;
use schemars::JsonSchema;
use serde::Serialize;

/// The version of the shape of [`Failure`], written as `v`.
pub(crate) const VERSION: u32 = 1;

/// What a command prints in its document's place where it came to no result. `verdict` and `exit_code` stand where those of a
/// run stand, so a program can look at them first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// The version of this shape.
    pub v: u32,
    /// Who is to blame, in one word.
    pub verdict: FailureWord,
    /// The exit code of `grenadier`.
    pub exit_code: u8,
    /// What went wrong, in one line.
    pub error: String,
    /// Why, cause by cause.
    pub because: Vec<String>,
    /// What to do about it; null where nothing is known.
    pub help: Option<String>,
    /// Where files that were given are wrong, one entry for each place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureWord {
    /// The upgrade failed, so there is nothing to compare with or to go on from.
    Failed,
    /// What was given is wrong: arguments, a scenario, a profile, a baseline. Nothing was run.
    Input,
    /// The environment is not fit: no Docker engine, no image, a folder that cannot be written.
    Unfit,
    /// Somebody interrupted it.
    Interrupted,
}

impl Failure {
    /// `error` with its causes.
    ///
    /// # Panics
    /// With the exit code of a success.
    pub fn new(code: ExitCode, error: &dyn Error, help: Option<&str>) -> Failure {
        Failure {
            v: VERSION,
            verdict: FailureWord::of(code),
            exit_code: code.code(),
            error: error.to_string(),
            because: causes(error),
            help: help.map(str::to_owned),
            problems: Vec::new(),
        }
    }

    /// What is wrong with files that were given.
    pub fn of_problems(problems: Vec<Problem>) -> Failure {
        let code = ExitCode::Input;
        let mut files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
        files.dedup();
        let many = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
        Failure {
            v: VERSION,
            verdict: FailureWord::of(code),
            exit_code: code.code(),
            error: format!("{many} in {}", files.join(", ")),
            because: Vec::new(),
            help: Some("each problem has a place, and most say what to do".to_owned()),
            problems,
        }
    }
}

impl FailureWord {
    fn of(code: ExitCode) -> FailureWord {
        match code {
            ExitCode::Failed => FailureWord::Failed,
            ExitCode::Input => FailureWord::Input,
            ExitCode::Environment => FailureWord::Unfit,
            ExitCode::Interrupted => FailureWord::Interrupted,
            ExitCode::Passed => unreachable!("what passed is no failure"),
        }
    }
}

/// The causes of an error, the nearest first.
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use grenadier_checks::Word;

    use super::*;

    #[test]
    fn the_words_are_those_of_verdicts_where_there_is_one() {
        for code in ExitCode::ALL.into_iter().skip(1) {
            let word = serde_json::to_value(FailureWord::of(code)).unwrap();
            let verdicts = [Word::Failed, Word::Unfit, Word::Interrupted];
            let known = verdicts.into_iter().find(|word| word.exit_code() == code);
            assert_eq!(word, known.map_or("input", Word::name), "{code}");
        }
    }
}
