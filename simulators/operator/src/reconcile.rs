//! One attempt to make the configuration as the operator wants it: look, compare, change in one transaction.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use grenadier_wire::{Answer, Exchange, Failure};
use http::Method;
use serde_json::Value;

use crate::OperatorConfig;
use crate::api::{Access, Begun, CallError, Listed, Object, body_of};
use crate::observed::{Endpoint, Observed, Signature};
use crate::plan::{Change, changes};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything was looked at, and nothing had to change. The configuration can be recognised by this.
    InSync(Signature),
    /// The configuration is still the one that was found in sync before.
    Unchanged,
    /// Changed; so many calls.
    Programmed(usize),
    /// Not changed, and why. The transaction, if there was one, was given up.
    Failed(String),
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Make this call.
    Call(Box<Exchange>),
    /// The attempt is over.
    Done(Outcome),
}

/// Which call is on its way.
#[derive(Clone, Debug)]
enum Step {
    Frontends,
    Backends,
    Binds(String),
    Servers(String),
    Begin,
    Change,
    Commit,
    /// Giving up the transaction after this failure.
    Abandon(String),
}

/// An attempt.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What it wants; a change of the configuration meanwhile does not touch it.
    config: Arc<OperatorConfig>,
    access: Arc<Access>,
    /// The configuration that was found in sync before: where the frontends still show it, nothing else is looked at.
    known: Option<Signature>,
    observed: Observed,
    step: Step,
    /// Calls that still have to look.
    looks: VecDeque<Step>,
    /// Changes that still have to be made.
    changes: VecDeque<Change>,
    made: usize,
    transaction: Option<String>,
}

impl Attempt {
    /// Begins one: its first call. It is over after that where the frontends show what is `known` to be in sync.
    pub(crate) fn begin(
        config: &Arc<OperatorConfig>,
        access: &Arc<Access>,
        known: Option<Signature>,
    ) -> (Attempt, Box<Exchange>) {
        let attempt = Attempt {
            config: Arc::clone(config),
            access: Arc::clone(access),
            known,
            observed: Observed::default(),
            step: Step::Frontends,
            looks: VecDeque::new(),
            changes: VecDeque::new(),
            made: 0,
            transaction: None,
        };
        let first = attempt.call(&Method::GET, "configuration/frontends", None);
        (attempt, first)
    }

    /// The transaction it has open.
    pub(crate) fn transaction(&self) -> Option<&str> {
        self.transaction.as_deref()
    }

