//! Doing jobs: virtual runs side by side, everything else one after the other.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::Instant;

use grenadier_catalog::World;
use grenadier_explore::{Watch, workers};
use grenadier_scenario::RunRule;

use crate::gate::Gated;
use crate::job::{Job, Work};
use crate::perform::{Attempt, Performer};
use crate::row::{Row, Status, judged};

/// Somebody who watches a gate, and may stop it. Called from every worker.
pub trait Progress: Watch {
    /// A job begins.
    fn began(&self, job: &Job);

    /// A job has ended.
    fn ended(&self, row: &Row);
}

/// Does `jobs`, and gives what came of each, in their order.
///
/// An exploration takes all workers itself. A run in the docker world takes the machine alone, because it measures outages in
/// real time. After somebody stopped it, what was not begun is there as not run.
pub fn run(
    jobs: Vec<Job>,
    performer: &dyn Performer,
    workers: Option<NonZeroUsize>,
    progress: &dyn Progress,
) -> Vec<Gated> {
    let is_quick = |job: &Job| matches!(&job.work, Work::Run(RunRule { world: World::Virtual, .. }));
    let (quick, alone): (Vec<usize>, Vec<usize>) = (0..jobs.len()).partition(|at| is_quick(&jobs[*at]));
    let together = |at: u64, done: &mut Vec<(usize, Row, Option<Attempt>)>| {
        let at = quick[usize::try_from(at).expect("it is the number of a job")];
        let (row, attempt) = attempts(&jobs[at], performer, progress);
        done.push((at, row, attempt));
    };
    let mut done: Vec<_> =
        workers::run(quick.len() as u64, workers, progress, together).into_iter().flatten().collect();
    for at in alone {
        if progress.stop().load(Ordering::Relaxed) {
            break;
        }
        let (row, attempt) = attempts(&jobs[at], performer, progress);
        done.push((at, row, attempt));
    }
    let mut gated: Vec<Gated> =
        jobs.into_iter().map(|job| Gated { row: Row::not_run(&job), job, last: None }).collect();
    for (at, row, attempt) in done {
        (gated[at].row, gated[at].last) = (row, attempt);
    }
    gated
}

/// Does a job as often as its rule says, until it passes.
fn attempts(job: &Job, performer: &dyn Performer, progress: &dyn Progress) -> (Row, Option<Attempt>) {
    progress.began(job);
    let began = Instant::now();
    let retries = match &job.work {
        Work::Run(rule) => rule.retries,
        Work::Explore(_) => 0,
    };
    let mut attempts = Vec::new();
    for number in 1..=retries + 1 {
        let attempt = performer.perform(job, number, progress);
        let again = matches!(judged(job, &attempt).0, Status::Failed | Status::Unfit);
        attempts.push(attempt);
        if !again || progress.stop().load(Ordering::Relaxed) {
            break;
        }
    }
    let row = Row::of(job, &attempts, began.elapsed().as_secs_f64());
    progress.ended(&row);
    (row, attempts.pop())
}
