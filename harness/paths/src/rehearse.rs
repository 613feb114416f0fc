//! Rehearsing leaps, as a gate runs scenarios.

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use grenadier_catalog::World;
use grenadier_gate::{Attempt, Gated, Job, Performer, Progress, Status, Work, run};
use grenadier_scenario::{Loaded, RunRule};
use thiserror::Error;

use crate::leap::{Leap, Rehearsal, State};
use crate::matrix::Source;
use crate::question::Question;
use crate::template::TemplateError;

/// A scenario of a leap cannot be written.
#[derive(Debug, Error)]
#[error("write {}", path.display())]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// Rehearses every leap it is asked about. Virtual runs are made side by side, others alone.
pub struct Rehearsing<'a> {
    question: Question,
    world: World,
    folder: PathBuf,
    performer: &'a dyn Performer,
    workers: Option<NonZeroUsize>,
    progress: &'a dyn Progress,
    failed: Option<WriteError>,
}

impl<'a> Rehearsing<'a> {
    /// Somebody who rehearses in `world` and leaves `folder/rows/<scenario>-<world>` of each, and its scenario in
    /// `folder/scenarios`.
    ///
    /// # Errors
    /// A scenario does not hold for a leap that is asked about.
    pub fn new(
        question: &Question,
        world: World,
        folder: &Path,
        performer: &'a dyn Performer,
        workers: Option<NonZeroUsize>,
        progress: &'a dyn Progress,
    ) -> Result<Rehearsing<'a>, TemplateError> {
        // Better now than after half of them were rehearsed.
        for (from, to) in question.starts().flat_map(|from| question.ends().map(move |to| (from, to))) {
            let leap = Leap::fresh(from, to);
            for template in question.templates().iter().filter(|_| from != to) {
                template.leap(&leap, question.versions(), question.rule(&leap))?;
            }
        }
        let (question, folder) = (question.clone(), folder.to_owned());
        Ok(Rehearsing { question, world, folder, performer, workers, progress, failed: None })
    }

    /// Whether everything could be written.
    ///
    /// # Errors
    /// The first that could not.
    pub fn written(self) -> Result<(), WriteError> {
        self.failed.map_or(Ok(()), Err)
    }

    /// The jobs of a leap: one for each template.
    fn jobs(&mut self, leap: &Leap) -> Vec<Job> {
        let rule = self.question.rule(leap);
        let scenarios =
            self.question.templates().iter().map(|template| template.leap(leap, self.question.versions(), rule));
        let mut jobs = Vec::new();
        for scenario in scenarios.filter_map(Result::ok) {
            let path = self.folder.join("scenarios").join(format!("{}.yaml", scenario.name));
            let source = scenario.to_yaml();
            if let Err(error) = put(&path, &source) {
                self.failed.get_or_insert(WriteError { path: path.clone(), source: error });
            }
            let loaded = Loaded { scenario: scenario.clone(), source, file: path.display().to_string() };
            jobs.push(Job { loaded: Arc::new(loaded), scenario, work: Work::Run(RunRule::once(self.world)) });
        }
        jobs
    }

    fn rehearsal(&self, gated: &Gated) -> Rehearsal {
        let Gated { job, row, last } = gated;
        let folder = row.folder.as_ref().map(|folder| self.folder.join(folder).display().to_string());
        let engine = &job.scenario.engine.procedure;
        if let Some(Attempt::Ran(verdict)) = last {
            return Rehearsal::of(verdict, engine, folder);
        }
        Rehearsal {
            scenario: job.scenario.name.clone(),
            engine: engine.clone(),
            world: job.place().to_owned(),
            state: match row.status {
                Status::Passed => State::Rehearsed,
                Status::Failed => State::Failed,
                Status::Unfit | Status::NotCovered => State::Unfit,
                Status::Interrupted | Status::NotRun => State::NotRehearsed,
            },
            summary: row.summary.clone(),
            outage_ns: None,
            rollback_outage_ns: None,
            folder,
            replay: job.replay(),
        }
    }
}

impl Source for Rehearsing<'_> {
    fn rehearsals(&mut self, leaps: &[Leap]) -> Vec<Vec<Rehearsal>> {
        let (mut jobs, mut counts) = (Vec::new(), Vec::new());
        for leap in leaps {
            let of_leap = self.jobs(leap);
            counts.push(of_leap.len());
            jobs.extend(of_leap);
        }
        self.progress.begins(jobs.len() as u64);
        let mut gated = run(jobs, self.performer, self.workers, self.progress).into_iter();
        let rehearsed = counts.into_iter().map(|count| {
            let of_leap: Vec<Gated> = gated.by_ref().take(count).collect();
            let known = of_leap.iter().filter(|gated| gated.row.status != Status::NotRun);
            known.map(|gated| self.rehearsal(gated)).collect()
        });
        rehearsed.collect()
    }

    fn interrupted(&self) -> bool {
        self.progress.stop().load(Ordering::Relaxed)
    }
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}
