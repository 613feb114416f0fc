//! Naming, counting, faulting and logging of every exchange.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use grenadier_clock::{Clock, Time};
use grenadier_events::{Actor, EventLog, Kind};

use crate::fault::{Asked, Crash, IdleRule, StepMoment, is_simulators};
use crate::memory::{Memory, question};
use crate::process::Process;
use crate::{
    Answer, CallAddress, CallName, CallTemplate, Exchange, Failure, FaultKind, FaultPlace, FaultRule, ProtocolFault,
};

/// An answer on its way.
pub type Answering = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// What stands behind the wire: a virtual world, or proxies to containers.
pub trait Answerer: Send + Sync {
    /// Delivers `exchange` and brings back what comes.
    fn answer(&self, actor: Actor, exchange: Exchange) -> Answering;

    /// Whether it gives an exchange up itself when its time is over. Then nobody else looks at the clock for it.
    fn watches_time(&self) -> bool {
        false
    }

    /// Says how far the engine is in a step, where somebody behind this may want to end its process there. Ready when it may go on.
    fn at_moment(&self, step: &str, moment: StepMoment) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let _ = (step, moment);
        Box::pin(std::future::ready(()))
    }
}

/// Who can read an exchange: one for each protocol.
pub trait Protocol: Send + Sync {
    /// What the protocol calls this exchange; none where it is not of this protocol.
    fn name(&self, exchange: &Exchange) -> Option<CallName>;

    /// How the protocol says `fault` to this exchange; none where it has no such answer.
    fn render(&self, exchange: &Exchange, fault: ProtocolFault) -> Option<Answer>;
}

/// A call that has been named and counted and not yet ended.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Its address.
    pub address: CallAddress,
    /// The fault a rule gives it.
    pub fault: Option<FaultKind>,
    /// How late a `slow` answer comes.
    pub(crate) length: Duration,
    pub(crate) actor: Actor,
    endpoint: String,
    began: Time,
}

/// Somebody who is told of every call of the engine before it is made.
pub type CallWatcher = Box<dyn FnMut(&CallAddress) + Send>;

#[derive(Default)]
struct State {
    step: Option<String>,
    counters: BTreeMap<(Actor, Option<String>, String), u32>,
    /// Rules that have not acted yet.
    rules: Vec<FaultRule>,
    /// Rules whose place was there, and could not be used.
    idle: Vec<IdleRule>,
    /// What reads were answered.
    memory: Memory,
}

struct Inner {
    protocols: Vec<Box<dyn Protocol>>,
    log: EventLog,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    watcher: Mutex<Option<CallWatcher>>,
    process: Process,
    /// Whether a rule wants to know what reads were answered.
    remembers: AtomicBool,
}

/// The one seam between an engine and the world. Clones share counters, rules and log.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<Inner>,
    answerer: Option<Arc<dyn Answerer>>,
}

impl Wire {
    /// A wire that names calls by the first of `protocols` that can, with nothing behind it yet.
    pub fn new(protocols: Vec<Box<dyn Protocol>>, clock: Arc<dyn Clock>, log: EventLog) -> Wire {
        let inner = Inner {
            protocols,
            log,
            clock,
            state: Mutex::default(),
            watcher: Mutex::default(),
            process: Process::default(),
            remembers: AtomicBool::new(false),
        };
        Wire { inner: Arc::new(inner), answerer: None }
    }

    /// The same wire with `answerer` behind it.
    pub fn connected(&self, answerer: Arc<dyn Answerer>) -> Wire {
        Wire { inner: Arc::clone(&self.inner), answerer: Some(answerer) }
    }

    /// Another wire into the same world, with counters, step and rules of its own, that writes to `log`: for an engine beside the
    /// one under test.
    pub fn beside(&self, log: EventLog) -> Wire {
        let wire = Wire::new(Vec::new(), Arc::clone(&self.inner.clock), log);
        Wire { answerer: self.answerer.clone(), ..wire }
    }

    /// Adds a rule. Each acts once, on the engine's calls.
    pub fn add_rule(&self, rule: FaultRule) {
        self.inner.remembers.fetch_or(rule.fault == FaultKind::StaleRead, Ordering::Relaxed);
        self.state().rules.push(rule);
    }