    /// Takes the answer to its last call.
    pub(crate) fn answered(&mut self, result: Result<Answer, Failure>) -> Next {
        if let Step::Abandon(reason) = &self.step {
            // Whether that worked or not, more cannot be done.
            return Next::Done(Outcome::Failed(reason.clone()));
        }
        let step = std::mem::replace(&mut self.step, Step::Frontends);
        match self.take(&step, result) {
            Ok(next) => next,
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn take(&mut self, step: &Step, result: Result<Answer, Failure>) -> Result<Next, CallError> {
        let made = self.made;
        let name = || describe(step, made);
        let unexpected = || CallError::Unexpected { call: name() };
        let body = body_of(name, result)?;
        match step {
            Step::Frontends => {
                let listed = list(&body).ok_or_else(unexpected)?;
                self.observed.version = listed.version.ok_or_else(unexpected)?;
                for (name, frontend) in self.own(&listed) {
                    let backend = frontend.default_backend.as_deref().map(str::to_owned);
                    self.observed.frontends.insert(name, backend);
                }
                if self.known.as_ref().is_some_and(|known| self.observed.shows(known)) {
                    return Ok(Next::Done(Outcome::Unchanged));
                }
                self.looks.push_back(Step::Backends);
                self.looks.extend(self.observed.frontends.keys().cloned().map(Step::Binds));
            }
            Step::Backends => {
                let listed = list(&body).ok_or_else(unexpected)?;
                for (name, _) in self.own(&listed) {
                    self.looks.push_back(Step::Servers(name.clone()));
                    self.observed.backends.insert(name);
                }
            }
            Step::Binds(frontend) => {
                for (name, endpoint) in endpoints(&body).ok_or_else(unexpected)? {
                    self.observed.binds.insert((frontend.clone(), name), endpoint);
                }
            }
            Step::Servers(backend) => {
                for (name, endpoint) in endpoints(&body).ok_or_else(unexpected)? {
                    self.observed.servers.insert((backend.clone(), name), endpoint);
                }
            }
            Step::Begin => {
                let begun: Begun = serde_json::from_slice(&body).map_err(|_| unexpected())?;
                self.transaction = Some(begun.id);
            }
            Step::Change => self.made += 1,
            Step::Commit => {
                self.transaction = None;
                return Ok(Next::Done(Outcome::Programmed(self.made)));
            }
            Step::Abandon(_) => unreachable!("an abandoned attempt takes no answers"),
        }
        Ok(self.next())
    }

    /// The call that follows.
    fn next(&mut self) -> Next {
        if let Some(look) = self.looks.pop_front() {
            let path = match &look {
                Step::Backends => "configuration/backends".to_owned(),
                Step::Binds(frontend) => format!("configuration/binds?frontend={frontend}"),
                Step::Servers(backend) => format!("configuration/servers?backend={backend}"),
                other => unreachable!("{other:?} is no look"),
            };
            self.step = look;
            return Next::Call(self.call(&Method::GET, &path, None));
        }
        let Some(transaction) = self.transaction.clone() else {
            self.changes = changes(&self.config, &self.observed).into();
            if self.changes.is_empty() {
                return Next::Done(Outcome::InSync(self.observed.signature()));
            }
            self.step = Step::Begin;
            let path = format!("transactions?version={}", self.observed.version);
            return Next::Call(self.call(&Method::POST, &path, None));
        };
        match self.changes.pop_front() {
            Some(change) => {
                self.step = Step::Change;
                let mark = if change.path.contains('?') { '&' } else { '?' };
                let path = format!("configuration/{}{mark}transaction_id={transaction}", change.path);
                Next::Call(self.call(&change.method, &path, change.body.as_ref()))
            }
            None => {
                self.step = Step::Commit;
                Next::Call(self.call(&Method::PUT, &format!("transactions/{transaction}"), None))
            }
        }
    }

    /// Gives the transaction up, if there is one, and fails.
    fn fail(&mut self, reason: String) -> Next {
        match self.transaction.take() {
            Some(transaction) => {
                self.step = Step::Abandon(reason);
                Next::Call(self.call(&Method::DELETE, &format!("transactions/{transaction}"), None))
            }
            None => Next::Done(Outcome::Failed(reason)),
        }
    }

    /// The objects in an answer that belong to the operator, by name.
    fn own<'a, 'b>(&self, listed: &'b Listed<'a>) -> Vec<(String, &'b Object<'a>)> {
        let prefix = self.config.prefix();
        let own = |object: &'b Object<'a>| {
            let name = object.name.as_deref().filter(|name| name.starts_with(&prefix))?;
            Some((name.to_owned(), object))
        };
        listed.data.iter().filter_map(own).collect()
    }

    fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Box<Exchange> {
        Box::new(self.access.request(method, path, body))
    }
}

/// A call in words; so many changes were made before it.
fn describe(step: &Step, made: usize) -> String {
    match step {
        Step::Frontends => "reading frontends".to_owned(),
        Step::Backends => "reading backends".to_owned(),
        Step::Binds(frontend) => format!("reading binds of {frontend}"),
        Step::Servers(backend) => format!("reading servers of {backend}"),
        Step::Begin => "beginning a transaction".to_owned(),
        Step::Change => format!("change {}", made + 1),
        Step::Commit => "commit".to_owned(),
        Step::Abandon(_) => "giving up the transaction".to_owned(),
    }
}

fn list(body: &Bytes) -> Option<Listed<'_>> {
    serde_json::from_slice(body).ok()
}

fn endpoints(body: &Bytes) -> Option<Vec<(String, Endpoint)>> {
    let endpoint = |object: Object<'_>| {
        // One without a port is none of ours: it will be replaced.
        Some((object.name?.into_owned(), (object.address?.into_owned(), object.port.unwrap_or_default())))
    };
    list(body)?.data.into_iter().map(endpoint).collect()
}
