//! What a cloud simulator is and may do.

use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_events::Kind;
use grenadier_fidelity::Behaviour;
use grenadier_wire::ReplyTo;

use crate::{Fleet, FleetEvent};

/// A simulator of a cloud's API above a fleet: a synchronous state machine.
///
/// The virtual world hosts it inside its event queue, the docker world behind a socket; it cannot tell which.
pub trait Cloud: Send {
    /// Takes a request. The answer goes through [`CloudHost::reply`], at once or later (a long poll).
    fn handle(&mut self, reply: ReplyTo, request: http::Request<Bytes>, host: &mut dyn CloudHost);

    /// Is told what happened in the fleet.
    fn fleet_event(&mut self, event: &FleetEvent, host: &mut dyn CloudHost);

    /// Is told that a timer went off.
    fn timer(&mut self, key: u64, host: &mut dyn CloudHost);

    /// Is told that nobody waits for this answer any more: the client of a long poll has gone away.
    fn gave_up(&mut self, reply: ReplyTo, host: &mut dyn CloudHost) {
        let _ = (reply, host);
    }

    /// What only the cloud owns (folders, datastore files, sessions, tasks), for captures. Records of machines are the fleet's.
    fn state(&self) -> serde_json::Value;
}

/// What a cloud simulator may do.
pub trait CloudHost {
    /// The present moment.
    fn now(&self) -> Time;

    /// The fleet it is above.
    fn fleet(&mut self) -> &mut dyn Fleet;

    /// Sets a timer; several of one key go off each by itself.
    fn timer(&mut self, key: u64, after: Duration);

    /// Answers a request.
    fn reply(&mut self, to: ReplyTo, response: http::Response<Bytes>);

    /// Writes an event to the log of the run, by the actor `world`.
    fn emit(&mut self, kind: Kind);

    /// Whether the simulator is to do what the behaviour says, noting that an outcome may hang on it.
    fn holds(&self, behaviour: &'static Behaviour) -> bool {
        let _ = behaviour;
        true
    }
}
