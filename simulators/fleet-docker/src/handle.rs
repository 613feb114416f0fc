//! Calls into the run's networks and machines from outside.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use grenadier_agent::protocol::ToAgent;
use grenadier_wire::{Answer, Failure, HttpExchange, ShellExchange};

use crate::session::Session;
use crate::shared::Shared;
use crate::vigil::{Loss, is_there, lost};

/// How much longer than the caller the agent's answer is waited for: it watches the caller's time itself.
const GRACE: Duration = Duration::from_secs(2);

/// A handle for calls to machines. Clones are the same one.
#[derive(Clone, Debug)]
pub struct DockerHandle {
    shared: Arc<Shared>,
}

impl DockerHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> DockerHandle {
        DockerHandle { shared }
    }

    /// Waits until the fleet has events to take: what [`crate::DockerFleet::wait_for_events`] does, for a host that keeps its
    /// fleet behind a lock.
    pub async fn wait_for_events(&self) {
        self.shared.notes.wait().await;
    }

    /// Ready when the engine has gone, or what the run's calls come from. Nothing can be said about an upgrade any more then.
    pub async fn lost(&self) -> Loss {
        lost(&self.shared.docker, &self.shared.relay_container()).await
    }

    /// Whether the engine and what the run's calls come from are there. Where not, [`DockerHandle::lost`] soon says what happened.
    pub async fn is_there(&self) -> bool {
        is_there(&self.shared.docker, &self.shared.relay_container()).await
    }

    /// Makes an HTTP call to an address of a machine.
    ///
    /// It is made by a container of the run that is plugged into every segment, so that it works with a remote engine too, and
    /// so that the caller's own neighbour cache, which nobody but its root can flush, is not part of the story: that container
    /// asks the segment anew for every call.
    pub async fn guest_http(&self, http: HttpExchange) -> Result<Answer, Failure> {
        let endpoint = http.endpoint.clone();
        let unreachable = || Failure::Unreachable { endpoint: endpoint.clone() };
        let relay = self.shared.relay.get().ok_or_else(unreachable)?;
        let patience = http.timeout + GRACE;
        let answer = relay.ask(patience, |request| ToAgent::Http { request, call: http.into() }).await;
        answer.ok_or_else(unreachable)?.into_result(&endpoint)
    }

    /// Runs a command in the shell of the machine that has this address (or name): first the guest's own programs, as in the
    /// virtual world, then the machine's real shell.
    ///
    /// Where machines fight for the address, it is the one that was switched on last: an engine's bridge floods to its newest
    /// port first, and the first reply wins.
    pub async fn guest_shell(&self, shell: ShellExchange) -> Result<Answer, Failure> {
        let endpoint = shell.host.clone();
        let found = self.session_of(&endpoint);
        let (session, delay) = found.ok_or_else(|| Failure::Unreachable { endpoint: endpoint.clone() })?;
        // The way is not the machine's network, where what asks for a connection and then for something comes late.
        tokio::time::sleep(2 * delay).await;
        let patience = shell.timeout + GRACE;
        let answer = session.ask(patience, |request| ToAgent::Shell { request, command: shell.into() }).await;
        answer.ok_or_else(|| Failure::ConnectionLost { endpoint: endpoint.clone() })?.into_result(&endpoint)
    }

    fn session_of(&self, host: &str) -> Option<(Session, Duration)> {
        let present = self.shared.present();
        let address: Option<IpAddr> = host.parse().ok();
        let is_there = |claims: &[ipnet::IpNet]| {
            // A shell listens on a machine's own addresses, not on those of its ranges.
            address.is_some_and(|address| {
                claims.iter().any(|claim| claim.addr() == address && claim.prefix_len() == claim.max_prefix_len())
            })
        };
        let reachable = present.values().filter(|machine| !machine.is_silent);
        let found = reachable.filter(|machine| machine.name == host || is_there(&machine.claims));
        found.max_by_key(|machine| machine.epoch).map(|machine| (machine.session.clone(), machine.delay))
    }
}
