//! Addresses, AnyIP routes and rules of a real network namespace, by `ip` and `tc` (iproute2).

use std::collections::BTreeMap;
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use grenadier_fleet::Mac;
use grenadier_guest::RouteRule;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::delay::Delay;
use crate::impairment::Impairment;

/// A network card as the fleet describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicRecord {
    /// The device's number on its machine.
    pub key: u32,
    /// The segment it is plugged into.
    pub segment: String,
    /// The hardware address it has to have.
    pub mac: Mac,
    /// Whether the link is up.
    pub connected: bool,
    /// The segment's subnet: how the card is found, because the engine gave it an address in there.
    pub subnet: IpNet,
}

/// The configuration key that changes [`NeighbourTimers`].
const NEIGHBOUR_KEY: &str = "guestinfo.neighbour";

/// How soon a machine notices that a neighbour has changed its hardware address, in place of Linux's 30 s, 5 s and 1 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NeighbourTimers {
    /// How long an entry counts as reachable, give or take a half.
    pub base_reachable_ms: u32,
    /// How long a stale entry is used before it is probed.
    pub delay_probe_ms: u32,
    /// The time between probes.
    pub retrans_ms: u32,
}

impl NeighbourTimers {
    /// What a machine's configuration says; none where it says nothing.
    ///
    /// # Errors
    /// It says something that cannot be read.
    pub fn from_config(config: &BTreeMap<String, String>) -> Result<Option<NeighbourTimers>, String> {
        let text = config.get(NEIGHBOUR_KEY).map(|text| serde_json::from_str(text));
        text.transpose().map_err(|error| format!("{NEIGHBOUR_KEY} cannot be read: {error}"))
    }
}

/// The kernel or a program of iproute2 did not do it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NetworkError {
    /// There is no such program, or it cannot be run.
    #[error("run {0}")]
    Run(String),
    /// It said no.
    #[error("{what}: {message}")]
    Refused {
        /// What it was told.
        what: String,
        /// What it said.
        message: String,
    },
    /// No interface has an address in the segment's subnet.
    #[error("find the interface on segment {0}: none has an address in its subnet")]
    NoInterface(String),
}

/// The network namespace this process runs in.
#[derive(Debug)]
pub struct Network {
    /// Interface names by NIC key.
    interfaces: BTreeMap<u32, String>,
    nics: Vec<NicRecord>,
    neighbour: Option<NeighbourTimers>,
    /// Where table names are given numbers.
    tables_file: PathBuf,
    impairment: Impairment,
    /// What holds packets back, where the impairment says so.
    delay: Option<Delay>,
}

/// The first number given to a routing table that has only a name; low ones are left to people, 253–255 are the kernel's.
const FIRST_TABLE: u32 = 1000;

impl Network {
    /// The namespace with no card set up yet; cards get these neighbour timers, or keep Linux's.
    pub fn new(neighbour: Option<NeighbourTimers>) -> Network {
        let tables_file = "/etc/iproute2/rt_tables".into();
        let (interfaces, nics, impairment) = (BTreeMap::new(), Vec::new(), Impairment::default());
        Network { interfaces, nics, neighbour, tables_file, impairment, delay: None }
    }

    /// The cards, in order of keys.
    pub fn nics(&self) -> &[NicRecord] {
        &self.nics
    }

    /// Finds the interface of each card and makes it what the card is: its hardware address, link up or down, and none of
    /// the engine's addresses. Cards that were set up before keep what the guest gave them.
    ///
    /// # Errors
    /// The first card that could not be set up; those after it are tried all the same.
    pub fn plug(&mut self, mut nics: Vec<NicRecord>) -> Result<(), NetworkError> {
        nics.sort_by_key(|nic| nic.key);
        self.interfaces.retain(|key, _| nics.iter().any(|nic| nic.key == *key));
        let mut result = Ok(());
        for nic in &nics {
            let before = self.nics.iter().find(|other| other.key == nic.key && other.segment == nic.segment);
            let done = match before {
                Some(before) if before == nic => Ok(()),
                Some(before) => self.adjust(&before.clone(), nic),
                None => self.set_up(nic),
            };
            result = result.and(done);
        }
        self.nics = nics;
        result
    }

