//! A guest's host with real effects.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use grenadier_clock::{Stream, Time};
use grenadier_fleet::GuestReport;
use grenadier_guest::{CallKey, Host, Listener, RouteRule, TimerKey};
use grenadier_wire::{Answer, Exchange, ReplyTo};
use ipnet::IpNet;
use tokio::sync::mpsc;

use crate::listeners::{Incoming, Listeners, Pem};
use crate::protocol::FromAgent;
use crate::{Disk, Impairment, Network, NetworkError, Outbox, TimeBase};

/// The certificate and key that TLS listeners of guests show (the HAProxy appliance's; no other guest ends TLS).
const CERTIFICATE: &str = "/etc/haproxy/server.crt";
const KEY: &str = "/etc/haproxy/server.key";

/// What a host is put together from.
#[derive(Debug)]
pub struct HostParts {
    /// The machine's name.
    pub machine: String,
    /// The directory that guests take for `/`.
    pub root: PathBuf,
    /// The run's time.
    pub time: TimeBase,
    /// The guest's random stream.
    pub random: Stream,
    /// Configuration (guestinfo) by key.
    pub config: BTreeMap<String, String>,
    /// The network namespace, its cards set up.
    pub network: Network,
    /// Whether there is room for what is written.
    pub disk: Disk,
    /// No address that the guest asks for takes effect, and no AnyIP range.
    pub no_address: bool,
    /// Where reports go.
    pub outbox: Outbox,
}

/// A host that acts on the machine this process runs in.
///
/// What cannot be done (a disk that is full is the guest's own business; `ip` refusing, a port that is taken) is told in the
/// log of the service `agent`, since most effects of a guest have no result.
#[derive(Debug)]
pub struct RealHost {
    parts: HostParts,
    timers: BTreeMap<TimerKey, Instant>,
    addresses: Vec<(u32, IpNet)>,
    local_routes: Vec<IpNet>,
    rules: Vec<RouteRule>,
    listeners: Listeners,
    pub(crate) replies: Vec<(ReplyTo, Answer)>,
    pub(crate) calls: Vec<(CallKey, Exchange)>,
    pub(crate) off: bool,
}

impl RealHost {
    /// A host, and where the requests arrive that its listeners take for the guest.
    pub(crate) fn new(parts: HostParts) -> (RealHost, mpsc::UnboundedReceiver<Incoming>) {
        let (sender, incoming) = mpsc::unbounded_channel();
        let host = RealHost {
            parts,
            timers: BTreeMap::new(),
            addresses: Vec::new(),
            local_routes: Vec::new(),
            rules: Vec::new(),
            listeners: Listeners::new(sender),
            replies: Vec::new(),
            calls: Vec::new(),
            off: false,
        };
        (host, incoming)
    }

    /// A host for one-off use of files, addresses, routes and rules: its listeners pass requests to nobody.
    pub fn detached(parts: HostParts) -> RealHost {
        RealHost::new(parts).0
    }

    /// The next timer that goes off, and when.
    pub(crate) fn next_timer(&self) -> Option<(Instant, TimerKey)> {
        self.timers.iter().map(|(key, at)| (*at, *key)).min()
    }

    /// Takes out the next timer that went off by `now`.
    pub(crate) fn take_timer(&mut self, now: Instant) -> Option<TimerKey> {
        let (at, key) = self.next_timer()?;
        (at <= now).then(|| self.timers.remove(key)).flatten().map(|_| key)
    }

    /// Configuration keys were changed from outside.
    pub(crate) fn configured(&mut self, change: BTreeMap<String, String>) {
        for (key, value) in change {
            set(&mut self.parts.config, &key, &value);
        }
    }

    /// Cards were plugged, unplugged or changed. Addresses of cards that are gone are gone with them.
    pub(crate) fn plug(&mut self, nics: Vec<crate::NicRecord>) {
        self.addresses.retain(|(key, _)| nics.iter().any(|nic| nic.key == *key));
        let done = self.parts.network.plug(nics);
        self.complain(done);
        self.claim();
    }

    /// The networks do as badly as this from now on. The guest is not told.
    pub(crate) fn impair(&mut self, impairment: Impairment) -> Result<(), NetworkError> {
        self.parts.network.impair(impairment)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.parts.root.join(path.trim_start_matches('/'))
    }

    fn complain(&self, done: Result<(), NetworkError>) {
        if let Err(error) = done {
            self.parts.outbox.complain(format!("failed to {error}"));
        }
    }

    /// Tells what the machine answers ARP for.
    fn claim(&self) {
        let own = self.addresses.iter().map(|(_, address)| IpNet::from(address.addr()));
        let claims = own.chain(self.local_routes.iter().copied()).collect();
        self.parts.outbox.put(FromAgent::Claims { claims });
    }
}

impl Host for RealHost {
    fn now(&self) -> Time {
        self.parts.time.now()
    }

