//! What earlier runs showed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use grenadier_catalog::Outcome;
use grenadier_checks::{VERDICT_VERSION, Verdict};
use grenadier_scenario::{Scenario, parse_case};
use thiserror::Error;

use crate::leap::{Leap, Rehearsal};
use crate::matrix::Source;
use crate::question::Question;
use crate::template::deviation;

/// How deep below a folder the folders of runs are looked for.
const DEEPEST: usize = 6;

/// A folder cannot be read.
#[derive(Debug, Error)]
#[error("read {}", path.display())]
pub struct EvidenceError {
    path: PathBuf,
    source: io::Error,
}

/// A scenario and a world.
type Place = (String, String);

/// When it was written, and what it showed.
type Written = (SystemTime, Rehearsal);

/// What earlier runs showed of leaps: those whose folders have a `verdict.json` and a `case.yaml`, of the engine that is asked
/// about, in which nothing but the versions decided how it ends. Of one scenario in one world the newest counts.
#[derive(Debug)]
pub struct Evidence {
    found: BTreeMap<Leap, BTreeMap<Place, Written>>,
}

impl Evidence {
    /// Reads every folder of a run below `folders`. A folder that is not there holds none.
    ///
    /// # Errors
    /// A folder cannot be read. What is in it but is no run of ours is passed over.
    pub fn read(question: &Question, folders: &[PathBuf]) -> Result<Evidence, EvidenceError> {
        let mut evidence = Evidence { found: BTreeMap::new() };
        for folder in folders {
            match evidence.look(question, folder, DEEPEST) {
                Err(error) if error.source.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(evidence)
    }

    /// How many runs count.
    pub fn len(&self) -> usize {
        self.found.values().map(BTreeMap::len).sum()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn look(&mut self, question: &Question, folder: &Path, deep: usize) -> Result<(), EvidenceError> {
        let failed = |source| EvidenceError { path: folder.to_owned(), source };
        let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        self.take(question, folder);
        for entry in entries {
            if deep > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.look(question, &entry.path(), deep - 1)?;
            }
        }
        Ok(())
    }

    /// Takes the run whose folder this is, if it is one that counts.
    fn take(&mut self, question: &Question, folder: &Path) -> Option<()> {
        let kept = folder.join("verdict.json");
        let written = kept.metadata().ok()?.modified().ok()?;
        let verdict: Verdict = serde_json::from_str(&fs::read_to_string(kept).ok()?).ok()?;
        let case = folder.join("case.yaml");
        let case = parse_case(&fs::read_to_string(&case).ok()?, &case.display().to_string()).ok()?;
        let scenario = &case.scenario;
        let undisturbed = case.overturned.is_empty() && case.ties.is_none();
        if verdict.v != VERDICT_VERSION || !undisturbed {
            return None;
        }
        let leap = leap(question, scenario)?;
        let rehearsal = Rehearsal::of(&verdict, &scenario.engine.procedure, Some(folder.display().to_string()));
        let of_leap = self.found.entry(leap).or_default();
        let key = (rehearsal.scenario.clone(), rehearsal.world.clone());
        if of_leap.get(&key).is_none_or(|(before, _)| *before <= written) {
            of_leap.insert(key, (written, rehearsal));
        }
        Some(())
    }
}

/// The leap that a scenario rehearses, where it is one that is asked about and nothing but versions decides how it ends.
fn leap(question: &Question, scenario: &Scenario) -> Option<Leap> {
    let versions = question.versions();
    if scenario.system != question.system().name
        || scenario.engine.procedure != question.engine()
        || deviation(scenario).is_some()
    {
        return None;
    }
    let earlier = scenario.earlier_versions();
    let leap = Leap {
        came_by: earlier.iter().map(|version| versions.place(version)).collect::<Option<_>>()?,
        from: versions.place(&scenario.base_version())?,
        to: versions.place(&scenario.target_version())?,
    };
    let (vsphere, rule) = (scenario.topology.vsphere_after.unwrap_or(scenario.topology.vsphere), question.rule(&leap));
    let as_asked = vsphere.max(scenario.topology.vsphere) == question.vsphere();
    let expected = match rule {
        Some(_) => (Outcome::Refused, rule),
        None => (Outcome::Upgraded, None),
    };
    (as_asked && (scenario.expect.outcome, scenario.expect.refused_by) == expected).then_some(leap)
}

impl Source for Evidence {
    fn rehearsals(&mut self, leaps: &[Leap]) -> Vec<Vec<Rehearsal>> {
        let of = |leap: &Leap| self.found.get(leap).into_iter().flat_map(|found| found.values());
        leaps.iter().map(|leap| of(leap).map(|(_, rehearsal)| rehearsal.clone()).collect()).collect()
    }
}
