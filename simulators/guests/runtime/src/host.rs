//! What a guest may do.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Stream, Time};
use grenadier_fidelity::Behaviour;
use grenadier_fleet::GuestReport;
use grenadier_wire::{Answer, Exchange};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{CallKey, ReplyTo, TimerKey};

/// A socket a guest listens on, and what answers there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listener {
    /// One address, or any of the machine's.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// SHA-256 of the certificate it shows, where it ends TLS.
    pub certificate: Option<String>,
    /// What answers there.
    pub answering: Answering,
}

/// What answers at a listener.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answering {
    /// The guest itself: requests arrive as `Input::Http`.
    Guest,
    /// The guest itself, always with 200 and this name: a backend.
    Backend(String),
    /// A proxy that passes connections to any of these that accepts one.
    Proxy(Vec<SocketAddr>),
}

/// A rule of policy routing: packets from `from` (and, where given, to `to`) look into `table`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouteRule {
    /// Source range.
    pub from: IpNet,
    /// Destination range.
    pub to: Option<IpNet>,
    /// Table name.
    pub table: String,
}

/// What a guest may do. Everything it does to the world goes through here.
pub trait Host {
    /// The present moment.
    fn now(&self) -> Time;

    /// The guest's own random stream.
    fn random(&mut self) -> &mut Stream;

    /// The machine's name.
    fn machine(&self) -> &str;

    /// The content of a file, if there is one.
    fn read(&self, path: &str) -> Option<Bytes>;

    /// Writes a file, with the directories above it.
    ///
    /// # Errors
    /// The disk is full or broken; the text says which.
    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String>;

    /// Removes a file; whether there was one.
    fn remove(&mut self, path: &str) -> bool;

    /// The paths of the files below a directory, in order.
    fn list(&self, directory: &str) -> Vec<String>;

    /// A configuration key (guestinfo) of the machine.
    fn config(&self, key: &str) -> Option<String>;

    /// Sets a configuration key; the hypervisor sees it at once.
    fn set_config(&mut self, key: &str, value: &str);

    /// The NICs as the guest finds them: key, segment, whether the link is up. Order of keys.
    fn nics(&self) -> Vec<(u32, String, bool)>;

    /// Sets a timer, or sets it anew.
    fn timer(&mut self, key: TimerKey, after: Duration);

    /// Cancels a timer.
    fn cancel(&mut self, key: TimerKey);

    /// Gives a NIC an address of its own. The machine answers ARP for it there from now on.
    fn add_address(&mut self, nic: u32, address: IpNet);

    /// Adds an AnyIP route (`ip route add local RANGE dev lo`): the machine answers ARP for the whole range, and programs can
    /// bind to any of it. Adding one that is there changes nothing.
    fn add_local_route(&mut self, range: IpNet);

    /// Removes one; whether it was there.
    fn remove_local_route(&mut self, range: IpNet) -> bool;

    /// Adds a rule of policy routing. The kernel keeps duplicates.
    fn add_route_rule(&mut self, rule: RouteRule);

    /// Removes one copy of a rule; whether there was one.
    fn remove_route_rule(&mut self, rule: &RouteRule) -> bool;

    /// The rules, in order of addition.
    fn route_rules(&self) -> Vec<RouteRule>;

    /// Whether a program may bind to this address now: it is one of the machine's own or in a local route.
    fn is_local(&self, address: IpAddr) -> bool;

    /// Listens. A listener at the same address and port is replaced.
    fn listen(&mut self, listener: Listener);

    /// Stops to listen there.
    fn close(&mut self, address: Option<IpAddr>, port: u16);

    /// Answers an `Input::Http` or `Input::Shell`.
    fn reply(&mut self, to: ReplyTo, answer: Answer);

    /// Makes a call of its own; its end comes as `Input::Called`.
    fn call(&mut self, key: CallKey, exchange: Exchange);

    /// Tells the world something.
    fn report(&mut self, report: GuestReport);

    /// Turns the machine off, as a guest that has shut down does.
    fn power_off(&mut self);

    /// Whether the guest is to do what the behaviour says, noting that an outcome may hang on it. Where real programs run
    /// nothing is assumed.
    fn holds(&self, behaviour: &'static Behaviour) -> bool {
        let _ = behaviour;
        true
    }
}

impl dyn Host + '_ {
    /// Writes a line to a service's log.
    pub fn log(&mut self, service: &str, line: impl Into<String>) {
        self.report(GuestReport::Log { service: service.to_owned(), line: line.into() });
    }

    /// Tells a service's state.
    pub fn service(&mut self, service: &str, state: &str, detail: impl Into<String>) {
        let report =
            GuestReport::Service { service: service.to_owned(), state: state.to_owned(), detail: detail.into() };
        self.report(report);
    }
}
