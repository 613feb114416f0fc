//! The phases of a rehearsal, in order.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use grenadier_catalog::{AfterCrash, Named, Outcome, Phase as PhaseName};
use grenadier_checks::{EngineEnd, EngineFact, RunEnd, Stages, Verb};
use grenadier_clock::Time;
use grenadier_events::{Actor, Event, Kind, PhaseStatus, StepVerb};
use grenadier_scenario::{Rollback, Scenario};
use grenadier_wire::Crash;
use tokio::sync::mpsc;

use crate::faults::{Mishaps, after_crash};
use crate::stage::Stage;
use crate::systems::{ForeignAction, Observed, PhaseError, Shutdown, System};

/// How many processes of the engine are started for one verb, beside those that faults kill. One that goes on dying is no upgrade.
const PROCESSES: usize = 4;

/// The exit code of a process that was killed by signal 9, as a shell's `wait` in most languages tells it.
const KILLED: i32 = -9;

/// What a rehearsal brought to light.
pub(crate) struct Rehearsed {
    pub engine: Vec<EngineFact>,
    pub observed: Stages<Observed>,
    pub end: RunEnd,
    pub ended: Time,
    /// What was to happen to machines, and did not.
    pub mishaps: Mishaps,
}

impl Rehearsed {
    /// It ended at `ended`, before anybody could know how it ends.
    pub(crate) fn broken_off(end: RunEnd, ended: Time) -> Rehearsed {
        let (observed, mishaps) = (Stages::default(), Mishaps::default());
        Rehearsed { engine: Vec::new(), observed, end, ended, mishaps }
    }
}

/// Runs the phases of `scenario` on `stage`.
/// It goes no further than `until`, a step of the engine, where there is one.
pub(crate) async fn rehearse(
    stage: &dyn Stage,
    scenario: &Scenario,
    system: &mut dyn System,
    bounds: Bounds<'_>,
) -> Rehearsed {
    let mishaps = Mishaps::of(scenario, |machine| system.machine(machine));
    let mut rehearsal = Rehearsal {
        stage,
        scenario,
        system,
        statuses: BTreeMap::new(),
        engine: Vec::new(),
        observed: Stages::default(),
        cut: None,
        bounds,
        stopped: false,
    };
    join_first(rehearsal.run(), mishaps.clone().happen(stage), &Cell::new(false)).await;
    let Rehearsal { engine, observed, cut, stopped, .. } = rehearsal;
    let ended = stage.clock().now();
    let end = match cut {
        _ if stopped => RunEnd::Interrupted,
        Some(reason) => RunEnd::Cut(reason),
        None if stage.pace().lasts_to_horizon && ended >= Time::ZERO + scenario.horizon => RunEnd::Horizon,
        None => RunEnd::Quiet,
    };
    Rehearsed { engine, observed, end, ended, mishaps }
}

/// Where a rehearsal ends, beside its horizon.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bounds<'a> {
    /// The step of the engine after which the run stops.
    pub until: Option<&'a str>,
    /// For how long a run in virtual time goes on once everything is quiet, where it need not last to its horizon.
    pub afterwards: Option<Duration>,
}

struct Rehearsal<'a> {
    stage: &'a dyn Stage,
    scenario: &'a Scenario,
    system: &'a mut dyn System,
    statuses: BTreeMap<&'static str, PhaseStatus>,
    engine: Vec<EngineFact>,
    observed: Stages<Observed>,
    /// Why nobody can know how the upgrade would have ended.
    cut: Option<String>,
    bounds: Bounds<'a>,
    /// Whether it has stopped there.
    stopped: bool,
}

/// Runs one phase, if everything it needs passed.
macro_rules! phase {
    ($self:ident, $name:expr, needs $needs:expr, $body:expr) => {
        if let Some(missing) = $self.missing(&$needs) {
            $self.skip($name, &format!("{missing} did not pass"));
        } else {
            $self.started($name);
            let result: Result<(), PhaseError> = $body;
            $self.finished($name, result);
        }
    };
}

