//! What a fleet tells.

use std::net::IpAddr;

use grenadier_clock::Time;
use ipnet::IpNet;

use crate::{
    MachineId, Observation, OperationError, OperationId, OperationOutput, Power, ProberState, SegmentId, WatchId,
};

/// What happened in a fleet, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum FleetEvent {
    /// An operation ended.
    OperationFinished {
        /// Which.
        id: OperationId,
        /// What it gave.
        result: Result<OperationOutput, OperationError>,
    },
    /// A machine exists now.
    Created {
        /// Which.
        machine: MachineId,
    },
    /// A machine is gone.
    Destroyed {
        /// Which.
        machine: MachineId,
        /// What it was called.
        name: String,
    },
    /// A machine went on or off, by an operation or by itself.
    PowerChanged {
        /// Which.
        machine: MachineId,
        /// Now.
        power: Power,
    },
    /// A snapshot was taken, reverted to or removed.
    Snapshot {
        /// Which machine.
        machine: MachineId,
        /// The snapshot's name.
        snapshot: String,
        /// `created`, `reverted` or `removed`.
        action: &'static str,
    },
    /// A guest told something.
    Guest {
        /// Which machine.
        machine: MachineId,
        /// What.
        report: GuestReport,
    },
    /// The machines that answer ARP for an address or range changed.
    AddressOwners {
        /// Where.
        segment: SegmentId,
        /// The address or range, as it is claimed.
        address: IpNet,
        /// Who answers, in order of id; more than one is a fight.
        owners: Vec<MachineId>,
    },
    /// A client's neighbour (ARP) entry changed.
    Neighbour {
        /// Whose entry.
        client: MachineId,
        /// For which address.
        address: IpAddr,
        /// Who it leads to now; none where nobody answered.
        owner: Option<MachineId>,
    },
    /// What a watch sees changed.
    Watch {
        /// Which.
        watch: WatchId,
        /// Not before this.
        earliest: Time,
        /// Not after this. Equal to `earliest` where the fleet knows.
        latest: Time,
        /// What it sees from then on.
        observation: Observation,
    },
    /// What the prober behind a watch tells of itself.
    Prober {
        /// Which watch.
        watch: WatchId,
        /// What it tells.
        now: ProberState,
    },
}

/// What a guest tells of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum GuestReport {
    /// It is up: its own services were started.
    Up,
    /// It could not start.
    BootFailed(String),
    /// Its tools tell its name and its own addresses by NIC key.
    Tools {
        /// Host name.
        hostname: String,
        /// Addresses by NIC key.
        addresses: Vec<(u32, Vec<IpAddr>)>,
    },
    /// A service changed its state.
    Service {
        /// Which.
        service: String,
        /// `starting`, `running`, `reloaded`, `failed`, `stopped`.
        state: String,
        /// More about it.
        detail: String,
    },
    /// A line in a service's log.
    Log {
        /// Which service.
        service: String,
        /// The line.
        line: String,
    },
    /// An operator tried to program its routes.
    Operator {
        /// Its cluster.
        cluster: String,
        /// `programmed`, `in-sync`, `retrying`.
        state: String,
        /// Attempts since it last succeeded.
        attempt: u32,
        /// More about it.
        detail: String,
    },
    /// It changed a configuration key (guestinfo).
    Config {
        /// Which.
        key: String,
    },
}
