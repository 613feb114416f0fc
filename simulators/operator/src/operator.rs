//! The operator of a cluster.

use std::time::Duration;

use grenadier_fleet::GuestReport;
use grenadier_guest::{CallKey, Guest, Host, Input, TimerKey};
use grenadier_wire::{Answer, Exchange, Failure};
use serde_json::{Value, json};

use crate::OperatorConfig;
use crate::client::settle;
use crate::curl::Curls;
use crate::reconcile::{Attempt, Next, Outcome};

const TIMER: TimerKey = "reconcile";

/// How much a wait after a failure may differ, in per cent.
const JITTER_PERCENT: u8 = 10;

/// The operator of a cluster: it makes the load balancers it is told of, mends them when they get lost, and waits longer and
/// longer while it cannot.
#[derive(Clone, Debug, Default)]
pub struct Operator {
    config: Option<OperatorConfig>,
    /// The attempt that runs, and its call on the way.
    attempt: Option<(Attempt, CallKey)>,
    /// The configuration was changed while an attempt ran.
    changed: bool,
    failures: u32,
    /// What it told last.
    told: &'static str,
    curls: Curls,
    last_call: CallKey,
}

impl Operator {
    /// An operator that is off.
    pub fn new() -> Operator {
        Operator::default()
    }

    fn boot(&mut self, host: &mut dyn Host) {
        *self = Operator::new();
        match OperatorConfig::read(host) {
            Ok(config) => {
                settle(&config.addresses, host);
                self.config = Some(config);
                host.report(GuestReport::Up);
                self.reconcile(host);
            }
            Err(reason) => host.report(GuestReport::BootFailed(reason)),
        }
    }

    fn reconfigured(&mut self, host: &mut dyn Host) {
        match OperatorConfig::read(host) {
            Ok(config) if Some(&config) == self.config.as_ref() => {}
            Ok(config) => {
                if self.config.as_ref().is_none_or(|old| old.addresses != config.addresses) {
                    settle(&config.addresses, host);
                }
                self.config = Some(config);
                self.failures = 0;
                self.changed = self.attempt.is_some();
                self.reconcile(host);
            }
            Err(reason) => host.log("operator", reason),
        }
    }

    /// Begins an attempt, unless one runs.
    fn reconcile(&mut self, host: &mut dyn Host) {
        if self.attempt.is_some() {
            return;
        }
        let Some(config) = &self.config else { return };
        host.cancel(TIMER);
        let (attempt, first) = Attempt::begin(config);
        self.send(attempt, first, host);
    }

    fn send(&mut self, attempt: Attempt, exchange: Box<Exchange>, host: &mut dyn Host) {
        self.last_call += 1;
        self.attempt = Some((attempt, self.last_call));
        host.call(self.last_call, *exchange);
    }

    fn called(&mut self, key: CallKey, result: Result<Answer, Failure>, host: &mut dyn Host) {
        if self.curls.called(key, &result, host) {
            return;
        }
        let Some((mut attempt, _)) = self.attempt.take_if(|(_, expected)| *expected == key) else { return };
        match attempt.answered(result) {
            Next::Call(exchange) => self.send(attempt, exchange, host),
            Next::Done(outcome) => self.finished(&outcome, host),
        }
    }

    fn finished(&mut self, outcome: &Outcome, host: &mut dyn Host) {
        let Some(config) = &self.config else { return };
        let (state, detail, wait) = match outcome {
            Outcome::InSync => ("in-sync", String::new(), Duration::from_millis(config.resync_ms)),
            Outcome::Programmed(changes) => {
                let count = config.load_balancers.len();
                let detail = format!("{count} load balancers, {changes} changes");
                ("programmed", detail, Duration::from_millis(config.resync_ms))
            }
            Outcome::Failed(reason) => {
                self.failures += 1;
                let wait = config.backoff(self.failures);
                ("retrying", reason.clone(), host.random().jitter(wait, JITTER_PERCENT))
            }
        };
        // That it is still in sync is no news; every failure and every change is.
        if state != "in-sync" || self.told != state {
            let (cluster, attempt) = (config.cluster.clone(), self.failures);
            host.report(GuestReport::Operator { cluster, state: state.to_owned(), attempt, detail });
        }
        self.told = state;
        if state != "retrying" {
            self.failures = 0;
        }
        if std::mem::take(&mut self.changed) {
            return self.reconcile(host);
        }
        host.timer(TIMER, wait);
    }
}

impl Guest for Operator {
    fn handle(&mut self, input: Input, host: &mut dyn Host) {
        match input {
            Input::Boot => self.boot(host),
            Input::Reconfigured => self.reconfigured(host),
            Input::Timer(_) => self.reconcile(host),
            Input::Called { key, result } => self.called(key, result, host),
            Input::Shell { reply, command } => {
                self.last_call += 1;
                self.curls.run(self.last_call, reply, &command, host);
            }
            Input::Shutdown => host.power_off(),
            // It serves nothing.
            Input::Http { .. } => {}
        }
    }

    fn state(&self) -> Value {
        json!({
            "cluster": self.config.as_ref().map(|config| &config.cluster),
            "state": self.told,
            "attempt": self.failures,
            "reconciling": self.attempt.is_some(),
            "transaction": self.attempt.as_ref().and_then(|(attempt, _)| attempt.transaction()),
            "load_balancers": self.config.as_ref().map(|config| &config.load_balancers),
        })
    }

    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }
}
