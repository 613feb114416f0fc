//! What is to be done.

use std::sync::Arc;

use grenadier_catalog::{Outcome, World};
use grenadier_clock::Seed;
use grenadier_report::suite_name;
use grenadier_runner::run_command;
use grenadier_scenario::{ExploreRule, Loaded, Origin, ProcedureError, Profile, RunRule, Scenario};

/// One thing to be done: a row of the table.
#[derive(Clone, Debug)]
pub struct Job {
    /// The scenario's file.
    pub loaded: Arc<Loaded>,
    /// The scenario, for the procedure of this job.
    pub scenario: Scenario,
    /// What is to be done with it.
    pub work: Work,
}

/// What is to be done with a scenario.
#[derive(Clone, Debug)]
pub enum Work {
    /// Run it.
    Run(RunRule),
    /// Break it at every call.
    Explore(ExploreRule),
}

impl Job {
    /// The name of the row, and of the suite in JUnit: `system/scenario[world]`.
    pub fn name(&self) -> String {
        suite_name(&self.scenario.system, &self.scenario.name, self.place(), self.other_procedure())
    }

    /// Where the `attempt`-th attempt is kept, below the gate's folder; from 1.
    pub fn folder(&self, attempt: u32) -> String {
        let procedure = self.other_procedure().map(|name| format!("-{name}")).unwrap_or_default();
        let attempt = if attempt > 1 { format!("-{attempt}") } else { String::new() };
        format!("rows/{}{procedure}-{}{attempt}", self.scenario.name, self.place())
    }

    /// Where: a world, or `explore`.
    pub fn place(&self) -> &'static str {
        match &self.work {
            Work::Run(RunRule { world: World::Virtual, .. }) => "virtual",
            Work::Run(RunRule { world: World::Docker, .. }) => "docker",
            Work::Explore(_) => "explore",
        }
    }

    /// The procedure, where it is not the scenario's own.
    pub fn other_procedure(&self) -> Option<&str> {
        self.scenario.engine.in_place_of.as_ref().map(|_| self.scenario.engine.procedure.as_str())
    }

    /// The outcome that the engine claims: what a field failure says of this procedure, else what is expected.
    pub(crate) fn claim(&self) -> Outcome {
        let field = self.scenario.field.as_ref();
        let end = field.and_then(|field| field.ends.get(&self.scenario.engine.procedure));
        end.map_or(self.scenario.expect.outcome, |end| end.outcome)
    }

    /// How it is to end, in words.
    pub(crate) fn expected(&self) -> String {
        match &self.work {
            Work::Explore(_) => "nothing new".to_owned(),
            Work::Run(_) if self.scenario.expect.caught_by.is_empty() => self.claim().to_string(),
            Work::Run(_) => format!("{}, caught", self.claim()),
        }
    }

    /// The command that does it again.
    pub fn replay(&self) -> String {
        let name = match self.loaded.origin() {
            Origin::Name(_) => &self.scenario.name,
            Origin::Path(_) | Origin::Document(_) => &self.loaded.file,
        };
        let world = match &self.work {
            Work::Explore(_) => return format!("grenadier explore {name}"),
            Work::Run(RunRule { world: World::Virtual, .. }) => grenadier_events::World::Virtual,
            Work::Run(RunRule { world: World::Docker, .. }) => grenadier_events::World::Docker,
        };
        run_command(name, self.other_procedure(), world, Seed(self.scenario.seed))
    }
}

/// Everything that `profile` asks of `scenarios`: runs in the virtual world, explorations, runs in the docker world.
///
/// A field failure is run once with each procedure that it tells the end of.
///
/// # Errors
/// A field failure names a step that one of those procedures does not have (exit code 2).
pub fn plan(profile: &Profile, scenarios: Vec<Loaded>) -> Result<Vec<Job>, ProcedureError> {
    let scenarios: Vec<Arc<Loaded>> = scenarios.into_iter().map(Arc::new).collect();
    let mut jobs = runs(profile, &scenarios, World::Virtual)?;
    for loaded in &scenarios {
        if let Some(rule) = profile.explorations.iter().find(|rule| rule.choice.chooses(loaded)) {
            let scenario = loaded.scenario.clone();
            jobs.push(Job { loaded: Arc::clone(loaded), scenario, work: Work::Explore(rule.clone()) });
        }
    }
    jobs.extend(runs(profile, &scenarios, World::Docker)?);
    Ok(jobs)
}

