//! A host without a world, for the tests of guests.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::{Seed, Stream, Time};
use grenadier_fleet::GuestReport;
use grenadier_wire::{Answer, Exchange};
use ipnet::IpNet;

use crate::{CallKey, Guest, Host, Input, Listener, ReplyTo, RouteRule, TimerKey};

/// A host that keeps everything a guest does in public fields.
#[derive(Debug)]
pub struct TestHost {
    /// The present moment.
    pub now: Time,
    /// Files by path.
    pub files: BTreeMap<String, Bytes>,
    /// Configuration by key.
    pub config: BTreeMap<String, String>,
    /// NICs: key, segment, link.
    pub nics: Vec<(u32, String, bool)>,
    /// When each timer goes off.
    pub timers: BTreeMap<TimerKey, Time>,
    /// Own addresses.
    pub addresses: Vec<(u32, IpNet)>,
    /// AnyIP routes.
    pub local_routes: Vec<IpNet>,
    /// Rules of policy routing.
    pub rules: Vec<RouteRule>,
    /// Listeners.
    pub listeners: Vec<Listener>,
    /// Answers given.
    pub replies: Vec<(ReplyTo, Answer)>,
    /// Calls made and not yet taken out by the test.
    pub calls: Vec<(CallKey, Exchange)>,
    /// Reports made.
    pub reports: Vec<GuestReport>,
    /// Whether the guest turned the machine off.
    pub off: bool,
    /// Writing fails with this text.
    pub disk_error: Option<String>,
    random: Stream,
}

impl Default for TestHost {
    fn default() -> TestHost {
        TestHost {
            now: Time::ZERO,
            files: BTreeMap::new(),
            config: BTreeMap::new(),
            nics: Vec::new(),
            timers: BTreeMap::new(),
            addresses: Vec::new(),
            local_routes: Vec::new(),
            rules: Vec::new(),
            listeners: Vec::new(),
            replies: Vec::new(),
            calls: Vec::new(),
            reports: Vec::new(),
            off: false,
            disk_error: None,
            random: Seed(1).stream("test", "guest"),
        }
    }
}

impl TestHost {
    /// Moves the time to the next timer and tells the guest; whether there was one before `until`.
    pub fn step(&mut self, guest: &mut dyn Guest, until: Time) -> bool {
        let next = self.timers.iter().map(|(key, at)| (*at, *key)).min();
        match next {
            Some((at, key)) if at <= until => {
                self.now = self.now.max(at);
                self.timers.remove(key);
                guest.handle(Input::Timer(key), self);
                true
            }
            _ => false,
        }
    }

    /// Lets `length` pass, with every timer that goes off meanwhile.
    pub fn run(&mut self, guest: &mut dyn Guest, length: Duration) {
        let until = self.now + length;
        while self.step(guest, until) {}
        self.now = until;
    }

    /// Whether somebody listens at this address and port.
    pub fn listens(&self, address: IpAddr, port: u16) -> bool {
        self.listeners.iter().any(|listener| listener.port == port && listener.address.is_none_or(|own| own == address))
    }
}

impl Host for TestHost {
    fn now(&self) -> Time {
        self.now
    }

    fn random(&mut self) -> &mut Stream {
        &mut self.random
    }

    fn machine(&self) -> &str {
        "test-machine"
    }

    fn read(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).cloned()
    }

    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String> {
        if let Some(error) = &self.disk_error {
            return Err(error.clone());
        }
        self.files.insert(path.to_owned(), content);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> bool {
        self.files.remove(path).is_some()
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        self.files.keys().filter(|path| path.starts_with(&prefix)).cloned().collect()
    }

    fn config(&self, key: &str) -> Option<String> {
        self.config.get(key).cloned()
    }

    fn set_config(&mut self, key: &str, value: &str) {
        self.config.insert(key.to_owned(), value.to_owned());
    }

    fn nics(&self) -> Vec<(u32, String, bool)> {
        self.nics.clone()
    }

    fn timer(&mut self, key: TimerKey, after: Duration) {
        self.timers.insert(key, self.now + after);
    }

    fn cancel(&mut self, key: TimerKey) {
        self.timers.remove(key);
    }

    fn add_address(&mut self, nic: u32, address: IpNet) {
        if !self.addresses.contains(&(nic, address)) {
            self.addresses.push((nic, address));
        }
    }

    fn add_local_route(&mut self, range: IpNet) {
        if !self.local_routes.contains(&range) {
            self.local_routes.push(range);
        }
    }

    fn remove_local_route(&mut self, range: IpNet) -> bool {
        let before = self.local_routes.len();
        self.local_routes.retain(|route| *route != range);
        before != self.local_routes.len()
    }

    fn add_route_rule(&mut self, rule: RouteRule) {
        self.rules.push(rule);
    }

    fn remove_route_rule(&mut self, rule: &RouteRule) -> bool {
        let found = self.rules.iter().position(|other| other == rule);
        found.map(|index| self.rules.remove(index)).is_some()
    }

    fn route_rules(&self) -> Vec<RouteRule> {
        self.rules.clone()
    }

    fn is_local(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|(_, own)| own.addr() == address)
            || self.local_routes.iter().any(|range| range.contains(&address))
    }

    fn listen(&mut self, listener: Listener) {
        self.close(listener.address, listener.port);
        self.listeners.push(listener);
    }

    fn close(&mut self, address: Option<IpAddr>, port: u16) {
        self.listeners.retain(|listener| (listener.address, listener.port) != (address, port));
    }

    fn reply(&mut self, to: ReplyTo, answer: Answer) {
        self.replies.push((to, answer));
    }

    fn call(&mut self, key: CallKey, exchange: Exchange) {
        self.calls.push((key, exchange));
    }

    fn report(&mut self, report: GuestReport) {
        self.reports.push(report);
    }

    fn power_off(&mut self) {
        self.off = true;
    }
}
