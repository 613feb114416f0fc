//! Services and their states, as systemd has them.

use std::collections::BTreeMap;

use grenadier_guest::Host;
use serde_json::{Value, json};

use crate::{anyip, dataplaneapi, route_tables};

/// HAProxy's service.
pub(crate) const HAPROXY: &str = "haproxy";

/// The services that `systemctl` knows, in boot order.
pub(crate) const ALL: [&str; 4] = [route_tables::SERVICE, anyip::SERVICE, HAPROXY, dataplaneapi::SERVICE];

/// A service's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Inactive,
    Active,
    /// It did not start, or died; why.
    Failed(String),
}

impl State {
    /// The word `systemctl is-active` prints.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            State::Inactive => "inactive",
            State::Active => "active",
            State::Failed(_) => "failed",
        }
    }
}

/// All services' states.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services(BTreeMap<&'static str, State>);

impl Services {
    pub(crate) fn state(&self, service: &str) -> State {
        self.0.get(service).cloned().unwrap_or_default()
    }

    pub(crate) fn is_active(&self, service: &str) -> bool {
        self.state(service) == State::Active
    }

    /// Sets a state and tells the world.
    pub(crate) fn set(&mut self, service: &'static str, state: State, host: &mut dyn Host) {
        let (word, detail) = match &state {
            State::Inactive => ("stopped", String::new()),
            State::Active => ("running", String::new()),
            State::Failed(reason) => ("failed", reason.clone()),
        };
        host.service(service, word, detail);
        self.0.insert(service, state);
    }

    pub(crate) fn json(&self) -> Value {
        ALL.iter().map(|service| ((*service).to_owned(), json!(self.state(service).word()))).collect()
    }
}
