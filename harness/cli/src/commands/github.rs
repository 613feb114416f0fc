//! What a job on GitHub is told.

use grenadier_report::{Annotation, Github};

use crate::arguments::{Format, Quiet};
use crate::output::{complain, print};

/// Tells the job on GitHub that this process is part of, where it is: annotations, and the summary of the step.
///
/// What cannot be told is no reason to fail; a line says so.
pub(super) fn tell(annotations: &[Annotation], summary: &str, format: Format, quiet: Quiet) {
    let Some(github) = Github::detect(|name| std::env::var_os(name)) else { return };
    let commands = github.annotations(annotations);
    match format {
        Format::Text if !quiet.quiet => print(&commands),
        // The runner reads both streams, and one of them is to be the result alone.
        Format::Text | Format::Json => complain(&commands),
    }
    if let Err(error) = github.summarise(summary) {
        complain(&format!("the summary of the step could not be written: {error}\n"));
    }
}
