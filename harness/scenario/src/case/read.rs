//! From text to case.

use std::fs;
use std::path::Path;

use super::{Case, JudgedBy, Origin};
use crate::decode::{self, CaseFields};
use crate::{LoadError, Scenario, load};

/// Reads the case in the file at `path`.
///
/// # Errors
/// It or its scenario cannot be read, or has problems.
pub fn load_case(path: &str) -> Result<Case, LoadError> {
    let source = fs::read_to_string(path).map_err(|source| LoadError::ReadCase { path: path.to_owned(), source })?;
    parse_case(&source, path)
}

/// Reads a case. `file` is how the source is called in problems; a scenario's relative path is meant from where it is.
///
/// # Errors
/// It has problems, or its scenario cannot be loaded.
pub fn parse_case(source: &str, file: &str) -> Result<Case, LoadError> {
    let mut loaded = None;
    let fields = decode::case(source, file, |named| {
        let scenario = load(&beside(named, file))?.scenario;
        loaded = Some(scenario.clone());
        Ok(scenario)
    })?;
    let CaseFields { named, inline, procedure, faults, seed, ties, timing, jitter, overturned, judged, shows } = fields;
    let (origin, mut scenario): (Origin, Scenario) = match (named, inline, loaded) {
        (Some(named), _, Some(scenario)) if is_path(&named) => (Origin::Path(named), scenario),
        (Some(named), _, Some(scenario)) => (Origin::Name(named), scenario),
        (_, Some((text, scenario)), _) => (Origin::Document(text), scenario),
        _ => unreachable!("the decoder gives a scenario or problems"),
    };
    if let Some(procedure) = procedure {
        scenario =
            scenario.with_procedure(&procedure).expect("the decoder let only procedures pass that fit the scenario");
    }
    let declared = scenario.clone();
    if let Some(faults) = faults {
        scenario.faults = faults;
    }
    scenario.seed = seed.unwrap_or(scenario.seed);
    scenario.timing.profile = timing.unwrap_or(scenario.timing.profile);
    scenario.timing.jitter = jitter.unwrap_or(scenario.timing.jitter);
    let judged = judged.unwrap_or(JudgedBy::Scenario);
    let overturned = overturned.unwrap_or_default().into_iter().collect();
    Ok(Case { origin, declared, scenario, ties, overturned, judged, shows })
}

/// As [`load`] tells paths from names.
fn is_path(named: &str) -> bool {
    let extension = Path::new(named).extension();
    named.contains(['/', '\\']) || extension.is_some_and(|it| it == "yaml" || it == "yml")
}

fn beside(named: &str, file: &str) -> String {
    match Path::new(file).parent() {
        Some(folder) if is_path(named) && Path::new(named).is_relative() => folder.join(named).display().to_string(),
        _ => named.to_owned(),
    }
}