    /// The rules that found no place to act, to be reported as not injectable.
    pub fn idle_rules(&self) -> Vec<IdleRule> {
        let state = self.state();
        let missed = state.rules.iter().map(|rule| {
            let reason = match &rule.at {
                FaultPlace::Call(_) => "the engine never made this call",
                FaultPlace::Step(_) => "the engine never got so far in this step",
            };
            IdleRule { rule: rule.clone(), reason }
        });
        state.idle.iter().cloned().chain(missed).collect()
    }

    /// Ready when a rule has ended the engine's process. Whoever waits for it drops the engine then, with all it remembers:
    /// nothing it asks for is answered any more.
    pub async fn crashed(&self) -> Crash {
        self.inner.process.crashed().await
    }

    /// Says that another engine process takes the place of the one that was ended.
    pub fn begin_process(&self) {
        self.inner.process.begin();
        self.set_step(None);
    }

    /// Says how far the engine is in a step. Does not return where a rule ends the engine's process there.
    pub async fn at_moment(&self, step: &str, moment: StepMoment) {
        if self.inner.process.has_ended() {
            return std::future::pending().await;
        }
        let fault = moment.crash();
        let rule = {
            let mut state = self.state();
            let is_here =
                |rule: &FaultRule| rule.fault == fault && matches!(&rule.at, FaultPlace::Step(place) if place == step);
            let index = state.rules.iter().position(is_here);
            index.map(|index| state.rules.remove(index))
        };
        if let Some(rule) = rule {
            self.injected(&rule, self.inner.clock.now());
            self.inner.process.end(Crash { at: rule.at, fault }).await
        }
        if let Some(answerer) = &self.answerer {
            answerer.at_moment(step, moment).await;
        }
    }

    /// Tells `watcher` of every call of the engine that goes through [`Wire::call`], before it is made; or nobody any more.
    pub fn watch_calls(&self, watcher: Option<CallWatcher>) {
        *self.inner.watcher.lock().unwrap_or_else(PoisonError::into_inner) = watcher;
    }

    /// Says which step the engine's next calls belong to.
    pub fn set_step(&self, step: Option<&str>) {
        self.state().step = step.map(str::to_owned);
    }

    /// The step the engine is in.
    pub fn step(&self) -> Option<String> {
        self.state().step.clone()
    }

    /// The log this wire writes to.
    pub fn log(&self) -> &EventLog {
        &self.inner.log
    }

    /// The clock of its world.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Makes a call: names, counts, faults, delivers, logs.
    ///
    /// # Panics
    /// Where nothing is behind the wire ([`Wire::connected`]).
    pub async fn call(&self, actor: Actor, mut exchange: Exchange) -> Result<Answer, Failure> {
        let answerer = self.answerer.as_ref().expect("a wire that makes calls is connected");
        if actor == Actor::Engine && self.inner.process.has_ended() {
            return std::future::pending().await;
        }
        let ticket = self.begin(actor, &mut exchange);
        if actor == Actor::Engine
            && let Some(watcher) = &mut *self.inner.watcher.lock().unwrap_or_else(PoisonError::into_inner)
        {
            watcher(&ticket.address);
        }
        let deadline = match answerer.watches_time() {
            true => Box::pin(std::future::pending()),
            false => self.inner.clock.sleep(exchange.timeout()),
        };
        let endpoint = exchange.endpoint().to_owned();
        let remembered = self.inner.remembers.load(Ordering::Relaxed).then(|| question(&exchange)).flatten();
        let in_time = async {
            match ticket.fault {
                None => answerer.answer(actor, exchange).await,
                Some(_) => self.faulted(&ticket, answerer.as_ref(), exchange).await,
            }
        };
        let result = match select(std::pin::pin!(in_time), deadline).await {
            Either::Left((result, _)) => result,
            // Nobody is left who could wait.
            Either::Right(_) if actor == Actor::Engine && self.inner.process.has_ended() => {
                return std::future::pending().await;
            }
            Either::Right(_) => Err(Failure::TimedOut { endpoint: endpoint.clone() }),
        };
        if let (Some(question), Ok(answer)) = (remembered, &result)
            && ticket.fault.is_none()
        {
            self.with_memory(|memory| memory.note(question, answer));
        }
        self.end(ticket, self.inner.clock.now(), &result);
        result
    }

