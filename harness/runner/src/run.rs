//! One run, from scenario to verdict.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use grenadier_checks::{
    Capture, Expectation, Exposure, Facts, Masks, Reference, Required, Roles, RunEnd, Stages, Subject, Verdict,
};
use grenadier_clock::{Seed, Time};
use grenadier_events::{Actor, EventLog, Kind, StepVerb, World};
use grenadier_fleet::OperationError;
use grenadier_fleet_docker::engine::{ConnectError, connect};
use grenadier_fleet_docker::images::{ImageLookupError, missing};
use grenadier_fleet_docker::sweep::{Scope, sweep};
use grenadier_scenario::{Require, Scenario};
use grenadier_wire::Answerer;
use thiserror::Error;

use crate::faults;
use crate::options::Options;
use crate::rehearsal::{Bounds, Rehearsed, rehearse};
use crate::setting::Setting;
use crate::stage::Stage;
use crate::systems::{Nature, Observed, System, haproxy_appliance};
use crate::timing;
use crate::worlds::docker_trial::Trial;
use crate::worlds::docker_world::{DockerStage, DockerWorldError, NODE_IMAGE};
use crate::worlds::virtual_world::VirtualStage;

/// What a run leaves.
pub struct RunOutput {
    /// Everything that happened, in order.
    pub log: EventLog,
    /// What it came to.
    pub verdict: Verdict,
    /// The captured states.
    pub captures: Vec<Capture>,
    /// What the names in this run stand for, such as `old-appliance`.
    pub roles: Roles,
}

impl RunOutput {
    /// What disturbed runs of the same scenario are compared with, where this one was not disturbed.
    pub fn reference(&self) -> Reference {
        self.log.with(|events| Reference::new(events, &self.captures, &self.verdict))
    }
}

/// Runs `scenario` in the virtual world. `log` may be observed already: everything is written to it as it happens.
pub fn run_virtual(scenario: &Scenario, seed: Seed, replay: &str, log: EventLog) -> RunOutput {
    run_virtual_with(scenario, seed, replay, log, &Options::default())
}

/// [`run_virtual`] with more to say about it.
pub fn run_virtual_with(scenario: &Scenario, seed: Seed, replay: &str, log: EventLog, options: &Options) -> RunOutput {
    run_in_virtual_world(scenario, seed, replay, log, options, &|world| world)
}

/// [`run_virtual`], with what `carrier` puts between the wire and the world it is given: bytes through a pipe, say.
pub fn run_virtual_carried(
    scenario: &Scenario,
    seed: Seed,
    replay: &str,
    log: EventLog,
    carrier: &dyn Fn(Arc<dyn Answerer>) -> Arc<dyn Answerer>,
) -> RunOutput {
    run_in_virtual_world(scenario, seed, replay, log, &Options::default(), carrier)
}

fn run_in_virtual_world(
    scenario: &Scenario,
    seed: Seed,
    replay: &str,
    log: EventLog,
    options: &Options,
    carrier: &dyn Fn(Arc<dyn Answerer>) -> Arc<dyn Answerer>,
) -> RunOutput {
    let setting = Setting::of(scenario, seed);
    let guests = haproxy_appliance::guests(seed, timing::boot(&scenario.timing.profile));
    let mut system = haproxy_appliance::HaproxyAppliance::new(scenario, setting.secrets.clone());
    #[cfg(feature = "mutants")]
    system.call_mutant(options.defect);
    let stage = VirtualStage::new(scenario, seed, options, log, &setting, guests, carrier);
    if let Some(strikes) = &options.strikes {
        stage.note(strikes);
    }
    let subject = subject(scenario, World::Virtual, seed, replay);
    begin(&stage, scenario, &subject);
    let bounds = Bounds { until: options.until.as_deref(), afterwards: options.afterwards };
    let rehearsed = stage.block_on(rehearse(&stage, scenario, &mut system, bounds));
    conclude(&stage, scenario, subject, system.nature(), rehearsed, options.reference())
}