    fn set_up(&mut self, nic: &NicRecord) -> Result<(), NetworkError> {
        let name = interface_in(nic)?;
        let state = if nic.connected { "up" } else { "down" };
        let mut commands = vec![
            format!("address flush dev {name}"),
            format!("link set dev {name} down"),
            format!("link set dev {name} address {}", nic.mac),
            format!("link set dev {name} {state}"),
        ];
        if let Some(timers) = self.neighbour {
            let NeighbourTimers { base_reachable_ms, delay_probe_ms, retrans_ms } = timers;
            commands.push(format!(
                "ntable change name arp_cache dev {name} base_reachable {base_reachable_ms} delay_probe {delay_probe_ms} \
                 retrans {retrans_ms}"
            ));
        }
        // Before the link is up: a card that is plugged into a partition must not say a word.
        batch("tc", &self.impairment.begin(&name))?;
        batch("ip", &commands)?;
        self.interfaces.insert(nic.key, name);
        Ok(())
    }

    /// Impairs every card, those too that are plugged in later. Where one of them cannot be, none is.
    ///
    /// # Errors
    /// The kernel cannot do it, or `tc` is missing.
    pub fn impair(&mut self, impairment: Impairment) -> Result<(), NetworkError> {
        if self.impairment == impairment {
            return Ok(());
        }
        let by = Duration::from_millis(impairment.delay_ms);
        let delay = (!by.is_zero()).then(|| Delay::begin(by)).transpose();
        self.delay = delay.map_err(|error| NetworkError::Run(format!("a packet socket: {error}")))?;
        let before = std::mem::replace(&mut self.impairment, impairment);
        for name in self.interfaces.values() {
            batch("tc", &before.end(name))?;
        }
        for (place, name) in self.interfaces.values().enumerate() {
            if let Err(error) = batch("tc", &impairment.begin(name)) {
                for name in self.interfaces.values().take(place + 1) {
                    // The last one may have got no further than its first command.
                    let _none = batch("tc", &impairment.end(name));
                }
                (self.impairment, self.delay) = (Impairment::default(), None);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sees whether the kernel can impair cards like this, without impairing one.
    ///
    /// # Errors
    /// It cannot, or `tc` is missing.
    pub fn try_impairment(impairment: Impairment) -> Result<(), NetworkError> {
        batch("tc", &impairment.trial())
    }

    /// Changes a card that is set up. Taking the link down for a new hardware address costs the kernel its routes, not its
    /// addresses; the routes of addresses come back with the link.
    fn adjust(&mut self, before: &NicRecord, nic: &NicRecord) -> Result<(), NetworkError> {
        let name = self.interface(nic.key)?;
        let mut commands = Vec::new();
        if before.mac != nic.mac {
            commands.push(format!("link set dev {name} down"));
            commands.push(format!("link set dev {name} address {}", nic.mac));
        }
        commands.push(format!("link set dev {name} {}", if nic.connected { "up" } else { "down" }));
        batch("ip", &commands)
    }

    fn interface(&self, nic: u32) -> Result<String, NetworkError> {
        let segment = || self.nics.iter().find(|other| other.key == nic).map_or("", |nic| &nic.segment).to_owned();
        self.interfaces.get(&nic).cloned().ok_or_else(|| NetworkError::NoInterface(segment()))
    }

    /// Gives a card an address.
    pub fn add_address(&self, nic: u32, address: IpNet) -> Result<(), NetworkError> {
        batch("ip", &[format!("address replace {address} dev {}", self.interface(nic)?)])
    }

    /// Adds an AnyIP route: the kernel takes the whole range for its own, and answers ARP for it.
    pub fn add_local_route(&self, range: IpNet) -> Result<(), NetworkError> {
        batch("ip", &[format!("route replace local {} dev lo", range.trunc())])
    }

    /// Removes one.
    pub fn remove_local_route(&self, range: IpNet) -> Result<(), NetworkError> {
        batch("ip", &[format!("route delete local {} dev lo", range.trunc())])
    }

    /// Adds a rule. The kernel puts it before the others with a priority of its own, so equal rules pile up.
    pub fn add_rule(&self, rule: &RouteRule) -> Result<(), NetworkError> {
        batch("ip", &[format!("rule add {}", self.selector(rule)?)])
    }

    /// Removes one copy of a rule.
    pub fn remove_rule(&self, rule: &RouteRule) -> Result<(), NetworkError> {
        batch("ip", &[format!("rule delete {}", self.selector(rule)?)])
    }

    fn selector(&self, rule: &RouteRule) -> Result<String, NetworkError> {
        let to = rule.to.map(|to| format!(" to {to}")).unwrap_or_default();
        Ok(format!("from {}{to} table {}", rule.from, self.table(&rule.table)?))
    }

    /// The number of a table; one that has only a name is given the next free number, in the file where `ip` looks names up.
    fn table(&self, name: &str) -> Result<u32, NetworkError> {
        let text = std::fs::read_to_string(&self.tables_file).unwrap_or_default();
        let known: Vec<(u32, &str)> = text
            .lines()
            .filter_map(|line| line.split('#').next()?.trim().split_once(char::is_whitespace))
            .filter_map(|(number, name)| Some((number.parse().ok()?, name.trim())))
            .collect();
        if let Ok(number) = name.parse() {
            return Ok(number);
        }
        if let Some((number, _)) = known.iter().find(|(_, other)| *other == name) {
            return Ok(*number);
        }
        let number = known.iter().map(|(number, _)| number + 1).max().unwrap_or(0).max(FIRST_TABLE);
        let line = if text.is_empty() || text.ends_with('\n') {
            format!("{number} {name}\n")
        } else {
            format!("\n{number} {name}\n")
        };
        std::fs::write(&self.tables_file, text + &line).map_err(|error| {
            NetworkError::Run(format!("ip: name table {name} in {}: {error}", self.tables_file.display()))
        })?;
        Ok(number)
    }

    /// Forgets what the kernel knows about a neighbour, so that the next packet asks anew who owns the address.
    pub fn forget_neighbour(address: IpAddr) -> Result<(), NetworkError> {
        batch("ip", &[format!("neighbour flush to {address}")])
    }
}

/// Runs commands of `ip` or `tc`, all in one process, stopping at the first that fails.
fn batch(program: &str, commands: &[String]) -> Result<(), NetworkError> {
    if commands.is_empty() {
        return Ok(());
    }
    let what = format!("{program} {}", commands.join("; "));
    let (ok, _, message) = run(program, &["-batch", "-"], &(commands.join("\n") + "\n"))?;
    if ok { Ok(()) } else { Err(NetworkError::Refused { what, message }) }
}

pub(crate) fn ip(arguments: &[&str]) -> Result<(bool, String, String), NetworkError> {
    run("ip", arguments, "")
}

fn run(program: &str, arguments: &[&str], stdin: &str) -> Result<(bool, String, String), NetworkError> {
    let failed = |error: std::io::Error| NetworkError::Run(format!("{program}: {error}"));
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // Commands are short: they fit into the pipe before the program says anything.
    child.stdin.take().expect("stdin is piped").write_all(stdin.as_bytes()).map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok((output.status.success(), text(output.stdout), text(output.stderr)))
}

#[derive(Deserialize)]
struct Interface {
    ifname: String,
    #[serde(default)]
    addr_info: Vec<InterfaceAddress>,
}

#[derive(Deserialize)]
struct InterfaceAddress {
    local: Option<IpAddr>,
}

/// The interface that the engine gave an address in the card's subnet.
fn interface_in(nic: &NicRecord) -> Result<String, NetworkError> {
    let arguments = ["-json", "address", "show"];
    let (ok, json, message) = ip(&arguments)?;
    let refused = |message: String| NetworkError::Refused { what: format!("ip {}", arguments.join(" ")), message };
    if !ok {
        return Err(refused(message));
    }
    let interfaces: Vec<Interface> = serde_json::from_str(&json).map_err(|error| refused(error.to_string()))?;
    let inside = |interface: &Interface| {
        interface.addr_info.iter().filter_map(|address| address.local).any(|address| nic.subnet.contains(&address))
    };
    let found = interfaces.into_iter().find(inside);
    found.map(|interface| interface.ifname).ok_or_else(|| NetworkError::NoInterface(nic.segment.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_once() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let network = Network { tables_file: directory.path().join("rt_tables"), ..Network::new(None) };
        std::fs::write(&network.tables_file, "255\tlocal\n# comment\n1200 other # why").expect("writable");
        assert_eq!(network.table("frontend"), Ok(1201));
        assert_eq!(network.table("workload"), Ok(1202));
        assert_eq!(network.table("frontend"), Ok(1201));
        assert_eq!(network.table("local"), Ok(255));
        assert_eq!(network.table("77"), Ok(77));
        let text = std::fs::read_to_string(&network.tables_file).expect("it is there");
        assert_eq!(text, "255\tlocal\n# comment\n1200 other # why\n1201 frontend\n1202 workload\n");
    }
}
