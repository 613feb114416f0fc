//! `grenadier shrink`.

use std::path::Path;

use grenadier_checks::ExitCode;
use grenadier_explore::shrink;

use crate::arguments::{Format, Shrink};
use crate::output::{complain, line, report};

pub(crate) fn run(arguments: &Shrink) -> ExitCode {
    let case = match super::load::case(&arguments.case, Format::Text) {
        Ok(case) => case,
        Err(code) => return code,
    };
    let shrunk = match shrink(&case) {
        Ok(shrunk) => shrunk,
        Err(error) => return report(error.verdict.exit_code(), &error, None),
    };
    let Some(small) = shrunk.case else {
        complain("error: the case does not fail, so there is nothing to keep\n");
        complain(&format!("  hint: see what it does: grenadier replay {}\n", arguments.case));
        return ExitCode::Input;
    };
    let out = arguments.out.clone().unwrap_or_else(|| {
        let path = Path::new(&arguments.case);
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        path.with_file_name(format!("{stem}-shrunk.yaml"))
    });
    if let Err(error) = std::fs::write(&out, small.to_yaml(&out.display().to_string())) {
        return report(ExitCode::Environment, &error, Some("choose another file with --out"));
    }
    if arguments.quiet.quiet {
        line(&out.display().to_string());
        return ExitCode::Passed;
    }
    line(&format!("{} faults instead of {}, after {} runs", shrunk.after, shrunk.before, shrunk.runs));
    line(&format!("shows   {}", small.shows.as_deref().unwrap_or("nothing")));
    line(&format!("replay  grenadier replay {}", out.display()));
    ExitCode::Passed
}