/// Runs `scenario` in the docker world, in real time. Images must be there (`grenadier images`).
///
/// # Errors
/// The environment is not fit for it; nothing is left behind.
pub fn run_docker(
    scenario: &Scenario,
    seed: Seed,
    replay: &str,
    log: EventLog,
    run_dir: PathBuf,
) -> Result<RunOutput, DockerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(DockerError::Runtime)?;
    runtime.block_on(async {
        let docker = connect().await?;
        // What killed runs left would be in the way of this one.
        let _swept = sweep(&docker, Scope::OwnerGone).await;
        let setting = Setting::of(scenario, seed);
        let mut system = haproxy_appliance::HaproxyAppliance::new(scenario, setting.secrets.clone());
        let mut stage = DockerStage::start(docker, seed, log, &setting, run_dir).await?;
        let subject = subject(scenario, World::Docker, seed, replay);
        begin(&stage, scenario, &subject);
        let broken_off = {
            let machines = stage.machines();
            let lost = async move { RunEnd::Lost(machines.lost().await.to_string()) };
            let interrupted = async {
                interrupted().await;
                RunEnd::Interrupted
            };
            async move { select(pin!(lost), pin!(interrupted)).await.factor_first().0 }
        };
        let rehearsed = {
            let rehearsing = pin!(rehearse(&stage, scenario, &mut system, Bounds::default()));
            match select(rehearsing, pin!(broken_off)).await {
                Either::Left((rehearsed, _)) if stage.machines().is_there().await => Ok(rehearsed),
                // Whatever it came to was because its world was going.
                Either::Left((_, broken_off)) => Err(broken_off.await),
                Either::Right((end, _)) => Err(end),
            }
        };
        let mut rehearsed = rehearsed.unwrap_or_else(|end| Rehearsed::broken_off(end, stage.clock().now()));
        let left = stage.shutdown().await.failures;
        if !left.is_empty() {
            let so_far = match &rehearsed.end {
                RunEnd::Lost(reason) => format!("{reason}; "),
                _ => String::new(),
            };
            let left = left.join("; ");
            rehearsed.end = RunEnd::Lost(format!("{so_far}what the run left could not be removed yet: {left}"));
        }
        Ok(conclude(&stage, scenario, subject, system.nature(), rehearsed, None))
    })
}

/// What `scenario` needs in the docker world that is not there: images, by name.
///
/// # Errors
/// No engine answers.
pub fn missing_in_docker(scenario: &Scenario) -> Result<Vec<String>, DockerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DockerError::Runtime)?;
    let versions = scenario.earlier_versions().into_iter();
    let versions = versions.chain([scenario.base_version(), scenario.target_version()]);
    let images: Vec<String> = versions.map(|version| version.image).chain([NODE_IMAGE.to_owned()]).collect();
    runtime.block_on(async {
        let docker = connect().await?;
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        missing(&docker, &images).await.map_err(DockerError::Images)
    })
}

/// Starts a fleet of one network on the Docker engine and takes it down again, to see that a run could. Gives what stands in the
/// way of faults that make networks bad, where something does: runs without them go all the same.
///
/// # Errors
/// What a run would fail with.
pub async fn try_docker() -> Result<Option<OperationError>, DockerError> {
    let docker = connect().await?;
    let mut trial = Trial::start(&docker).await?;
    let impaired = trial.impair().await;
    let report = trial.end().await;
    if report.is_clean() { Ok(impaired.err()) } else { Err(DockerError::Left { failures: report.failures.join("; ") }) }
}

/// Ready when somebody asks this process to stop: from a terminal, or as a service manager does.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    // A process that cannot be told to stop politely can still be killed; the supervisor cleans up then.
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    select(std::pin::pin!(interrupt.recv()), std::pin::pin!(terminate.recv())).await;
}

