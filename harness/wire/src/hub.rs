//! Naming, counting, faulting and logging of every exchange.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{Either, select};
use grenadier_clock::{Clock, Time};
use grenadier_events::{Actor, EventLog, Kind};

use crate::fault::TaskFails;
use crate::{Answer, CallAddress, CallName, Exchange, Failure, FaultKind, FaultRule, ProtocolFault};

/// An answer on its way.
pub type Answering = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// What stands behind the wire: a virtual world, or proxies to containers.
pub trait Answerer: Send + Sync {
    /// Delivers `exchange` and brings back what comes.
    fn answer(&self, actor: Actor, exchange: Exchange) -> Answering;
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
    actor: Actor,
    endpoint: String,
    began: Time,
}

#[derive(Default)]
struct State {
    step: Option<String>,
    counters: BTreeMap<(Actor, Option<String>, String), u32>,
    /// Rules that have not acted yet.
    rules: Vec<FaultRule>,
}

struct Inner {
    protocols: Vec<Box<dyn Protocol>>,
    log: EventLog,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
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
        let inner = Inner { protocols, log, clock, state: Mutex::default() };
        Wire { inner: Arc::new(inner), answerer: None }
    }

    /// The same wire with `answerer` behind it.
    pub fn connected(&self, answerer: Arc<dyn Answerer>) -> Wire {
        Wire { inner: Arc::clone(&self.inner), answerer: Some(answerer) }
    }

    /// Adds a rule. Each acts once, on the engine's calls.
    pub fn add_rule(&self, rule: FaultRule) {
        self.state().rules.push(rule);
    }

    /// The rules that found no call to act on, to be reported as not injectable.
    pub fn idle_rules(&self) -> Vec<FaultRule> {
        self.state().rules.clone()
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
        let ticket = self.begin(actor, &mut exchange);
        let deadline = self.inner.clock.sleep(exchange.timeout());
        let endpoint = exchange.endpoint().to_owned();
        let in_time = async {
            match ticket.fault {
                Some(FaultKind::Refuse) => Err(Failure::Refused { endpoint: endpoint.clone() }),
                Some(FaultKind::Hang) => std::future::pending().await,
                Some(FaultKind::Unavailable) => self.rendered(&exchange, ProtocolFault::Unavailable),
                Some(FaultKind::ErrorAfter) => {
                    let rendered = self.rendered(&exchange, ProtocolFault::ErrorAfter);
                    let _effect = answerer.answer(actor, exchange).await;
                    rendered
                }
                Some(FaultKind::LostReply) => {
                    let _effect = answerer.answer(actor, exchange).await;
                    Err(Failure::ConnectionLost { endpoint: endpoint.clone() })
                }
                Some(FaultKind::TaskFails) | None => answerer.answer(actor, exchange).await,
            }
        };
        let result = match select(std::pin::pin!(in_time), deadline).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(Failure::TimedOut { endpoint: endpoint.clone() }),
        };
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
        let address = CallAddress { step, template, occurrence: *counter };
        let rule = state.rules.iter().position(|rule| actor == Actor::Engine && rule.at == address);
        let fault = rule.map(|index| state.rules.remove(index).fault);
        if let Some(fault) = fault {
            if fault == FaultKind::TaskFails
                && let Exchange::Http(http) = exchange
            {
                http.request.extensions_mut().insert(TaskFails);
            }
            let kind = Kind::FaultInjected { at: address.to_string(), fault: fault.to_string() };
            self.inner.log.emit(now, actor, kind);
        }
        Ticket { address, fault, actor, endpoint: exchange.endpoint().to_owned(), began: now }
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

    fn rendered(&self, exchange: &Exchange, fault: ProtocolFault) -> Result<Answer, Failure> {
        let answer = self.inner.protocols.iter().find_map(|protocol| {
            protocol.name(exchange)?;
            protocol.render(exchange, fault)
        });
        answer.ok_or_else(|| Failure::ConnectionLost { endpoint: exchange.endpoint().to_owned() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the wire asks for the task of this request to fail.
pub fn task_must_fail(request: &http::Request<bytes::Bytes>) -> bool {
    request.extensions().get::<TaskFails>().is_some()
}

/// The name of an exchange nobody claims: `http.GET`, `shell.cat`.
fn plain_template(exchange: &Exchange) -> String {
    match exchange {
        Exchange::Http(http) => format!("http.{}", http.request.method()),
        Exchange::Shell(shell) => format!("shell.{}", shell.command.split_whitespace().next().unwrap_or("sh")),
    }
}
