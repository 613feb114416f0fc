//! Running one case again.

use grenadier_clock::Seed;
use grenadier_events::EventLog;
use grenadier_runner::{Options, RunOutput, run_virtual_with};
use grenadier_scenario::{Case, JudgedBy, Scenario, TimingProfile};
use thiserror::Error;

use crate::plan::Plan;
use crate::signature::failure;
use crate::subject::{Subject, SubjectError};

/// A case that was run again.
pub struct Replayed {
    /// The run.
    pub output: RunOutput,
    /// The signature of what failed, where the case is judged as in an exploration and something did.
    pub shows: Option<String>,
    /// Whether the step was reached after which the run was to stop. True where none was named.
    pub reached: bool,
}

/// Runs `case` in the virtual world, byte for byte as it ran before. `command` is what replays it.
///
/// # Errors
/// It is judged as in an exploration, and the undisturbed run does not pass.
pub fn replay(case: &Case, command: &str, log: EventLog, until: Option<&str>) -> Result<Replayed, SubjectError> {
    let (output, shows) = match case.judged {
        JudgedBy::Scenario => {
            let options = Options {
                ties: case.ties,
                until: until.map(str::to_owned),
                overturned: case.overturned.clone(),
                ..Options::default()
            };
            (run_virtual_with(&case.scenario, Seed(case.scenario.seed), command, log, &options), None)
        }
        JudgedBy::Exploration => {
            let mut declared = Scenario { seed: case.scenario.seed, ..case.declared.clone() };
            declared.timing.profile = case.scenario.timing.profile.clone();
            let subject = Subject::record(case.origin.clone(), declared)?;
            let plan = plan_of(case);
            let output = subject.run_as(&plan, command, log, |options| options.until = until.map(str::to_owned));
            let shows = failure(&output.verdict, &output.roles, &plan).map(|failure| failure.signature.to_string());
            (output, shows)
        }
    };
    let stopped = || output.captures.iter().any(|capture| capture.name == "stopped");
    let reached = until.is_none() || stopped();
    Ok(Replayed { shows: shows.filter(|_| until.is_none()), output, reached })
}

/// What a case does to its scenario, beside the seed.
pub(crate) fn plan_of(case: &Case) -> Plan {
    let own = &case.declared.faults;
    let jitter = case.scenario.timing.jitter;
    Plan {
        faults: case.scenario.faults.iter().filter(|fault| !own.contains(fault)).cloned().collect(),
        seed: None,
        ties: case.ties,
        jitter: (jitter != case.declared.timing.jitter).then_some(jitter),
        overturned: case.overturned.clone(),
    }
}

/// A case cannot be run in the docker world.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotInDocker {
    /// Real programs act when they act.
    #[error("the docker world cannot permute events of one moment: `ties` is for the virtual world")]
    Ties,
    /// What is simulated there is simulated by real programs.
    #[error("the docker world cannot turn a simulated behaviour over: `overturned` is for the virtual world")]
    Overturned,
    /// There is no undisturbed run that would be the same but for the fault.
    #[error("the docker world cannot vary lengths of time: `jitter` is for the virtual world")]
    Jitter,
    /// Real programs take as long as they take.
    #[error("the docker world cannot take as long as it is told: `timing` is for the virtual world")]
    Timing,
}

/// The scenario to run in the docker world for `case`. It is judged by what the scenario expects: an undisturbed run there is
/// not the same but for the faults, so there is nothing to compare with.
///
/// # Errors
/// Something of the case cannot be made there.
pub fn docker_case(case: &Case) -> Result<Scenario, NotInDocker> {
    if case.ties.is_some() {
        return Err(NotInDocker::Ties);
    }
    if case.scenario.timing.jitter.percent() > 0 {
        return Err(NotInDocker::Jitter);
    }
    if case.scenario.timing.profile != TimingProfile::Reference {
        return Err(NotInDocker::Timing);
    }
    if !case.overturned.is_empty() {
        return Err(NotInDocker::Overturned);
    }
    Ok(case.scenario.clone())
}
