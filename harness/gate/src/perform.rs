//! Doing a job.

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use grenadier_catalog::{Check, World};
use grenadier_checks::Verdict;
use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_explore::{Exploration, ExploreError, ExploreFolder, Settings, Shard, Watch, caught, explore};
use grenadier_report::RunFolder;
use grenadier_runner::{DECLARED, DockerError, RunOutput, missing_in_docker, run_docker, run_virtual};
use grenadier_scenario::{Case, ExploreRule, RunRule};

use crate::job::{Job, Work};

/// What came of one attempt at a job.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// It was run.
    Ran(Box<Verdict>),
    /// It was explored.
    Explored(Box<Exploration>),
    /// It could not be explored, because the undisturbed run did not pass.
    Undisturbed(Box<Verdict>),
    /// The world for it is not there, and why.
    NotCovered(String),
    /// The environment broke, or this program did, so that nothing is known: how.
    Broken(String),
}

/// Somebody who does jobs.
pub trait Performer: Sync {
    /// Does `job` for the `attempt`-th time, from 1. Virtual runs are asked for side by side, everything else alone.
    fn perform(&self, job: &Job, attempt: u32, watch: &dyn Watch) -> Attempt;
}

/// Does jobs in the worlds there are, and leaves a folder for each.
#[derive(Clone, Debug)]
pub struct Worlds {
    /// The gate's folder.
    pub folder: PathBuf,
    /// How many threads an exploration takes; none: one a core.
    pub workers: Option<NonZeroUsize>,
}

impl Performer for Worlds {
    fn perform(&self, job: &Job, attempt: u32, watch: &dyn Watch) -> Attempt {
        let path = self.folder.join(job.folder(attempt));
        let done = caught(|| match &job.work {
            Work::Run(RunRule { world: World::Virtual, require, .. }) => {
                let output = run_virtual(&job.scenario, seed(job), &job.replay(), EventLog::default());
                ran(job, path, output, require)
            }
            Work::Run(RunRule { world: World::Docker, require, .. }) => docker(job, path, require),
            Work::Explore(rule) => self.explored(job, path, rule, watch),
        });
        done.unwrap_or_else(|panicked| {
            Attempt::Broken(format!("grenadier panicked at {}: {}", panicked.place, panicked.message))
        })
    }
}

impl Worlds {
    fn explored(&self, job: &Job, path: PathBuf, rule: &ExploreRule, watch: &dyn Watch) -> Attempt {
        let settings = Settings {
            workers: self.workers,
            budget: rule.budget,
            shard: rule.shard.map(|(k, n)| Shard { k, n }),
            ..Settings::default()
        };
        let found = match explore(job.loaded.origin(), job.scenario.clone(), &settings, watch) {
            Ok(found) => found.of_loaded(&job.loaded),
            Err(ExploreError::Undisturbed(error)) => return Attempt::Undisturbed(error.verdict),
        };
        match ExploreFolder::new(path).write(&found) {
            Ok(()) => Attempt::Explored(Box::new(found)),
            Err(error) => Attempt::Broken(told(&error)),
        }
    }
}

fn seed(job: &Job) -> Seed {
    Seed(job.scenario.seed)
}

fn docker(job: &Job, path: PathBuf, require: &[Check]) -> Attempt {
    match missing_in_docker(&job.scenario) {
        Err(error @ DockerError::Connect(_)) => return Attempt::NotCovered(with_hint(&error)),
        Err(error) => return Attempt::Broken(with_hint(&error)),
        Ok(missing) if !missing.is_empty() => {
            let images = missing.join(", ");
            return Attempt::NotCovered(format!("no image {images}; `grenadier images` makes what is missing"));
        }
        Ok(_) => {}
    }
    match run_docker(&job.scenario, seed(job), &job.replay(), EventLog::default(), path.clone()) {
        Ok(output) => ran(job, path, output, require),
        Err(error) => Attempt::Broken(with_hint(&error)),
    }
}

/// What is wrong with the docker world, and what a person can do about it.
fn with_hint(error: &DockerError) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    told(error) + &hint
}

/// Keeps what a run left.
fn ran(job: &Job, path: PathBuf, output: RunOutput, require: &[Check]) -> Attempt {
    let verdict = output.verdict.with_required(require);
    let case = Case::of(job.loaded.origin(), job.scenario.clone()).to_yaml(&format!("{}/case.yaml", path.display()));
    let folder = RunFolder::new(path).with_behaviours(&DECLARED);
    match output.log.with(|events| folder.write(events, &verdict, &output.captures, &case)) {
        Ok(()) => Attempt::Ran(Box::new(verdict)),
        Err(error) => Attempt::Broken(told(&error)),
    }
}

/// An error with its causes, in one line.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use grenadier_checks::Word;

    use super::*;
    use crate::testing::{Counting, jobs};

    fn performed(rules: &str) -> (Attempt, tempfile::TempDir) {
        let place = tempfile::tempdir().unwrap();
        let worlds = Worlds { folder: place.path().to_owned(), workers: None };
        let job = jobs(rules).remove(0);
        (worlds.perform(&job, 1, &Counting::default()), place)
    }

    #[test]
    fn a_run_leaves_its_folder_and_the_command_that_does_it_again() {
        let (attempt, place) = performed("[[run]]\nworld = 'virtual'\n");
        let Attempt::Ran(verdict) = attempt else { panic!("{attempt:?}") };
        assert_eq!(
            (verdict.verdict, verdict.run.replay.as_str()),
            (Word::Passed, "grenadier run mine/one.yaml --seed 1")
        );
        assert!(place.path().join("rows/one-virtual/verdict.json").exists());
    }

    #[test]
    fn a_check_that_the_profile_requires_and_that_was_not_made_is_not_passed() {
        let (attempt, place) = performed("[[run]]\nworld = 'virtual'\nrequire = ['restored']\n");
        let Attempt::Ran(verdict) = attempt else { panic!("{attempt:?}") };
        assert_eq!(verdict.verdict, Word::Unfit, "{}", verdict.summary);
        assert!(verdict.summary.starts_with("not fit to tell: restored is not covered: "), "{}", verdict.summary);
        let kept = std::fs::read_to_string(place.path().join("rows/one-virtual/verdict.json")).unwrap();
        assert!(kept.contains("\"verdict\": \"unfit\""), "what is kept is what is said");
    }

    #[test]
    fn an_exploration_leaves_its_folder() {
        let (attempt, place) = performed("[[explore]]\nbudget = 3\n");
        let Attempt::Explored(found) = attempt else { panic!("{attempt:?}") };
        assert_eq!((found.cases, found.failures.len()), (3, 0));
        assert!(place.path().join("rows/one-explore/explore.json").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_the_environments_fault() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("rows"), "").unwrap();
        let worlds = Worlds { folder: place.path().to_owned(), workers: None };
        let attempt = worlds.perform(&jobs("[[run]]\nworld = 'virtual'\n").remove(0), 1, &Counting::default());
        assert!(matches!(&attempt, Attempt::Broken(how) if how.contains("could not be written")), "{attempt:?}");
    }
}
