//! What each operation needs before it begins, and does when it ends.

use std::time::Duration;

use grenadier_fleet::{
    Boot, FleetEvent, Machine, MachineId, MachineSpec, Operation, OperationError, OperationId, OperationOutput, Power,
    Reconfiguration, Snapshot, SnapshotId,
};
use grenadier_guest::Input;

use crate::fidelity;
use crate::fleet::{Due, VirtualFleet};
use crate::host::HostContext;
use crate::mishap::Mishaps;
use crate::runtime::{Kernel, Memory, Runtime, SnapshotContent};

impl VirtualFleet {
    /// Checks that an operation can begin, marks its machine busy, and says how long it takes.
    pub(crate) fn begin(&mut self, operation: &Operation) -> Result<Duration, OperationError> {
        let timing = self.timing.clone();
        let (machine, length) = match operation {
            Operation::Create { spec, .. } => {
                self.check_spec(spec)?;
                return Ok(timing.create);
            }
            // Looking needs no turn: a disk can be read while the machine works. What happens by itself asks nobody.
            Operation::ReadFiles { machine }
            | Operation::ReadState { machine }
            | Operation::Suffer { machine, .. }
            | Operation::WriteFile { machine, .. } => {
                self.machine(*machine)?;
                return Ok(Duration::ZERO);
            }
            Operation::Destroy { machine } => (*machine, timing.destroy),
            Operation::PowerOn { machine } => (*machine, timing.power_on),
            Operation::PowerOff { machine } => (*machine, timing.power_off),
            Operation::ShutdownGuest { machine } => (*machine, Duration::ZERO),
            Operation::Reset { machine } => (*machine, timing.power_off + timing.power_on),
            Operation::Reconfigure { machine, .. } => (*machine, timing.reconfigure),
            Operation::WriteDisk { machine, .. } => (*machine, Duration::ZERO),
            Operation::Snapshot { machine, .. } => (*machine, timing.snapshot),
            Operation::Revert { machine, .. } => (*machine, timing.revert),
            Operation::RemoveSnapshot { machine, .. } => (*machine, timing.remove_snapshot),
        };
        let (name, power) = {
            let machine = self.machine(machine)?;
            (machine.spec.name.clone(), machine.power)
        };
        if self.runtimes[&machine].busy {
            return Err(OperationError::Busy(name));
        }
        let must_be = |wanted: Power| {
            let actual = if power == Power::On { "on" } else { "off" };
            if power == wanted { Ok(()) } else { Err(OperationError::WrongPower { machine: name.clone(), actual }) }
        };
        match operation {
            Operation::Destroy { .. } | Operation::PowerOn { .. } | Operation::WriteDisk { .. } => must_be(Power::Off)?,
            Operation::PowerOff { .. } | Operation::ShutdownGuest { .. } | Operation::Reset { .. } => {
                must_be(Power::On)?
            }
            _ => {}
        }
        match operation {
            Operation::PowerOn { .. } => self.view.admit(&self.view.machines[&machine])?,
            Operation::Reconfigure { change, .. } => self.check_change(machine, change)?,
            Operation::Revert { snapshot, .. } | Operation::RemoveSnapshot { snapshot, .. } => {
                self.snapshot(machine, *snapshot)?;
            }
            Operation::WriteDisk { disk, .. } => {
                let disks = &self.view.machines[&machine].spec.disks;
                if disks.iter().all(|other| other.key != *disk) {
                    return Err(OperationError::NotFound(format!("disk {disk} of `{name}`")));
                }
            }
            _ => {}
        }
        self.runtime(machine).busy = true;
        Ok(length)
    }

    /// An operation takes effect.
    pub(crate) fn operation_due(&mut self, id: OperationId) {
        let Some(operation) = self.pending.remove(&id) else { return };
        let looks = matches!(operation, Operation::ReadFiles { .. } | Operation::ReadState { .. });
        let result = self.perform(operation);
        self.finish(id, result);
        if !looks {
            self.owners_changed();
        }
    }