fn runs(profile: &Profile, scenarios: &[Arc<Loaded>], world: World) -> Result<Vec<Job>, ProcedureError> {
    let mut jobs = Vec::new();
    for loaded in scenarios {
        let mut rules = profile.runs.iter().filter(|rule| rule.world == world);
        let Some(rule) = rules.find(|rule| rule.choice.chooses(loaded)) else { continue };
        let own = &loaded.scenario.engine.procedure;
        let ends = loaded.scenario.field.iter().flat_map(|field| field.ends.keys());
        let others = ends.filter(|procedure| *procedure != own);
        for procedure in [own].into_iter().chain(others) {
            let scenario = loaded.scenario.with_procedure(procedure)?;
            jobs.push(Job { loaded: Arc::clone(loaded), scenario, work: Work::Run(rule.clone()) });
        }
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use grenadier_scenario::{ScenarioSource, parse_profile};

    use super::*;
    use crate::{default_profile, gather};

    fn planned(text: &str) -> Vec<Job> {
        let profile = parse_profile(text, "gate.toml").unwrap();
        plan(&profile, gather(&profile.sources).unwrap()).unwrap()
    }

    #[test]
    fn the_default_runs_everything_and_explores_the_base_ones() {
        let profile = default_profile();
        let scenarios = gather(&[ScenarioSource::Embedded]).unwrap();
        profile.fits(&scenarios).unwrap();
        let (count, fields) = (scenarios.len(), scenarios.iter().filter(|it| it.scenario.field.is_some()).count());
        let jobs = plan(&profile, scenarios).unwrap();
        let places = |place: &str| jobs.iter().filter(|job| job.place() == place).count();
        assert_eq!((places("virtual"), places("docker")), (count + fields, 1));
        let explored: Vec<&str> =
            jobs.iter().filter(|it| it.place() == "explore").map(|it| it.scenario.name.as_str()).collect();
        assert_eq!(explored, ["haproxy-appliance-swap", "haproxy-appliance-upgrade"]);
        let names: BTreeSet<String> = jobs.iter().map(Job::name).collect();
        let folders: BTreeSet<String> = jobs.iter().map(|job| job.folder(1)).collect();
        assert_eq!((names.len(), folders.len()), (jobs.len(), jobs.len()));
    }

    #[test]
    fn a_field_failure_ends_as_it_says_for_each_procedure() {
        let jobs = planned("[[run]]\nworld = 'virtual'\nfiles = ['haproxy-appliance-two-engines']\n");
        let told: Vec<_> = jobs.iter().map(|job| (job.name(), job.expected())).collect();
        let name = "haproxy-appliance/haproxy-appliance-two-engines[virtual";
        assert_eq!(
            told,
            [
                (format!("{name}]"), "upgraded".to_owned()),
                (format!("{name}:documented]"), "upgraded, caught".to_owned())
            ]
        );
    }

    #[test]
    fn the_first_rule_that_chooses_a_scenario_counts() {
        let jobs = planned(
            "[[run]]\nworld = 'virtual'\nlabels = ['base']\nrequire = ['restored']\n\n[[run]]\nworld = 'virtual'\n",
        );
        let required = |name: &str| {
            let job = jobs.iter().find(|job| job.scenario.name == name).unwrap();
            let Work::Run(rule) = &job.work else { panic!("a run") };
            rule.require.len()
        };
        assert_eq!((required("haproxy-appliance-swap"), required("haproxy-appliance-both-on")), (1, 0));
    }
}
