//! The contract itself.

use std::collections::BTreeMap;

use grenadier_wire::ShellExchange;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{
    FleetEvent, Machine, MachineId, MachineSpec, Operation, OperationError, OperationId, Power, SegmentId, SnapshotId,
    Watch, WatchId,
};

/// A segment: one layer-2 network with one subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSpec {
    /// Its name.
    pub name: SegmentId,
    /// Its subnet.
    pub subnet: IpNet,
}

/// The host that carries a cloud's machines, and what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Processor cores.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Storage in MiB.
    pub storage_mib: u64,
}

/// A fleet as it was last seen.
#[derive(Clone, Debug)]
pub struct FleetView {
    /// What the host has.
    pub host: Host,
    /// The segments by name.
    pub segments: BTreeMap<SegmentId, SegmentSpec>,
    /// The machines.
    pub machines: BTreeMap<MachineId, Machine>,
}

impl FleetView {
    /// The machine called `name`.
    pub fn by_name(&self, name: &str) -> Option<&Machine> {
        self.machines.values().find(|machine| machine.spec.name == name)
    }

    /// What the hosted machines that are on use, and the storage of all: `(cpus, memory_mib, storage_mib)`.
    pub fn used(&self) -> Host {
        let mut used = Host { cpus: 0, memory_mib: 0, storage_mib: 0 };
        for machine in self.machines.values().filter(|machine| machine.spec.hosted) {
            if machine.power == Power::On {
                used.cpus += machine.spec.hardware.cpus;
                used.memory_mib += machine.spec.hardware.memory_mib;
            }
            used.storage_mib += machine.spec.disks.iter().map(|disk| disk.capacity_mib).sum::<u64>();
        }
        used
    }

    /// Whether the host can turn on a machine of this size beside those that are on. Nothing is overcommitted: the sum of
    /// processors stays within the cores, the sum of memory within the memory.
    pub fn admit(&self, machine: &Machine) -> Result<(), OperationError> {
        if !machine.spec.hosted {
            return Ok(());
        }
        let used = self.used();
        let insufficient = |resource, wanted: u64, free: u64| {
            if wanted > free { Err(OperationError::Insufficient { resource, wanted, free }) } else { Ok(()) }
        };
        let hardware = machine.spec.hardware;
        insufficient("cpus", hardware.cpus.into(), self.host.cpus.saturating_sub(used.cpus).into())?;
        insufficient("memory_mib", hardware.memory_mib, self.host.memory_mib.saturating_sub(used.memory_mib))
    }

    /// Whether the host's storage holds the disks of `spec` beside those it has.
    pub fn fits(&self, spec: &MachineSpec) -> Result<(), OperationError> {
        let wanted = spec.disks.iter().map(|disk| disk.capacity_mib).sum();
        let free = self.host.storage_mib.saturating_sub(self.used().storage_mib);
        if spec.hosted && wanted > free {
            return Err(OperationError::Insufficient { resource: "storage_mib", wanted, free });
        }
        Ok(())
    }
}

/// Machines, segments, addresses, disks and snapshots of a world.
///
/// Synchronous on purpose: a submitted operation ends later, with an event. Whoever hosts the fleet takes its events after
/// everything that may have caused some and hands them to all who listen.
pub trait Fleet {
    /// Begins an operation.
    fn submit(&mut self, operation: Operation) -> OperationId;

    /// Begins to make a machine and tells its id at once.
    fn submit_create(&mut self, spec: MachineSpec) -> (MachineId, OperationId);

    /// Begins to make a machine whose disks hold what those of `source` hold now, or held in one of its snapshots. A fleet
    /// that cannot copy files copies the images that the disks were made from.
    fn submit_clone(
        &mut self,
        spec: MachineSpec,
        source: MachineId,
        snapshot: Option<SnapshotId>,
    ) -> (MachineId, OperationId) {
        let _ = (source, snapshot);
        self.submit_create(spec)
    }

    /// Begins to run a command in a machine's shell, as its own agent does; ends with `OperationOutput::Shell`. None where
    /// this fleet does not reach guests so.
    fn submit_shell(&mut self, machine: MachineId, command: ShellExchange) -> Option<OperationId> {
        let _ = (machine, command);
        None
    }

    /// The fleet as it was last seen.
    fn view(&self) -> &FleetView;

    /// Starts to look at a target.
    fn watch(&mut self, watch: Watch) -> WatchId;

    /// Stops to.
    fn unwatch(&mut self, watch: WatchId);

    /// What happened since the last call, in order.
    fn take_events(&mut self) -> Vec<FleetEvent>;
}