impl Rehearsal<'_> {
    async fn run(&mut self) {
        use PhaseName::{Base, Compare, Create, Destroy, EarlyCreate, Shutdown as ShutdownPhase, Upgrade};
        use PhaseName::{Verify, VerifyNoapi, VerifyUpgraded};
        let stage = self.stage;
        phase!(self, Base, needs [], self.system.base(stage).await);
        phase!(self, EarlyCreate, needs[Base], self.system.early_create(stage).await);
        phase!(self, Create, needs[EarlyCreate], self.system.create(stage).await);
        phase!(self, Verify, needs[Create], self.system.verify(stage).await);
        match self.system.shutdown_by() {
            Shutdown::Procedure(reason) => self.skip(ShutdownPhase, reason),
            Shutdown::Runner => phase!(self, ShutdownPhase, needs[Verify], self.system.shutdown(stage).await),
        }
        // What the scenario takes from the base it takes last, before the upgrade begins: whatever that interrupts is not the
        // upgrade's doing.
        phase!(self, VerifyNoapi, needs [Verify, ShutdownPhase], {
            match self.system.verify_noapi(stage).await {
                Ok(()) => self.system.deviate(stage).await,
                error => error,
            }
        });
        if let Some(missing) = self.missing(&[Base, EarlyCreate, Create, Verify, VerifyNoapi]) {
            self.cut = Some(format!("{missing} did not pass, so there was nothing to upgrade"));
        }
        phase!(self, Upgrade, needs [Base, Create, Verify, VerifyNoapi], self.upgrade().await);
        if self.stopped {
            // What is there now is what somebody wants to look at: nothing is waited for, and nothing taken down.
            self.observed.end = self.observe("stopped").await.ok();
            return;
        }
        let upgraded = self.claims(Verb::Upgrade) == Some(Outcome::Upgraded);
        if upgraded {
            phase!(self, VerifyUpgraded, needs [Base, Create], self.verify_upgraded().await);
        } else if self.engine.is_empty() {
            self.skip(VerifyUpgraded, "nothing was upgraded");
        } else {
            let outcome = self.claims(Verb::Upgrade).map_or("without an outcome", Outcome::name);
            self.skip(VerifyUpgraded, &format!("the engine ended {outcome}"));
            self.observe_unfinished().await;
        }
        self.rollback(upgraded).await;
        self.compare(Compare).await;
        self.started(Destroy);
        let result = self.system.destroy(stage).await;
        self.finished(Destroy, result);
    }

    /// Base as it is, then the engine, with whatever others do meanwhile.
    async fn upgrade(&mut self) -> Result<(), PhaseError> {
        self.observed.base = Some(self.observe("base").await?);
        self.call_engine(Verb::Upgrade).await;
        let (claims, expected) = (self.claims(Verb::Upgrade), self.scenario.expect.outcome);
        if claims == Some(expected) {
            return Ok(());
        }
        if let Some(step) = self.bounds.until.filter(|_| self.stopped) {
            return Err(PhaseError::Unfit(format!("the run was to go no further than {step}")));
        }
        let claims = claims.map_or("nothing", Outcome::name);
        Err(PhaseError::Unfit(format!("the engine claims {claims}, expected was {}", expected.name())))
    }

    async fn verify_upgraded(&mut self) -> Result<(), PhaseError> {
        let works = self.system.verify_upgraded(self.stage).await;
        self.observed.upgraded = Some(self.observe("upgraded").await?);
        works
    }

    /// What an engine left that did not claim to have upgraded, once that is quiet. What cannot be seen stays unknown.
    async fn observe_unfinished(&mut self) {
        let _unsettled = self.system.settle(self.stage).await;
        self.observed.upgraded = self.observe("upgraded").await.ok();
    }

    /// Never skipped because something failed: that is when it is needed.
    async fn rollback(&mut self, upgraded: bool) {
        let works = self.statuses.get(PhaseName::VerifyUpgraded.name()) == Some(&PhaseStatus::Passed);
        let settled = matches!(self.claims(Verb::Upgrade), Some(Outcome::RolledBack | Outcome::Refused));
        let reason = match self.scenario.rollback {
            _ if self.engine.is_empty() => "the engine was never called",
            Rollback::Never => "the scenario says never",
            _ if settled => "the engine left the base version itself",
            Rollback::OnFailure if upgraded && works => "the upgrade did not fail",
            Rollback::Always | Rollback::OnFailure => {
                self.started(PhaseName::Rollback);
                self.call_engine(Verb::Rollback).await;
                let result = match self.claims(Verb::Rollback) {
                    Some(Outcome::RolledBack) => Ok(()),
                    other => {
                        let claims = other.map_or("nothing", Outcome::name);
                        Err(PhaseError::Unfit(format!("the engine claims {claims} after a rollback")))
                    }
                };
                return self.finished(PhaseName::Rollback, result);
            }
        };
        self.skip(PhaseName::Rollback, reason);
    }

    /// Waits until the system is quiet, lets the run last to its horizon, and looks once more.
    async fn compare(&mut self, name: PhaseName) {
        self.started(name);
        let settled = self.system.settle(self.stage).await;
        if self.stage.pace().lasts_to_horizon {
            let left = (Time::ZERO + self.scenario.horizon).since(self.stage.clock().now());
            let enough = self.bounds.afterwards.filter(|_| settled.is_ok()).unwrap_or(left);
            self.stage.clock().sleep(left.min(enough)).await;
        }
        let result = match self.observe("end").await {
            Ok(observed) => {
                self.observed.end = Some(observed);
                settled
            }
            Err(error) => Err(error),
        };
        self.finished(name, result);
    }

    async fn observe(&mut self, name: &str) -> Result<Observed, PhaseError> {
        let observed = self.system.observe(self.stage, name).await?;
        let kind = Kind::Captured { name: name.to_owned(), hash: observed.capture.root.hash() };
        self.emit(kind);
        Ok(observed)
    }

    /// Calls the engine, and where a fault or somebody else kills its process, another one with what the scenario says.
    async fn call_engine(&mut self, asked: Verb) {
        let mut verb = asked;
        for _ in 0..PROCESSES + self.scenario.faults.len() {
            verb = match self.call_process(verb, asked).await {
                Some(AfterCrash::Resume) => Verb::Resume,
                Some(AfterCrash::Rollback) => Verb::Rollback,
                None => return,
            };
        }
    }

    /// Calls one process of the engine and does what others do after its steps. It gets no longer than to the horizon. Where it
    /// was killed, all of it is gone but its journal, and the answer is what another one is to do.
    async fn call_process(&mut self, verb: Verb, asked: Verb) -> Option<AfterCrash> {
        let began = self.stage.clock().now();
        let left = (Time::ZERO + self.scenario.horizon).since(began);
        let actions: Vec<(String, ForeignAction)> = match verb {
            Verb::Upgrade | Verb::Resume => {
                self.scenario.events.iter().flat_map(|event| self.system.foreign_actions(event, self.stage)).collect()
            }
            Verb::Rollback => Vec::new(),
        };
        self.stage.wire().begin_process();
        let busy = Cell::new(false);
        let others = others(self.stage, actions, &busy);
        let engine = self.system.engine(self.stage, verb);
        let working = std::pin::pin!(join_first(engine, others, &busy));
        let limit =
            std::pin::pin!(select(self.stage.clock().sleep(left), Box::pin(reached(self.stage, self.bounds.until))));
        let crashed = std::pin::pin!(self.stage.wire().crashed());
        let mut crash = None;
        let end = match select(select(working, crashed), limit).await {
            Either::Left((Either::Left((end, _)), _)) => Some(end),
            Either::Left((Either::Right((crashed, _)), _)) => {
                let end = killed(&crashed, self.stage.clock().now());
                crash = Some(crashed);
                Some(end)
            }
            Either::Right((limit, _)) => {
                self.stopped = matches!(limit, Either::Right(_));
                None
            }
        };
        if let Some(end) = &end {
            self.stage.log().emit(
                self.stage.clock().now(),
                Actor::Engine,
                Kind::EngineFinished {
                    verb: verb.name().to_owned(),
                    exit_code: end.exit_code,
                    outcome: end.outcome.map(|outcome| outcome.name().to_owned()),
                    message: end.told(),
                },
            );
        }
        let next = match (&crash, &end) {
            (Some(crash), _) => Some(after_crash(self.scenario, crash)),
            (None, Some(end)) if died(end) => Some(self.scenario.engine.after_crash),
            _ => None,
        };
        self.engine.push(EngineFact { verb, asked, began_ns: began, crashed: next.is_some(), end });
        next
    }

    fn claims(&self, verb: Verb) -> Option<Outcome> {
        self.engine.iter().rfind(|fact| fact.asked == verb && !fact.crashed)?.claims()
    }

    fn missing(&self, needs: &[PhaseName]) -> Option<&'static str> {
        // A phase that was skipped because another one does its work stands in nobody's way.
        let failed = |need: &&PhaseName| match self.statuses.get(need.name()) {
            Some(PhaseStatus::Passed) => false,
            Some(PhaseStatus::Skipped) => **need != PhaseName::Shutdown,
            Some(PhaseStatus::Failed) | None => true,
        };
        needs.iter().find(failed).map(|need| need.name())
    }

    fn started(&mut self, phase: PhaseName) {
        self.emit(Kind::PhaseStarted { phase: phase.name().to_owned() });
    }

    fn skip(&mut self, phase: PhaseName, reason: &str) {
        self.ended(phase, PhaseStatus::Skipped, Some(reason.to_owned()));
    }

    fn finished(&mut self, phase: PhaseName, result: Result<(), PhaseError>) {
        match result {
            Ok(()) => self.ended(phase, PhaseStatus::Passed, None),
            Err(error) => self.ended(phase, PhaseStatus::Failed, Some(chain(&error))),
        }
    }

    fn ended(&mut self, phase: PhaseName, status: PhaseStatus, message: Option<String>) {
        self.statuses.insert(phase.name(), status);
        self.emit(Kind::PhaseFinished { phase: phase.name().to_owned(), status, message });
    }

    fn emit(&self, kind: Kind) {
        self.stage.log().emit(self.stage.clock().now(), Actor::Runner, kind);
    }
}

