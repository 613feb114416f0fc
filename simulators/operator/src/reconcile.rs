//! One attempt to make the configuration as the operator wants it: look, compare, change in one transaction.

use std::collections::VecDeque;

use grenadier_wire::{Answer, Exchange, Failure};
use http::Method;
use serde_json::Value;

use crate::OperatorConfig;
use crate::api::{CallError, body_of, request};
use crate::observed::{Endpoint, Observed};
use crate::plan::{Change, changes};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing had to change.
    InSync,
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
    config: OperatorConfig,
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
    /// Begins one: its first call.
    pub(crate) fn begin(config: &OperatorConfig) -> (Attempt, Box<Exchange>) {
        let attempt = Attempt {
            config: config.clone(),
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
        let step = self.step.clone();
        match self.take(&step, result) {
            Ok(next) => next,
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn take(&mut self, step: &Step, result: Result<Answer, Failure>) -> Result<Next, CallError> {
        let name = self.describe(step);
        let unexpected = || CallError::Unexpected { call: name.clone() };
        let body = body_of(&name, result)?;
        match step {
            Step::Frontends => {
                self.observed.version = body["_version"].as_u64().ok_or_else(unexpected)?;
                for frontend in self.own(&body).ok_or_else(unexpected)? {
                    let backend = frontend["default_backend"].as_str().map(str::to_owned);
                    let name = text(&frontend, "name").ok_or_else(unexpected)?;
                    self.looks.push_back(Step::Binds(name.clone()));
                    self.observed.frontends.insert(name, backend);
                }
                self.looks.push_front(Step::Backends);
            }
            Step::Backends => {
                for backend in self.own(&body).ok_or_else(unexpected)? {
                    let name = text(&backend, "name").ok_or_else(unexpected)?;
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
            Step::Begin => self.transaction = Some(text(&body, "id").ok_or_else(unexpected)?),
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
                return Next::Done(Outcome::InSync);
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

    /// The objects in an answer that belong to the operator.
    fn own(&self, body: &Value) -> Option<Vec<Value>> {
        let prefix = self.config.prefix();
        let all = body["data"].as_array()?;
        Some(
            all.iter()
                .filter(|object| object["name"].as_str().is_some_and(|name| name.starts_with(&prefix)))
                .cloned()
                .collect(),
        )
    }

    fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Box<Exchange> {
        Box::new(request(&self.config, method, path, body))
    }

    fn describe(&self, step: &Step) -> String {
        match step {
            Step::Frontends => "reading frontends".to_owned(),
            Step::Backends => "reading backends".to_owned(),
            Step::Binds(frontend) => format!("reading binds of {frontend}"),
            Step::Servers(backend) => format!("reading servers of {backend}"),
            Step::Begin => "beginning a transaction".to_owned(),
            Step::Change => format!("change {}", self.made + 1),
            Step::Commit => "commit".to_owned(),
            Step::Abandon(_) => "giving up the transaction".to_owned(),
        }
    }
}

fn text(object: &Value, key: &str) -> Option<String> {
    object[key].as_str().map(str::to_owned)
}

fn endpoints(body: &Value) -> Option<Vec<(String, Endpoint)>> {
    let endpoint = |object: &Value| {
        // One without a port is none of ours: it will be replaced.
        Some((text(object, "name")?, (text(object, "address")?, object["port"].as_u64().unwrap_or_default())))
    };
    body["data"].as_array()?.iter().map(endpoint).collect()
}
