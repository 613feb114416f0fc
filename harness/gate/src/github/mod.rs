//! What GitHub shows of a gate, a run or an exploration: annotations beside scenario files, and the summary of a step.

mod exploration;
mod gate;
mod run;

use grenadier_checks::Word;

pub use exploration::{of_exploration, summary_of_exploration};
pub use gate::{annotations, summary};
pub use run::{of_run, summary_of_run};

const fn heading(verdict: Word) -> &'static str {
    match verdict {
        Word::Passed => "passed",
        Word::Failed => "the upgrade failed",
        Word::Unfit => "the environment is not fit to tell",
        Word::Interrupted => "interrupted",
    }
}
