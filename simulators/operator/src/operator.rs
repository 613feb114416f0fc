//! The operator of a cluster.

use std::sync::Arc;
use std::time::Duration;

use grenadier_fleet::GuestReport;
use grenadier_guest::{CallKey, Guest, Host, Input, TimerKey};
use grenadier_wire::{Answer, Exchange, Failure};
use serde_json::{Value, json};

use crate::OperatorConfig;
use crate::api::Access;
use crate::client::settle;
use crate::curl::Curls;
use crate::fidelity;
use crate::observed::Signature;
use crate::reconcile::{Attempt, Next, Outcome};

const TIMER: TimerKey = "reconcile";

/// How much a wait after a failure may differ, in per cent.
const JITTER_PERCENT: u8 = 10;

/// Of so many looks one goes through everything, as the periodic resync of Kubernetes informers does; the others are content
/// where the frontends show the configuration that was found in sync before.
///
/// What such a short look misses: binds, servers or backends that were changed without the API, which leaves the version as it
/// is, and a new appliance with the same version and the same frontends but other binds or servers. Both last until the next
/// full look, so at most this many resyncs.
const FULL_LOOK_EVERY: u32 = 10;

/// The operator of a cluster: it makes the load balancers it is told of, mends them when they get lost, and waits longer and
/// longer while it cannot.
#[derive(Clone, Debug, Default)]
pub struct Operator {
    config: Option<Arc<OperatorConfig>>,
    access: Option<Arc<Access>>,
    /// The configuration in which everything was found in sync, unless something has happened since that asks for a full look:
    /// a failure, or a change of its own.
    known: Option<Signature>,
    /// Short looks since the last full one.
    short_looks: u32,
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
        match read(host) {
            Ok((config, access)) => {
                settle(&config.addresses, host);
                (self.config, self.access) = (Some(Arc::new(config)), Some(Arc::new(access)));
                host.report(GuestReport::Up);
                self.reconcile(host);
            }
            Err(reason) => host.report(GuestReport::BootFailed(reason)),
        }
    }

    fn reconfigured(&mut self, host: &mut dyn Host) {
        match read(host) {
            Ok((config, _)) if Some(&config) == self.config.as_deref() => {}
            Ok((config, access)) => {
                if self.config.as_ref().is_none_or(|old| old.addresses != config.addresses) {
                    settle(&config.addresses, host);
                }
                (self.config, self.access) = (Some(Arc::new(config)), Some(Arc::new(access)));
                self.known = None;
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
        let (Some(config), Some(access)) = (&self.config, &self.access) else { return };
        host.cancel(TIMER);
        let known = self.known.clone().filter(|_| self.short_looks + 1 < FULL_LOOK_EVERY);
        let (attempt, first) = Attempt::begin(config, access, known);
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
            Next::Done(outcome) => self.finished(outcome, host),
        }
    }

    fn finished(&mut self, outcome: Outcome, host: &mut dyn Host) {
        let Some(config) = &self.config else { return };
        let times = if host.holds(&fidelity::RESYNC) { 1 } else { 20 };
        let resync = Duration::from_millis(config.resync_ms) * times;
        let (state, detail, wait) = match outcome {
            Outcome::InSync(signature) => {
                // What an older configuration of the operator found in sync says nothing about the present one.
                self.known = Some(signature).filter(|_| !self.changed);
                self.short_looks = 0;
                ("in-sync", String::new(), resync)
            }
            Outcome::Unchanged => {
                self.short_looks += 1;
                ("in-sync", String::new(), resync)
            }
            Outcome::Programmed(changes) => {
                self.known = None;
                let count = config.load_balancers.len();
                let detail = format!("{count} load balancers, {changes} changes");
                ("programmed", detail, resync)
            }
            Outcome::Failed(reason) => {
                self.known = None;
                self.failures += 1;
                let wait =
                    if host.holds(&fidelity::BACKOFF) { config.backoff(self.failures) } else { config.backoff(1) };
                ("retrying", reason, host.random().jitter(wait, JITTER_PERCENT))
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

fn read(host: &dyn Host) -> Result<(OperatorConfig, Access), String> {
    let config = OperatorConfig::read(host)?;
    let access = Access::of(&config)?;
    Ok((config, access))
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
