//! Cases that explorations once found: whatever is mended stays mended. `grenadier replay tests/cases/NAME.yaml` runs one.

use std::fs::read_dir;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use grenadier_checks::Word;
use grenadier_events::{Event, EventLog, Kind};
use grenadier_explore::replay;
use grenadier_scenario::load_case;
use grenadier_tests::summary;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files: Vec<PathBuf> = read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let trial = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        Trial::test(name, move || passes(&file))
    };
    libtest_mimic::run(&Arguments::from_args(), files.into_iter().map(trial).collect()).exit_code()
}

/// The case is still what it was, every fault of it strikes, and nothing fails.
fn passes(file: &Path) -> Result<(), Failed> {
    let case = load_case(&file.to_string_lossy()).map_err(|error| error.to_string())?;
    let replayed = replay(&case, "grenadier replay", EventLog::default(), None).map_err(|error| error.to_string())?;
    let verdict = &replayed.output.verdict;
    if let Some(shown) = replayed.shows {
        return Err(format!("it shows {shown}\n{}", summary(verdict)).into());
    }
    if verdict.verdict != Word::Passed {
        return Err(summary(verdict).into());
    }
    let idle = |event: &&Event| matches!(event.kind, Kind::FaultNotInjectable { .. });
    match replayed.output.log.with(|events| events.iter().filter(idle).count()) {
        0 => Ok(()),
        idle => Err(format!("{idle} of its faults found no place to strike: the case has come away").into()),
    }
}
