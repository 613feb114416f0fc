//! Reports of a run: pure consumers of events and verdict.
//!
//! - [`Live`] prints one line for each phase and step as it ends, and [`ending`] what it all came to.
//! - [`junit`] and [`json`] are for machines; [`html`] is one page that needs no network, [`trace`] opens in Perfetto.
//! - [`RunFolder`] writes everything that explains a run into one directory.
//!
//! Nothing here decides anything: the verdict is made in `grenadier-checks`.

mod columns;
mod folder;
mod github;
pub mod html;
mod json;
mod junit;
mod junit_suite;
mod terminal;
mod text;
mod timeline;
mod told;
mod tone;
mod trace;
mod words;

#[cfg(test)]
mod testing;

pub use columns::columns;
pub use folder::{FolderError, RunFolder};
pub use github::{Annotation, Github, Level, MOST_ANNOTATIONS, MarkdownTable};
pub use json::json;
pub use junit::{JunitError, JunitReport, junit, suite_name, suite_of};
pub use junit_suite::{JunitCase, JunitStatus, junit_suite};
pub use terminal::{Ending, Live, Style, ending, verdict_line};
pub use tone::Tone;
pub use trace::trace;
pub use words::counted;
