//! How good something is, for whoever paints it.

use grenadier_checks::{CheckLine, Word};
use grenadier_events::CheckStatus;
use serde::{Serialize, Serializer};

/// A tone: of a word on the terminal, of a badge or a bar in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Worth a look.
    Notice,
    /// Worth less than the rest.
    Quiet,
    /// Neither good nor bad.
    Strong,
}

impl Tone {
    /// The name in style sheets and scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Notice => "notice",
            Tone::Quiet => "quiet",
            Tone::Strong => "strong",
        }
    }
}

impl Serialize for Tone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The tone of a verdict, and its word in capitals.
pub(crate) const fn verdict_word(verdict: Word) -> (Tone, &'static str) {
    match verdict {
        Word::Passed => (Tone::Good, "PASSED"),
        Word::Failed => (Tone::Bad, "FAILED"),
        Word::Unfit => (Tone::Notice, "UNFIT"),
        Word::Interrupted => (Tone::Notice, "INTERRUPTED"),
    }
}

/// The tone of a check, and its word.
pub(crate) fn check_word(line: &CheckLine) -> (Tone, &'static str) {
    match (line.result.status, line.is_good()) {
        (CheckStatus::Pass, true) => (Tone::Good, "pass"),
        (CheckStatus::Pass, false) => (Tone::Bad, "missed"),
        (CheckStatus::Fail, true) => (Tone::Good, "caught"),
        (CheckStatus::Fail, false) => (Tone::Bad, "FAIL"),
        (CheckStatus::NotCovered, _) if !line.result.applies && !line.required => (Tone::Quiet, "–"),
        (CheckStatus::NotCovered, true) => (Tone::Quiet, "not-covered"),
        (CheckStatus::NotCovered, false) => (Tone::Notice, "not-covered"),
    }
}