    fn perform(&mut self, operation: Operation) -> Result<OperationOutput, OperationError> {
        match operation {
            Operation::Create { id, spec } => {
                let files = self.copied.remove(&id);
                self.check_spec(&spec)?;
                self.add(id, *spec);
                if let Some(files) = files {
                    self.runtime(id).files = files;
                }
            }
            #[cfg(feature = "mutants")]
            Operation::Destroy { machine } if !self.ledger.holds(&crate::mutants::DESTROY) => {
                self.runtime(machine).busy = false;
            }
            Operation::Destroy { machine } => {
                let removed = self.view.machines.remove(&machine).ok_or(OperationError::NoSuchMachine(machine))?;
                self.runtimes.remove(&machine);
                self.events.push(FleetEvent::Destroyed { machine, name: removed.spec.name });
            }
            Operation::PowerOn { machine } => {
                self.runtime(machine).busy = false;
                self.view.admit(self.machine(machine)?)?;
                self.power_on(machine);
            }
            Operation::PowerOff { machine } => {
                self.runtime(machine).busy = false;
                self.power_off(machine);
            }
            Operation::ShutdownGuest { machine } => {
                self.runtime(machine).busy = false;
                self.tell_guest(machine, Input::Shutdown);
            }
            Operation::Reset { machine } => {
                self.runtime(machine).busy = false;
                self.power_off(machine);
                self.power_on(machine);
            }
            Operation::Reconfigure { machine, change } => {
                self.runtime(machine).busy = false;
                self.reconfigure(machine, change);
            }
            Operation::WriteDisk { machine, disk, image } => {
                let runtime = self.runtime(machine);
                runtime.busy = false;
                runtime.files.clear();
                let spec = &mut self.view.machines.get_mut(&machine).expect("checked at the beginning").spec;
                for other in spec.disks.iter_mut().filter(|other| other.key == disk) {
                    other.image = Some(image.clone());
                }
            }
            Operation::Snapshot { machine, name, description, memory } => {
                return Ok(OperationOutput::Snapshot(self.take_snapshot(machine, name, description, memory)));
            }
            Operation::Revert { machine, snapshot, suppress_power_on } => {
                self.runtime(machine).busy = false;
                self.revert(machine, snapshot, suppress_power_on)?;
            }
            Operation::RemoveSnapshot { machine, snapshot, children } => {
                self.runtime(machine).busy = false;
                self.remove_snapshot(machine, snapshot, children)?;
            }
            Operation::ReadFiles { machine } => {
                self.machine(machine)?;
                return Ok(OperationOutput::Files(self.runtimes[&machine].files.clone()));
            }
            Operation::WriteFile { machine, path, content } => {
                self.machine(machine)?;
                let files = &mut self.runtime(machine).files;
                match content {
                    Some(content) => files.insert(path, content),
                    None => files.remove(&path),
                };
            }
            Operation::Suffer { machine, mishap } => self.suffer(machine, mishap)?,
            Operation::ReadState { machine } => {
                self.machine(machine)?;
                let answers = self.runtimes.get(&machine).is_some_and(|runtime| !runtime.mishaps.paused);
                let guest = self.guests.get(&machine).filter(|_| answers).ok_or(OperationError::NoGuest)?;
                return Ok(OperationOutput::State(guest.state()));
            }
        }
        Ok(OperationOutput::Done)
    }

    fn machine(&self, id: MachineId) -> Result<&Machine, OperationError> {
        self.view.machines.get(&id).ok_or(OperationError::NoSuchMachine(id))
    }

    fn runtime(&mut self, id: MachineId) -> &mut Runtime {
        self.runtimes.get_mut(&id).expect("a machine in the view has its private side")
    }

    fn snapshot(&self, id: MachineId, snapshot: SnapshotId) -> Result<&Snapshot, OperationError> {
        let found = self.machine(id)?.snapshots.iter().find(|other| other.id == snapshot);
        found.ok_or_else(|| OperationError::NotFound(format!("snapshot {}", snapshot.0)))
    }

    fn check_spec(&self, spec: &MachineSpec) -> Result<(), OperationError> {
        if self.view.by_name(&spec.name).is_some() {
            return Err(OperationError::NameTaken(spec.name.clone()));
        }
        for nic in &spec.nics {
            if !self.view.segments.contains_key(&nic.segment) {
                return Err(OperationError::NotFound(format!("segment `{}`", nic.segment)));
            }
        }
        self.view.fits(spec)
    }

    fn check_change(&self, machine: MachineId, change: &Reconfiguration) -> Result<(), OperationError> {
        if let Some(name) = &change.name
            && self.view.by_name(name).is_some_and(|other| other.id != machine)
        {
            return Err(OperationError::NameTaken(name.clone()));
        }
        let machine = self.machine(machine)?;
        if change.hardware.is_some() && machine.power == Power::On {
            return Err(OperationError::WrongPower { machine: machine.spec.name.clone(), actual: "on" });
        }
        match change.nics.iter().find(|nic| !self.view.segments.contains_key(&nic.segment)) {
            Some(nic) => Err(OperationError::NotFound(format!("segment `{}`", nic.segment))),
            None => Ok(()),
        }
    }