    fn random(&mut self) -> &mut Stream {
        &mut self.parts.random
    }

    fn machine(&self) -> &str {
        &self.parts.machine
    }

    fn read(&self, path: &str) -> Option<Bytes> {
        std::fs::read(self.path(path)).ok().map(Bytes::from)
    }

    fn write(&mut self, path: &str, content: Bytes) -> Result<(), String> {
        let path = self.path(path);
        self.parts.disk.admit(&path, content.len())?;
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&path, &content)
        };
        write().map_err(|error| error.to_string())
    }

    fn remove(&mut self, path: &str) -> bool {
        std::fs::remove_file(self.path(path)).is_ok()
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.path(directory), directory.trim_end_matches('/'), &mut found);
        found.sort();
        found
    }

    fn config(&self, key: &str) -> Option<String> {
        self.parts.config.get(key).cloned()
    }

    fn set_config(&mut self, key: &str, value: &str) {
        set(&mut self.parts.config, key, value);
        self.parts.outbox.put(FromAgent::Config { key: key.to_owned(), value: value.to_owned() });
    }

    fn nics(&self) -> Vec<(u32, String, bool)> {
        self.parts.network.nics().iter().map(|nic| (nic.key, nic.segment.clone(), nic.connected)).collect()
    }

    fn timer(&mut self, key: TimerKey, after: Duration) {
        self.timers.insert(key, Instant::now() + after);
    }

    fn cancel(&mut self, key: TimerKey) {
        self.timers.remove(key);
    }

    fn add_address(&mut self, nic: u32, address: IpNet) {
        if self.parts.no_address || self.addresses.contains(&(nic, address)) {
            return;
        }
        let done = self.parts.network.add_address(nic, address);
        if done.is_ok() {
            self.addresses.push((nic, address));
            self.claim();
        }
        self.complain(done);
    }

    fn add_local_route(&mut self, range: IpNet) {
        if self.parts.no_address || self.local_routes.contains(&range) {
            return;
        }
        let done = self.parts.network.add_local_route(range);
        if done.is_ok() {
            self.local_routes.push(range);
            self.claim();
        }
        self.complain(done);
    }

    fn remove_local_route(&mut self, range: IpNet) -> bool {
        let Some(index) = self.local_routes.iter().position(|route| *route == range) else { return false };
        let done = self.parts.network.remove_local_route(range);
        self.complain(done);
        self.local_routes.remove(index);
        self.claim();
        true
    }

    fn add_route_rule(&mut self, rule: RouteRule) {
        let done = self.parts.network.add_rule(&rule);
        if done.is_ok() {
            self.rules.push(rule);
        }
        self.complain(done);
    }

    fn remove_route_rule(&mut self, rule: &RouteRule) -> bool {
        let Some(index) = self.rules.iter().position(|other| other == rule) else { return false };
        let done = self.parts.network.remove_rule(rule);
        self.complain(done);
        self.rules.remove(index);
        true
    }

    fn route_rules(&self) -> Vec<RouteRule> {
        self.rules.clone()
    }

    fn is_local(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|(_, own)| own.addr() == address)
            || self.local_routes.iter().any(|range| range.contains(&address))
    }

    fn listen(&mut self, listener: Listener) {
        let text = |path: &str| std::fs::read_to_string(self.path(path)).map_err(|error| format!("{path}: {error}"));
        let pem = || Ok(Pem { chain: text(CERTIFICATE)?, key: text(KEY)? });
        let pem = listener.certificate.is_some().then(pem);
        let opened = self.listeners.open(&listener, || pem.unwrap_or_else(|| Err("no certificate".to_owned())));
        if let Err(error) = opened {
            self.parts.outbox.complain(format!("failed to {error}"));
        }
    }

    fn close(&mut self, address: Option<IpAddr>, port: u16) {
        self.listeners.close(address, port);
    }

    fn reply(&mut self, to: ReplyTo, answer: Answer) {
        self.replies.push((to, answer));
    }

    fn call(&mut self, key: CallKey, exchange: Exchange) {
        self.calls.push((key, exchange));
    }

    fn report(&mut self, mut report: GuestReport) {
        if let GuestReport::Tools { addresses, .. } = &mut report
            && self.parts.no_address
        {
            addresses.clear();
        }
        self.parts.outbox.report(report);
    }

    fn power_off(&mut self) {
        self.off = true;
    }
}

/// Sets a key; an empty value removes it.
fn set(config: &mut BTreeMap<String, String>, key: &str, value: &str) {
    if value.is_empty() {
        config.remove(key);
    } else {
        config.insert(key.to_owned(), value.to_owned());
    }
}

/// Adds the files below a real directory under the names a guest knows them by. Links are followed nowhere.
fn collect(directory: &Path, name: &str, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), &name, found),
            Ok(kind) if kind.is_file() => found.push(name),
            _ => {}
        }
    }
}