/// How a process ended that a fault killed.
fn killed(crash: &Crash, at_ns: Time) -> EngineEnd {
    let message = format!("killed: {} at {}", crash.fault, crash.at);
    EngineEnd { at_ns, exit_code: KILLED, outcome: None, rule: None, message, advice: None }
}

/// Whether somebody else killed the process before it said how it ends.
fn died(end: &EngineEnd) -> bool {
    end.exit_code < 0 && end.outcome.is_none()
}

/// What others do after steps of the engine, as the log tells of them; `busy` while they do. Never ends.
async fn others(stage: &dyn Stage, mut actions: Vec<(String, ForeignAction)>, busy: &Cell<bool>) {
    let (sender, mut steps) = mpsc::unbounded_channel();
    stage.log().observe(Box::new(move |event: &Event| {
        if let Kind::StepFinished { step, verb: StepVerb::Apply, error: None } = &event.kind {
            // Nobody listens any more once the engine has ended.
            let _unheard = sender.send(step.clone());
        }
    }));
    while let Some(step) = steps.recv().await {
        while let Some(index) = actions.iter().position(|(after, _)| *after == step) {
            busy.set(true);
            match actions.remove(index).1 {
                ForeignAction::PowerOn(machine) => {
                    if let Some(id) = stage.machine(&machine) {
                        let outcome = stage.perform(grenadier_fleet::Operation::PowerOn { machine: id }).await;
                        let line = match outcome {
                            Ok(_) => format!("powered on {machine}"),
                            Err(error) => format!("could not power on {machine}: {error}"),
                        };
                        administrator(stage, &machine, line);
                    }
                }
                ForeignAction::UpgradeCloud(version) => {
                    stage.upgrade_cloud(&version);
                    administrator(stage, "vcenter", format!("upgraded the vCenter to {version}"));
                }
                ForeignAction::Work(work) => work(stage).await,
            }
            busy.set(false);
        }
    }
    std::future::pending().await
}