    /// Names and counts a call that somebody else will deliver (a guest inside the virtual world).
    pub fn begin(&self, actor: Actor, exchange: &mut Exchange) -> Ticket {
        self.begin_at(actor, exchange, self.inner.clock.now())
    }

    /// [`Wire::begin`] at a time the caller knows.
    pub fn begin_at(&self, actor: Actor, exchange: &mut Exchange, now: Time) -> Ticket {
        let name = self.inner.protocols.iter().find_map(|protocol| protocol.name(exchange));
        let template = name.map_or_else(|| plain_template(exchange), |name| name.template);
        let state = &mut *self.state();
        let step = (actor == Actor::Engine).then(|| state.step.clone()).flatten();
        let counter = state.counters.entry((actor, step.clone(), template.clone())).or_default();
        *counter += 1;
        let address = CallAddress { step, template: CallTemplate::new(template), occurrence: *counter };
        let is_here = |rule: &FaultRule| matches!(&rule.at, FaultPlace::Call(call) if *call == address);
        let rule = state.rules.iter().position(|rule| actor == Actor::Engine && is_here(rule));
        let rule = rule.map(|index| state.rules.remove(index));
        if let Some(rule) = &rule {
            if is_simulators(rule.fault)
                && let Exchange::Http(http) = exchange
            {
                http.request.extensions_mut().insert(Asked(rule.fault));
            }
            // Whether there is something stale to read shows only when the answer is there.
            if rule.fault != FaultKind::StaleRead {
                self.injected(rule, now);
            }
        }
        let (fault, length) = rule.map_or((None, Duration::ZERO), |rule| (Some(rule.fault), rule.length));
        Ticket { address, fault, length, actor, endpoint: exchange.endpoint().to_owned(), began: now }
    }

    /// Logs how a call ended.
    pub fn end(&self, ticket: Ticket, now: Time, result: &Result<Answer, Failure>) {
        let kind = Kind::Call {
            address: ticket.address.to_string(),
            endpoint: ticket.endpoint,
            began_ns: ticket.began,
            result: match result {
                Ok(answer) => answer.summary(),
                Err(failure) => failure.to_string(),
            },
            fault: ticket.fault.map(|fault| fault.to_string()),
        };
        self.inner.log.emit(now, ticket.actor, kind);
    }

    /// Writes that a rule acts.
    pub(crate) fn injected(&self, rule: &FaultRule, now: Time) {
        let kind = Kind::FaultInjected { at: rule.at.to_string(), fault: rule.what.clone() };
        self.inner.log.emit(now, Actor::Engine, kind);
    }

    /// How the first protocol that knows the exchange says `fault`.
    pub(crate) fn rendered(&self, exchange: &Exchange, fault: ProtocolFault) -> Result<Answer, Failure> {
        let answer = self.inner.protocols.iter().find_map(|protocol| {
            protocol.name(exchange)?;
            protocol.render(exchange, fault)
        });
        answer.ok_or_else(|| Failure::ConnectionLost { endpoint: exchange.endpoint().to_owned() })
    }

    pub(crate) fn process(&self) -> &Process {
        &self.inner.process
    }

    /// Does something with what is remembered of answers.
    pub(crate) fn with_memory<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        act(&mut self.state().memory)
    }

    /// Notes that a rule could not act, though its place was there.
    pub(crate) fn stays_idle(&self, rule: FaultRule, reason: &'static str) {
        self.state().idle.push(IdleRule { rule, reason });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of an exchange nobody claims: `http.GET`, `shell.cat`.
fn plain_template(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Http(http) => format!("http.{}", http.request.method()),
        Exchange::Shell(shell) => format!("shell.{}", shell.command.split_whitespace().next().unwrap_or("sh")),
    }
}