    fn add(&mut self, id: MachineId, spec: MachineSpec) {
        let random = self.seed.stream("machine", &spec.name);
        let machine = Machine {
            id,
            spec,
            power: Power::Off,
            boot: Boot::Off,
            hostname: None,
            addresses: Default::default(),
            snapshots: Vec::new(),
            current_snapshot: None,
        };
        let runtime = Runtime {
            files: Default::default(),
            kernel: Kernel::default(),
            neighbours: Default::default(),
            snapshots: Default::default(),
            epoch: 0,
            busy: false,
            random,
            power: Power::Off,
            mishaps: Mishaps::default(),
            held: Vec::new(),
        };
        self.view.machines.insert(id, machine);
        self.runtimes.insert(id, runtime);
        self.events.push(FleetEvent::Created { machine: id });
    }

    fn power_on(&mut self, id: MachineId) {
        let runtime = self.runtime(id);
        runtime.epoch += 1;
        runtime.power = Power::On;
        runtime.kernel.no_address = std::mem::take(&mut runtime.mishaps.no_address);
        let slow_start = std::mem::take(&mut runtime.mishaps.slow_start);
        let epoch = runtime.epoch;
        let machine = self.view.machines.get_mut(&id).expect("it was just found");
        machine.power = Power::On;
        machine.boot = Boot::Booting;
        self.events.push(FleetEvent::PowerChanged { machine: id, power: Power::On });
        let firmware = self.timing.firmware;
        let firmware = self.about(firmware) + slow_start;
        self.push(self.now() + firmware, Due::FirstInstruction { machine: id, epoch });
    }

    /// Turns a machine off: memory, kernel state and neighbour table are gone, files stay.
    pub(crate) fn power_off(&mut self, id: MachineId) {
        let runtime = self.runtime(id);
        if runtime.power == Power::Off {
            return;
        }
        runtime.epoch += 1;
        runtime.power = Power::Off;
        runtime.kernel = Kernel::default();
        runtime.neighbours = Default::default();
        runtime.mishaps.paused = false;
        runtime.held.clear();
        self.guests.remove(&id);
        let machine = self.view.machines.get_mut(&id).expect("it was just found");
        machine.power = Power::Off;
        machine.boot = Boot::Off;
        machine.hostname = None;
        machine.addresses.clear();
        self.ledger.holds(&fidelity::HARD_POWER_OFF);
        self.events.push(FleetEvent::PowerChanged { machine: id, power: Power::Off });
        self.owners_changed();
    }

    fn reconfigure(&mut self, id: MachineId, change: Reconfiguration) {
        let spec = &mut self.view.machines.get_mut(&id).expect("checked at the beginning").spec;
        if let Some(name) = change.name {
            spec.name = name;
        }
        if let Some(hardware) = change.hardware {
            spec.hardware = hardware;
        }
        let tell_guest = !change.config.is_empty();
        for (key, value) in change.config {
            if value.is_empty() {
                spec.config.remove(&key);
            } else {
                spec.config.insert(key, value);
            }
        }
        for (key, value) in change.record {
            if value.is_null() {
                spec.record.remove(&key);
            } else {
                spec.record.insert(key, value);
            }
        }
        spec.nics.retain(|nic| !change.remove_nics.contains(&nic.key));
        for nic in change.nics {
            match spec.nics.iter_mut().find(|other| other.key == nic.key) {
                Some(other) => *other = nic,
                None => spec.nics.push(nic),
            }
        }
        // An address is gone with the card that had it, and does not come back with another card.
        let keys: Vec<u32> = spec.nics.iter().map(|nic| nic.key).collect();
        self.runtime(id).kernel.addresses.retain(|(key, _)| keys.contains(key));
        if tell_guest && self.runtimes[&id].power == Power::On {
            let epoch = self.runtimes[&id].epoch;
            self.push(self.now(), Due::GuestReconfigured { machine: id, epoch });
        }
    }

