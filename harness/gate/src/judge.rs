//! What an attempt says of its job.

use grenadier_catalog::Named;
use grenadier_checks::{ExitCode, Verb, Verdict, Word};
use grenadier_explore::Exploration;

use crate::job::Job;
use crate::perform::Attempt;
use crate::row::Status;

/// What one attempt says of the job.
pub(crate) fn judged(job: &Job, attempt: &Attempt) -> (Status, String) {
    match attempt {
        Attempt::Ran(verdict) => match end_otherwise(job, verdict) {
            Some(otherwise) => (Status::Failed, otherwise),
            None => (of_word(verdict.verdict), verdict.summary.clone()),
        },
        Attempt::Explored(found) => (of_code(found.exit_code()), explored(found)),
        Attempt::Undisturbed(verdict) => {
            (of_word(verdict.verdict), format!("the undisturbed run does not pass: {}", verdict.summary))
        }
        Attempt::NotCovered(why) => (Status::NotCovered, format!("not covered: {why}")),
        Attempt::Broken(how) => (Status::Unfit, format!("not fit to tell: {how}")),
    }
}

/// The outcome that the engine claims of the upgrade: what was asked of it at last before a rollback.
pub(crate) fn claimed(verdict: &Verdict) -> Option<&'static str> {
    let upgrades = verdict.engine.iter().filter(|line| line.verb != Verb::Rollback);
    upgrades.filter_map(|line| line.outcome).next_back().map(Named::name)
}

/// A field failure says how each procedure ends. Where check `outcome` must fail, any other wrong claim would do for the
/// verdict; not for the gate.
pub(crate) fn end_otherwise(job: &Job, verdict: &Verdict) -> Option<String> {
    let (want, ended) = (job.claim().name(), claimed(verdict));
    let otherwise = job.scenario.field.is_some() && verdict.verdict == Word::Passed && ended != Some(want);
    otherwise.then(|| {
        let procedure = &job.scenario.engine.procedure;
        format!("failed: {procedure} is to end {want} here, and ended {}", ended.unwrap_or("without an outcome"))
    })
}

fn explored(found: &Exploration) -> String {
    let unknown = found.failures.iter().filter(|failure| failure.known.is_none()).count();
    let cases = format!("{} of {} cases", found.cases, found.enumerated);
    match (found.exit_code(), found.mended().count()) {
        (ExitCode::Interrupted, _) => format!("interrupted after {cases}"),
        (ExitCode::Passed, _) => format!("passed: {cases}"),
        (ExitCode::Failed, mended) if mended > 0 => {
            format!("failed: {mended} known failures do not occur any more, {unknown} new failures in {cases}")
        }
        (ExitCode::Failed, _) => format!("failed: {unknown} new failures in {cases}"),
        (ExitCode::Input | ExitCode::Environment, _) => format!("not fit to tell: {unknown} cases of {cases} broke"),
    }
}

const fn of_word(word: Word) -> Status {
    match word {
        Word::Passed => Status::Passed,
        Word::Failed => Status::Failed,
        Word::Unfit => Status::Unfit,
        Word::Interrupted => Status::Interrupted,
    }
}

const fn of_code(code: ExitCode) -> Status {
    match code {
        ExitCode::Passed => Status::Passed,
        ExitCode::Failed => Status::Failed,
        ExitCode::Input | ExitCode::Environment => Status::Unfit,
        ExitCode::Interrupted => Status::Interrupted,
    }
}

#[cfg(test)]
mod tests {
    use grenadier_catalog::Outcome;

    use super::*;
    use crate::testing::{jobs, passed};

    #[test]
    fn a_field_failure_must_end_as_it_says_even_where_the_verdict_does_not_mind() {
        let source = "haproxy-appliance-two-engines";
        let loaded = grenadier_scenario::load(source).unwrap();
        let mut job = Job {
            scenario: loaded.scenario.clone(),
            loaded: loaded.into(),
            ..jobs("[[run]]\nworld = 'virtual'\n").remove(0)
        };
        let ran = Attempt::Ran(Box::new(passed()));
        assert_eq!(judged(&job, &ran).0, Status::Passed);
        let ends = &mut job.scenario.field.as_mut().unwrap().ends;
        ends.get_mut("hardened").unwrap().outcome = Outcome::Stuck;
        let (status, summary) = judged(&job, &ran);
        assert_eq!(status, Status::Failed);
        assert_eq!(summary, "failed: hardened is to end stuck here, and ended upgraded");
    }
}
