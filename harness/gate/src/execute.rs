//! Doing jobs: virtual runs side by side, everything else one after the other.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::Instant;

use grenadier_catalog::World;
use grenadier_explore::{Watch, workers};
use grenadier_scenario::RunRule;

use crate::gate::Gated;
use crate::job::{Job, Work};
use crate::judge::judged;
use crate::perform::{Attempt, Performer};
use crate::row::{Row, Status};

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use grenadier_checks::Word;

    use super::*;
    use crate::testing::{Counting, Script, ended, gate, jobs};

    const BOTH: &str = "[[run]]\nworld = 'virtual'\n";
    const ONE: &str = "haproxy-appliance/one[virtual]";
    const DOCKER: &str = "haproxy-appliance/one[docker]";

    fn failed() -> Attempt {
        ended(Word::Failed, "failed: outage: too long")
    }

    fn broken() -> Attempt {
        Attempt::Broken("the disk is full".to_owned())
    }

    fn gone() -> Attempt {
        Attempt::NotCovered("no Docker engine".to_owned())
    }

    fn passes() -> Attempt {
        ended(Word::Passed, "passed: all 10 checks")
    }

    #[test]
    fn a_gate_in_which_everything_passes_passes() {
        let (gate, _) = gate(BOTH, &Script::default());
        assert_eq!((gate.verdict, gate.exit_code, gate.cases), (Word::Passed, 0, 2));
        assert_eq!(gate.summary, "passed: 2 passed; 2 cases");
    }

    #[test]
    fn an_upgrade_that_failed_is_told_from_an_environment_that_did() {
        for (attempt, word, code, status, cases) in [
            (failed(), Word::Failed, 1, Status::Failed, 2),
            (broken(), Word::Unfit, 3, Status::Unfit, 1),
            (ended(Word::Unfit, "not fit to tell: canary"), Word::Unfit, 3, Status::Unfit, 2),
            (ended(Word::Interrupted, "interrupted"), Word::Interrupted, 4, Status::Interrupted, 1),
        ] {
            let (gate, _) = gate(BOTH, &Script::new(&[(ONE, &[attempt])]));
            assert_eq!((gate.verdict, gate.exit_code, gate.rows[0].status), (word, code, status));
            assert_eq!(gate.rows[1].status, Status::Passed);
            assert_eq!(gate.cases, cases, "what came to an end");
        }
        let two = Script::new(&[(ONE, &[broken()]), ("haproxy-appliance/two[virtual]", &[failed()])]);
        assert_eq!(gate(BOTH, &two).0.exit_code, 1, "that an upgrade failed is known, whatever else happened");
    }

    #[test]
    fn a_world_that_is_not_there_is_not_covered_unless_it_must_be() {
        let rules = "[[run]]\nworld = 'docker'\n";
        let script = Script::new(&[(DOCKER, &[Attempt::NotCovered("no Docker engine".to_owned())])]);
        let (free, _) = gate(rules, &script);
        assert_eq!((free.exit_code, free.rows[0].status), (0, Status::NotCovered));
        assert_eq!(free.summary, "passed: 1 passed, 1 not covered; 1 case");
        let (must, _) = gate(&format!("{rules}must-run = true\n"), &script);
        assert_eq!((must.exit_code, must.rows[0].status), (3, Status::Unfit));
        assert_eq!(must.rows[0].summary, "not covered: no Docker engine, and must be");
    }

    #[test]
    fn a_pass_after_a_retry_is_flaky_and_fails_unless_that_is_allowed() {
        let rules = "[[run]]\nworld = 'docker'\nretries = 2\n";
        let allowed = &format!("{rules}allow-flaky = true\n");
        for (rules, attempts, status, flaky, made) in [
            (rules, vec![failed(), passes()], Status::Failed, true, 2),
            (rules, vec![broken(), passes()], Status::Unfit, true, 2),
            (rules, vec![broken(), failed(), passes()], Status::Failed, true, 3),
            (allowed, vec![failed(), passes()], Status::Passed, true, 2),
            (rules, vec![failed(), failed(), failed()], Status::Failed, false, 3),
            (rules, vec![failed(), broken(), broken()], Status::Failed, false, 3),
            (rules, vec![failed(), gone()], Status::Failed, false, 2),
            (rules, vec![passes()], Status::Passed, false, 1),
        ] {
            let (gate, _) = gate(rules, &Script::new(&[(DOCKER, &attempts)]));
            let row = &gate.rows[0];
            assert_eq!((row.status, row.flaky, row.attempts), (status, flaky, made), "{}", row.summary);
            assert_eq!(row.summary.starts_with("flaky: passed in attempt"), flaky, "{}", row.summary);
        }
    }

    #[test]
    fn after_a_wish_to_stop_the_rest_is_not_run_and_is_there_all_the_same() {
        let rules = "[[run]]\nworld = 'virtual'\n[[run]]\nworld = 'docker'\n";
        let script = Script { stops_in: Some(DOCKER), ..Script::default() };
        let (gate, _) = gate(rules, &script);
        let statuses: Vec<Status> = gate.rows.iter().map(|row| row.status).collect();
        assert_eq!(statuses, [Status::Passed, Status::Passed, Status::Passed, Status::NotRun]);
        assert_eq!((gate.verdict, gate.exit_code), (Word::Interrupted, 4));
        assert_eq!(gate.summary, "interrupted: 1 not run, 3 passed; 3 cases");
    }

    #[test]
    fn every_job_is_told_of_when_it_begins_and_ends() {
        let watching = Counting::default();
        let jobs = jobs("[[run]]\nworld = 'virtual'\n[[run]]\nworld = 'docker'\n");
        let names: BTreeSet<String> = jobs.iter().map(Job::name).collect();
        run(jobs, &Script::default(), None, &watching);
        assert_eq!(watching.began.load(Ordering::Relaxed), 4);
        assert_eq!(watching.ended.into_inner().unwrap().into_iter().collect::<BTreeSet<_>>(), names);
    }
}