/// Why a run in the docker world came to no verdict: the environment is not fit (exit code 3).
#[derive(Debug, Error)]
pub enum DockerError {
    /// Threads could not be started.
    #[error("start the runtime")]
    Runtime(#[source] std::io::Error),
    /// No engine answers.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The engine does not say which images it has.
    #[error("look up images")]
    Images(#[source] ImageLookupError),
    /// The engine does not tell of its machine.
    #[error("ask the Docker engine about its machine")]
    Host(#[source] grenadier_fleet_docker::engine::Error),
    /// A machine could not be worked on.
    #[error("work on a machine")]
    Operation(#[source] OperationError),
    /// The world could not be set up.
    #[error("set up the docker world")]
    World(#[from] DockerWorldError),
    /// Something of the run could not be removed.
    #[error("clean up after the run: {failures}")]
    Left {
        /// What the engine refused.
        failures: String,
    },
}

impl DockerError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            DockerError::Connect(error) => Some(error.hint()),
            DockerError::World(DockerWorldError::Start(error)) => error.hint(),
            DockerError::Left { .. } => Some("`grenadier clean --all` tries again"),
            DockerError::Runtime(_)
            | DockerError::Images(_)
            | DockerError::Host(_)
            | DockerError::Operation(_)
            | DockerError::World(_) => None,
        }
    }
}

fn subject(scenario: &Scenario, world: World, seed: Seed, replay: &str) -> Subject {
    Subject {
        scenario: scenario.name.clone(),
        system: scenario.system.clone(),
        procedure: scenario.engine.in_place_of.as_ref().map(|_| scenario.engine.procedure.clone()),
        world,
        seed: seed.0,
        base: scenario.base_version().name,
        target: scenario.target_version().name,
        profile: match world {
            World::Virtual => timing::name(&scenario.timing.profile),
            World::Docker => "docker",
        }
        .to_owned(),
        replay: replay.to_owned(),
    }
}

fn begin(stage: &dyn Stage, scenario: &Scenario, subject: &Subject) {
    faults::add_rules(stage, scenario);
    let kind = Kind::RunStarted {
        scenario: subject.scenario.clone(),
        system: subject.system.clone(),
        world: subject.world,
        seed: subject.seed,
        base: subject.base.clone(),
        target: subject.target.clone(),
        profile: subject.profile.clone(),
    };
    stage.log().emit(Time::ZERO, Actor::Runner, kind);
}

/// Makes the checks and writes what they found.
fn conclude(
    stage: &dyn Stage,
    scenario: &Scenario,
    subject: Subject,
    nature: Nature,
    rehearsed: Rehearsed,
    reference: Option<Arc<Reference>>,
) -> RunOutput {
    let log = stage.log().clone();
    let now = stage.clock().now();
    let Rehearsed { engine, observed, end, ended, mishaps } = rehearsed;
    faults::tell_idle(stage, &mishaps);
    let mut stages = Split::default();
    for (observed, place) in [(observed.base, 0), (observed.upgraded, 1), (observed.end, 2)] {
        let Some(observed) = observed else { continue };
        stages.take(place, observed);
    }
    let Nature { targets, roles, product, residuals, recreated, searcher, written_by_others } = nature;
    // An explored run leaves no log.
    if reference.is_none()
        && let Some(exposures) = &mut stages.exposures.end
    {
        exposures.extend(searcher.in_log("events.jsonl", &log.to_jsonl()));
    }
    let events = log.events();
    // Others act after a step has succeeded, so only then is there something they wrote.
    let performed = |step: &str| {
        events.iter().any(|event| {
            matches!(&event.kind, Kind::StepFinished { step: done, verb: StepVerb::Apply, error: None } if done == step)
        })
    };
    let written = written_by_others.into_iter().filter(|(after, _)| performed(after)).map(|(_, write)| write);
    let mut facts = Facts {
        horizon: Time::ZERO + scenario.horizon,
        ended_ns: ended,
        end,
        expect: Expectation {
            outcome: scenario.expect.outcome,
            refused_by: scenario.expect.refused_by,
            outage_at_most: scenario.expect.outage.map(|outage| outage.at_most),
            restored: scenario.expect.restored,
            residuals,
            caught_by: scenario.expect.caught_by.iter().copied().collect(),
            required: match &scenario.require {
                Require::All => Required::All,
                Require::These(checks) => Required::These(checks.iter().copied().collect()),
            },
        },
        engine,
        shows: stages.shows,
        captures: stages.captures,
        inventory: stages.inventory,
        meaning: stages.meaning,
        routes: stages.routes,
        certificates: stages.certificates,
        exposures: stages.exposures,
        product,
        recreated,
        acknowledged: written.collect(),
        targets,
        assumptions: stage.assumptions(),
        reference,
        ..Facts::new(subject, &events, Masks::of(&scenario.system))
    };
    if facts.reference.is_some() {
        facts.allow_going_back();
    }
    let verdict = Verdict::judge(&facts);
    let Stages { base, upgraded, end } = std::mem::take(&mut facts.captures);
    let captures = [base, upgraded, end].into_iter().flatten().collect();
    for line in &verdict.checks {
        log.emit(now, Actor::Runner, line.result.to_event());
    }
    log.emit(now, Actor::Runner, verdict.to_event());
    RunOutput { log, verdict, captures, roles }
}

/// What was observed, by what it is about instead of by moment.
#[derive(Default)]
struct Split {
    shows: Stages<grenadier_checks::Shown>,
    captures: Stages<Capture>,
    inventory: Stages<grenadier_checks::Inventory>,
    meaning: Stages<grenadier_checks::Meaning>,
    routes: Stages<grenadier_checks::Routes>,
    certificates: Stages<String>,
    exposures: Stages<Vec<Exposure>>,
}

fn put<T>(stages: &mut Stages<T>, place: usize, value: Option<T>) {
    *match place {
        0 => &mut stages.base,
        1 => &mut stages.upgraded,
        _ => &mut stages.end,
    } = value;
}

impl Split {
    fn take(&mut self, place: usize, observed: Observed) {
        let Observed { capture, shown, inventory, meaning, routes, certificate, exposures } = observed;
        put(&mut self.shows, place, Some(shown));
        put(&mut self.captures, place, Some(capture));
        put(&mut self.inventory, place, Some(inventory));
        put(&mut self.meaning, place, Some(meaning));
        put(&mut self.routes, place, Some(routes));
        put(&mut self.certificates, place, certificate);
        put(&mut self.exposures, place, Some(exposures));
    }
}