/// Ready when the engine is done with `step`: it was applied and looked at, or failed. Without a step, never.
async fn reached(stage: &dyn Stage, step: Option<&str>) {
    let Some(step) = step.map(str::to_owned) else { return std::future::pending().await };
    let (sender, mut done) = mpsc::unbounded_channel();
    stage.log().observe(Box::new(move |event: &Event| match &event.kind {
        Kind::StepFinished { step: name, verb: StepVerb::Verify, .. }
        | Kind::StepFinished { step: name, verb: StepVerb::Apply, error: Some(_) }
            if *name == step =>
        {
            // Nobody listens any more once the engine has ended.
            let _unheard = sender.send(());
        }
        _ => {}
    }));
    if done.recv().await.is_none() {
        std::future::pending().await
    }
}

/// Tells what somebody did.
pub(crate) fn administrator(stage: &dyn Stage, machine: &str, line: String) {
    let kind = Kind::GuestLog { machine: machine.to_owned(), service: "administrator".to_owned(), line };
    stage.log().emit(stage.clock().now(), Actor::Administrator, kind);
}

/// The output of `main`; `other` runs beside it and ends with it, but for what it has begun.
async fn join_first<T>(main: impl Future<Output = T>, other: impl Future<Output = ()>, busy: &Cell<bool>) -> T {
    match select(std::pin::pin!(main), std::pin::pin!(other)).await {
        Either::Left((output, mut other)) => {
            poll_fn(|context| match other.as_mut().poll(context) {
                Poll::Pending if busy.get() => Poll::Pending,
                _ => Poll::Ready(()),
            })
            .await;
            output
        }
        Either::Right(((), main)) => main.await,
    }
}

/// Waits until `condition` holds, looking again and again. The condition says what is missing while it does not hold.
pub(crate) async fn wait_until(
    stage: &dyn Stage,
    what: &str,
    within: Duration,
    mut condition: impl FnMut() -> Result<(), String>,
) -> Result<(), PhaseError> {
    let deadline = stage.clock().now() + within;
    loop {
        match condition() {
            Ok(()) => return Ok(()),
            Err(last) if stage.clock().now() >= deadline => {
                return Err(PhaseError::NotInTime { what: what.to_owned(), within, last });
            }
            Err(_) => stage.clock().sleep(Duration::from_millis(stage.pace().poll_ms)).await,
        }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