    fn take_snapshot(&mut self, id: MachineId, name: String, description: String, memory: bool) -> SnapshotId {
        self.snapshot_count += 1;
        let (number, now) = (SnapshotId(self.snapshot_count), self.now());
        let guest = self.guests.get(&id).map(|guest| guest.boxed_clone());
        let machine = self.view.machines.get_mut(&id).expect("checked at the beginning");
        let runtime = self.runtimes.get_mut(&id).expect("a machine in the view has its private side");
        runtime.busy = false;
        let holds_memory = memory && machine.power == Power::On;
        let content = SnapshotContent {
            spec: machine.spec.clone(),
            files: runtime.files.clone(),
            memory: holds_memory.then(|| Memory { guest, kernel: runtime.kernel.clone() }),
        };
        runtime.snapshots.insert(number, content);
        let snapshot = Snapshot {
            id: number,
            name: name.clone(),
            description,
            parent: machine.current_snapshot,
            taken_ns: now,
            power: machine.power,
            memory: holds_memory,
        };
        machine.snapshots.push(snapshot);
        machine.current_snapshot = Some(number);
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot: name, action: "created" });
        number
    }

    /// Hardware, configuration, records, disks and NICs come back. The name is the inventory's and stays.
    fn revert(&mut self, id: MachineId, number: SnapshotId, suppress_power_on: bool) -> Result<(), OperationError> {
        let name = self.snapshot(id, number)?.name.clone();
        let content = self.runtimes[&id].snapshots.get(&number).cloned();
        let content = content.ok_or_else(|| OperationError::NotFound(format!("snapshot {}", number.0)))?;
        self.power_off(id);
        #[cfg(feature = "mutants")]
        if !self.ledger.holds(&crate::mutants::REVERT) {
            return Ok(());
        }
        let machine = self.view.machines.get_mut(&id).expect("found above");
        let display_name = std::mem::take(&mut machine.spec.name);
        machine.spec = MachineSpec { name: display_name, ..content.spec };
        machine.current_snapshot = Some(number);
        self.runtime(id).files = content.files;
        self.events.push(FleetEvent::Snapshot { machine: id, snapshot: name, action: "reverted" });
        if let Some(memory) = content.memory.filter(|_| !suppress_power_on) {
            self.resume(id, memory);
        }
        Ok(())
    }

    /// A machine goes on where its snapshot's memory stood. Its timers start anew: it sees a jump of its clock.
    fn resume(&mut self, id: MachineId, memory: Memory) {
        let now = self.now();
        let runtime = self.runtime(id);
        runtime.epoch += 1;
        runtime.power = Power::On;
        runtime.kernel = memory.kernel;
        let (epoch, timers) = (runtime.epoch, runtime.kernel.timers.clone());
        let machine = self.view.machines.get_mut(&id).expect("found by the caller");
        machine.power = Power::On;
        machine.boot = Boot::Up;
        self.guests.extend(memory.guest.map(|guest| (id, guest)));
        self.events.push(FleetEvent::PowerChanged { machine: id, power: Power::On });
        for (key, generation) in timers {
            self.push(now, Due::GuestTimer { machine: id, epoch, key, generation });
        }
    }

    fn remove_snapshot(&mut self, id: MachineId, number: SnapshotId, children: bool) -> Result<(), OperationError> {
        let removed = self.snapshot(id, number)?.clone();
        let machine = self.view.machines.get_mut(&id).expect("found above");
        let mut gone = vec![removed];
        if children {
            // Snapshots are listed oldest first, so parents come before their children.
            for snapshot in &machine.snapshots {
                if gone.iter().any(|parent| snapshot.parent == Some(parent.id)) {
                    gone.push(snapshot.clone());
                }
            }
        }
        for snapshot in gone {
            machine.snapshots.retain(|other| other.id != snapshot.id);
            for other in machine.snapshots.iter_mut().filter(|other| other.parent == Some(snapshot.id)) {
                other.parent = snapshot.parent;
            }
            if machine.current_snapshot == Some(snapshot.id) {
                machine.current_snapshot = snapshot.parent;
            }
            self.runtimes.get_mut(&id).expect("found above").snapshots.remove(&snapshot.id);
            self.events.push(FleetEvent::Snapshot { machine: id, snapshot: snapshot.name, action: "removed" });
        }
        Ok(())
    }

    /// Gives a guest an input; whether there was a guest to take it.
    pub(crate) fn tell_guest(&mut self, id: MachineId, input: Input) -> bool {
        if let Some(runtime) = self.runtimes.get_mut(&id).filter(|runtime| runtime.mishaps.paused) {
            let epoch = runtime.epoch;
            runtime.held.push(Due::GuestInput { machine: id, epoch, input: Box::new(input) });
            return self.guests.contains_key(&id);
        }
        let Some(mut guest) = self.guests.remove(&id) else { return false };
        let epoch = self.runtimes[&id].epoch;
        guest.handle(input, &mut HostContext { fleet: self, machine: id });
        // The guest may have turned its machine off; then its memory is gone with it.
        if self.runtimes.get(&id).is_some_and(|runtime| runtime.epoch == epoch) {
            self.guests.insert(id, guest);
        }
        true
    }
}
