//! What operations change in the view.

use std::collections::BTreeMap;
use std::sync::Arc;

use grenadier_fleet::{
    Boot, FleetEvent, Machine, MachineId, MachineSpec, Operation, OperationError, OperationOutput, Power, ProberState,
    Reconfiguration, Snapshot, SnapshotId, WatchId,
};

use crate::admission::check;
use crate::fleet::{DockerFleet, Private, SnapshotContent};
use crate::shared::Change;
use crate::worker::nics_after;

impl DockerFleet {
    /// Applies what an operation changed; the output that only this side can give.
    pub(crate) fn change(&mut self, id: MachineId, change: Change) -> Result<Option<OperationOutput>, OperationError> {
        match change {
            Change::None => {}
            Change::Created(spec) => {
                // Another machine may have been given the name since the operation was submitted.
                check(&self.view, &Operation::Create { id, spec: spec.clone() })?;
                self.add(id, *spec);
            }
            Change::Destroyed => {
                let machine = self.view.machines.remove(&id).ok_or(OperationError::NoSuchMachine(id))?;
                self.machines.remove(&id);
                self.events.push(FleetEvent::Destroyed { machine: id, name: machine.spec.name });
            }
            Change::Power { power: Power::On, epoch } => self.on(id, epoch)?,
            Change::Power { power: Power::Off, .. } => self.off(id),
            Change::Reset { epoch } => {
                self.off(id);
                self.on(id, epoch)?;
            }
            Change::Reconfigured(change) => reconfigure(self.machine(id)?, *change),
            Change::DiskWritten { disk, image } => {
                for other in self.machine(id)?.spec.disks.iter_mut().filter(|other| other.key == disk) {
                    other.image = Some(Arc::clone(&image));
                }
            }
            Change::SnapshotTaken { name, description, image } => {
                return self.snapshot_taken(id, name, description, image).map(Some);
            }
            Change::Reverted { snapshot } => self.reverted(id, snapshot)?,
            Change::Silence(silence) => self.claims.silence(id, silence),
            Change::SnapshotsRemoved(gone) => {
                for snapshot in gone {
                    self.snapshot_removed(id, snapshot)?;
                }
            }
        }
        Ok(None)
    }

    fn add(&mut self, id: MachineId, spec: MachineSpec) {
        let machine = Machine {
            id,
            spec,
            power: Power::Off,
            boot: Boot::Off,
            hostname: None,
            addresses: BTreeMap::new(),
            snapshots: Vec::new(),
            current_snapshot: None,
        };
        self.view.machines.insert(id, machine);
        self.machines.insert(id, Private::default());
        self.events.push(FleetEvent::Created { machine: id });
    }

    fn on(&mut self, id: MachineId, epoch: u64) -> Result<(), OperationError> {
        let machine = self.machine(id)?;
        machine.power = Power::On;
        machine.boot = Boot::Booting;
        self.machines.get_mut(&id).expect("a machine in the view has its private side").epoch = epoch;
        self.events.push(FleetEvent::PowerChanged { machine: id, power: Power::On });
        let watches: Vec<WatchId> =
            self.watches.iter().filter(|(_, watching)| watching.watch.client == id).map(|(watch, _)| *watch).collect();
        for watch in watches {
            self.look(watch);
        }
        Ok(())
    }

    pub(crate) fn off(&mut self, id: MachineId) {
        let Some(machine) = self.view.machines.get_mut(&id).filter(|machine| machine.power == Power::On) else {
            return;
        };
        machine.power = Power::Off;
        machine.boot = Boot::Off;
        machine.hostname = None;
        machine.addresses.clear();
        self.claims.off(id);
        self.events.push(FleetEvent::PowerChanged { machine: id, power: Power::Off });
        for (watch, watching) in self.watches.iter_mut().filter(|(_, watching)| watching.watch.client == id) {
            if let Some(at_ns) = watching.heard.take() {
                let reason = Some("the prober was lost with its machine".to_owned());
                let now = ProberState::Stopped { at_ns, reason, figures: None };
                self.events.push(FleetEvent::Prober { watch: *watch, now });
            }
        }
        self.watches.retain(|_, watching| watching.watch.client != id || !watching.is_ending);
    }

    fn snapshot_taken(
        &mut self,
        id: MachineId,
        name: String,
        description: String,
        image: Option<String>,
    ) -> Result<OperationOutput, OperationError> {
        self.snapshot_count += 1;
        let (number, taken_ns) = (SnapshotId(self.snapshot_count), self.shared.clock.now());
        let machine = self.machine(id)?;
        let (parent, power) = (machine.current_snapshot, machine.power);
        let content = SnapshotContent { spec: machine.spec.clone(), image };
        machine.snapshots.push(Snapshot {
            id: number,
            name: name.clone(),
            description,
            parent,
            taken_ns,
            power,
            memory: false,
        });
        machine.current_snapshot = Some(number);
        self.machines
            .get_mut(&id)
            .expect("a machine in the view has its private side")
            .snapshots
            .insert(number, content);
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot: name, action: "created" });
        Ok(OperationOutput::Snapshot(number))
    }

    /// Hardware, configuration, records, disks and NICs come back. The name is the inventory's and stays.
    fn reverted(&mut self, id: MachineId, number: SnapshotId) -> Result<(), OperationError> {
        self.off(id);
        let missing = || OperationError::NotFound(format!("snapshot {}", number.0));
        let content = self.machines.get(&id).and_then(|private| private.snapshots.get(&number));
        let spec = content.ok_or_else(missing)?.spec.clone();
        let machine = self.machine(id)?;
        let display_name = std::mem::take(&mut machine.spec.name);
        machine.spec = MachineSpec { name: display_name, ..spec };
        machine.current_snapshot = Some(number);
        let snapshot =
            machine.snapshots.iter().find(|snapshot| snapshot.id == number).ok_or_else(missing)?.name.clone();
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot, action: "reverted" });
        Ok(())
    }

    fn snapshot_removed(&mut self, id: MachineId, number: SnapshotId) -> Result<(), OperationError> {
        let machine = self.machine(id)?;
        let missing = || OperationError::NotFound(format!("snapshot {}", number.0));
        let index = machine.snapshots.iter().position(|snapshot| snapshot.id == number).ok_or_else(missing)?;
        let gone = machine.snapshots.remove(index);
        for other in machine.snapshots.iter_mut().filter(|other| other.parent == Some(number)) {
            other.parent = gone.parent;
        }
        if machine.current_snapshot == Some(number) {
            machine.current_snapshot = gone.parent;
        }
        if let Some(private) = self.machines.get_mut(&id) {
            private.snapshots.remove(&number);
        }
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot: gone.name, action: "removed" });
        Ok(())
    }
}

fn reconfigure(machine: &mut Machine, change: Reconfiguration) {
    machine.spec.nics = nics_after(machine, &change);
    let spec = &mut machine.spec;
    if let Some(name) = change.name {
        spec.name = name;
    }
    if let Some(hardware) = change.hardware {
        spec.hardware = hardware;
    }
    for (key, value) in change.config {
        set(&mut spec.config, key, value);
    }
    for (key, value) in change.record {
        if value.is_null() {
            spec.record.remove(&key);
        } else {
            spec.record.insert(key, value);
        }
    }
}

/// Sets a configuration key; an empty value removes it.
pub(crate) fn set(config: &mut BTreeMap<String, String>, key: String, value: String) {
    if value.is_empty() {
        config.remove(&key);
    } else {
        config.insert(key, value);
    }
}
