//! What a machine is beyond the contract: its storage and the volatile state a power-off loses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use grenadier_clock::Stream;
use grenadier_fleet::{MachineSpec, Power, SnapshotId};
use grenadier_guest::{Guest, Listener, RouteRule, TimerKey};
use ipnet::IpNet;

use crate::fleet::Due;
use crate::mishap::Mishaps;
use crate::neighbour::NeighbourTable;

/// Kernel state: gone at power-off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kernel {
    pub addresses: Vec<(u32, IpNet)>,
    pub local_routes: Vec<IpNet>,
    pub rules: Vec<RouteRule>,
    /// Listeners with the generation in which each began: a listener that was closed and opened again broke connections.
    pub listeners: Vec<(Listener, u64)>,
    /// The generation of the timer that counts, by name.
    pub timers: BTreeMap<TimerKey, u64>,
    /// No address takes effect.
    pub no_address: bool,
}

impl Kernel {
    pub(crate) fn is_local(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|(_, own)| own.addr() == address)
            || self.local_routes.iter().any(|range| range.contains(&address))
    }

    pub(crate) fn listener(&self, address: IpAddr, port: u16) -> Option<&(Listener, u64)> {
        let on_port = |(listener, _): &&(Listener, u64)| listener.port == port;
        // The kernel prefers a socket bound to the address over one bound to any.
        self.listeners
            .iter()
            .filter(on_port)
            .find(|(listener, _)| listener.address == Some(address))
            .or_else(|| self.listeners.iter().filter(on_port).find(|(listener, _)| listener.address.is_none()))
    }
}

/// What a snapshot holds beside its entry in the contract.
#[derive(Clone)]
pub(crate) struct SnapshotContent {
    pub spec: MachineSpec,
    pub files: BTreeMap<String, Bytes>,
    pub memory: Option<Memory>,
}

/// Memory and kernel state of a running machine.
pub(crate) struct Memory {
    pub guest: Option<Box<dyn Guest>>,
    pub kernel: Kernel,
}

impl Clone for Memory {
    fn clone(&self) -> Memory {
        Memory { guest: self.guest.as_ref().map(|guest| guest.boxed_clone()), kernel: self.kernel.clone() }
    }
}

/// One machine's private side.
pub(crate) struct Runtime {
    /// The disk's files; they outlive power.
    pub files: BTreeMap<String, Bytes>,
    pub kernel: Kernel,
    pub neighbours: NeighbourTable,
    pub snapshots: BTreeMap<SnapshotId, SnapshotContent>,
    /// Counts power-ons: what was sent to an earlier life does not arrive.
    pub epoch: u64,
    /// The operation in progress, if any.
    pub busy: bool,
    pub random: Stream,
    pub power: Power,
    pub mishaps: Mishaps,
    /// What it would have done while it stood still.
    pub held: Vec<Due>,
}
