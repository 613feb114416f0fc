//! A small fleet in memory and a host, for the tests of simulators and clients.
//!
//! Machines have no guests: one that is on is up at once and tells its name. What the contract promises of power, records,
//! disks and snapshots holds; segments, addresses and watches are not there.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use grenadier_clock::Time;
use grenadier_events::Kind;
use grenadier_fleet::{
    Boot, Cloud, CloudHost, Fleet, FleetEvent, FleetView, Host, Machine, MachineId, MachineSpec, Operation,
    OperationError, OperationId, OperationOutput, Power, Reconfiguration, Snapshot, SnapshotId, Watch, WatchId,
};
use grenadier_wire::ReplyTo;

/// The descriptor of a small appliance: two cards or three by deployment option, one disk, a few properties.
pub const APPLIANCE_OVF: &str = include_str!("../tests/appliance.ovf");

/// What is set aside for a snapshot.
type Kept = (MachineSpec, Power);

/// A fleet in memory.
#[derive(Debug)]
pub struct MemoryFleet {
    view: FleetView,
    events: Vec<FleetEvent>,
    pending: BTreeMap<(Time, u64), Operation>,
    kept: BTreeMap<SnapshotId, Kept>,
    now: Time,
    last_operation: u64,
    last_machine: u32,
    last_snapshot: u32,
    /// How long every operation takes.
    pub latency: Duration,
    /// The next operation fails with this instead of taking effect.
    pub next_error: Option<OperationError>,
}

impl MemoryFleet {
    /// An empty fleet on a host.
    pub fn new(host: Host) -> MemoryFleet {
        MemoryFleet {
            view: FleetView { host, segments: BTreeMap::new(), machines: BTreeMap::new() },
            events: Vec::new(),
            pending: BTreeMap::new(),
            kept: BTreeMap::new(),
            now: Time::ZERO,
            last_operation: 0,
            last_machine: 0,
            last_snapshot: 0,
            latency: Duration::from_millis(100),
            next_error: None,
        }
    }

    /// When the next operation ends.
    pub fn next_at(&self) -> Option<Time> {
        self.pending.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets time pass; operations whose time has come take effect and tell their end.
    pub fn advance(&mut self, now: Time) {
        while let Some(((at, id), _)) = self.pending.first_key_value().filter(|((at, _), _)| *at <= now) {
            let key = (*at, *id);
            self.now = key.0;
            let operation = self.pending.remove(&key).expect("it was just seen");
            let result = match self.next_error.take() {
                Some(error) => Err(error),
                None => self.apply(operation),
            };
            self.events.push(FleetEvent::OperationFinished { id: OperationId(key.1), result });
        }
        self.now = self.now.max(now);
    }

    fn machine(&mut self, id: MachineId) -> Result<&mut Machine, OperationError> {
        self.view.machines.get_mut(&id).ok_or(OperationError::NoSuchMachine(id))
    }

    fn set_power(&mut self, id: MachineId, power: Power) -> Result<(), OperationError> {
        let machine = self.machine(id)?;
        if machine.power == power {
            return Ok(());
        }
        machine.power = power;
        let on = power == Power::On;
        machine.boot = if on { Boot::Up } else { Boot::Off };
        machine.hostname = on.then(|| machine.spec.name.clone());
        machine.addresses.clear();
        if on {
            for (last, nic) in (10..).zip(&machine.spec.nics) {
                machine.addresses.insert(nic.key, vec![IpAddr::from([198, 18, 0, last])]);
            }
        }
        self.events.push(FleetEvent::PowerChanged { machine: id, power });
        Ok(())
    }

    fn need_power(&mut self, id: MachineId, power: Power) -> Result<(), OperationError> {
        let machine = self.machine(id)?;
        if machine.power == power {
            return Ok(());
        }
        let actual = if machine.power == Power::On { "on" } else { "off" };
        Err(OperationError::WrongPower { machine: machine.spec.name.clone(), actual })
    }

    fn apply(&mut self, operation: Operation) -> Result<OperationOutput, OperationError> {
        match operation {
            Operation::Create { id, spec } => {
                self.view.fits(&spec)?;
                if self.view.by_name(&spec.name).is_some() {
                    return Err(OperationError::NameTaken(spec.name));
                }
                let machine = Machine {
                    id,
                    spec: *spec,
                    power: Power::Off,
                    boot: Boot::Off,
                    hostname: None,
                    addresses: BTreeMap::new(),
                    snapshots: Vec::new(),
                    current_snapshot: None,
                };
                self.view.machines.insert(id, machine);
                self.events.push(FleetEvent::Created { machine: id });
            }
            Operation::Destroy { machine } => {
                self.need_power(machine, Power::Off)?;
                let name = self.view.machines.remove(&machine).map(|gone| gone.spec.name).unwrap_or_default();
                self.events.push(FleetEvent::Destroyed { machine, name });
            }
            Operation::PowerOn { machine } => {
                self.need_power(machine, Power::Off)?;
                self.view.admit(&self.view.machines[&machine])?;
                self.set_power(machine, Power::On)?;
            }
            Operation::PowerOff { machine } | Operation::ShutdownGuest { machine } => {
                self.need_power(machine, Power::On)?;
                self.set_power(machine, Power::Off)?;
            }
            Operation::Reset { machine } => {
                self.need_power(machine, Power::On)?;
                self.set_power(machine, Power::Off)?;
                self.set_power(machine, Power::On)?;
            }
            Operation::Reconfigure { machine, change } => self.reconfigure(machine, change)?,
            Operation::WriteDisk { machine, disk, image } => {
                let disks = &mut self.machine(machine)?.spec.disks;
                let found = disks.iter_mut().find(|own| own.key == disk);
                found.ok_or_else(|| OperationError::NotFound(format!("disk {disk}")))?.image = Some(image);
            }
            Operation::Snapshot { machine, name, description, memory } => {
                self.last_snapshot += 1;
                let (id, taken_ns) = (SnapshotId(self.last_snapshot), self.now);
                let machine = self.machine(machine)?;
                let power = machine.power;
                let parent = machine.current_snapshot;
                machine.snapshots.push(Snapshot { id, name, description, parent, taken_ns, power, memory });
                machine.current_snapshot = Some(id);
                let kept = (machine.spec.clone(), if memory { power } else { Power::Off });
                self.kept.insert(id, kept);
                return Ok(OperationOutput::Snapshot(id));
            }
            Operation::Revert { machine, snapshot, suppress_power_on } => {
                let (spec, power) = self.kept.get(&snapshot).cloned().ok_or_else(|| not_found(snapshot))?;
                self.set_power(machine, Power::Off)?;
                let own = self.machine(machine)?;
                // The name is the inventory's and stays.
                own.spec = MachineSpec { name: std::mem::take(&mut own.spec.name), ..spec };
                own.current_snapshot = Some(snapshot);
                if power == Power::On && !suppress_power_on {
                    self.set_power(machine, Power::On)?;
                }
            }
            Operation::RemoveSnapshot { machine, snapshot, children } => {
                let machine = self.machine(machine)?;
                let gone =
                    machine.snapshots.iter().find(|own| own.id == snapshot).ok_or_else(|| not_found(snapshot))?;
                let parent = gone.parent;
                let mut ids = vec![snapshot];
                if children {
                    while let Some(next) = machine
                        .snapshots
                        .iter()
                        .find(|own| !ids.contains(&own.id) && own.parent.is_some_and(|parent| ids.contains(&parent)))
                    {
                        ids.push(next.id);
                    }
                }
                machine.snapshots.retain(|own| !ids.contains(&own.id));
                for own in machine.snapshots.iter_mut().filter(|own| own.parent == Some(snapshot)) {
                    own.parent = parent;
                }
                if machine.current_snapshot.is_some_and(|current| ids.contains(&current)) {
                    machine.current_snapshot = parent;
                }
            }
            Operation::ReadFiles { .. }
            | Operation::WriteFile { .. }
            | Operation::Suffer { .. }
            | Operation::ReadState { .. } => {
                return Err(OperationError::Unsupported("read or write guests".into()));
            }
        }
        Ok(OperationOutput::Done)
    }

    fn reconfigure(&mut self, id: MachineId, change: Reconfiguration) -> Result<(), OperationError> {
        if let Some(name) = &change.name
            && self.view.by_name(name).is_some_and(|other| other.id != id)
        {
            return Err(OperationError::NameTaken(name.clone()));
        }
        let spec = &mut self.machine(id)?.spec;
        spec.name = change.name.unwrap_or_else(|| std::mem::take(&mut spec.name));
        spec.hardware = change.hardware.unwrap_or(spec.hardware);
        for (key, value) in change.config {
            if value.is_empty() {
                spec.config.remove(&key)
            } else {
                spec.config.insert(key, value)
            };
        }
        for (key, value) in change.record {
            if value.is_null() {
                spec.record.remove(&key)
            } else {
                spec.record.insert(key, value)
            };
        }
        spec.nics.retain(|nic| !change.remove_nics.contains(&nic.key));
        for nic in change.nics {
            match spec.nics.iter_mut().find(|own| own.key == nic.key) {
                Some(own) => *own = nic,
                None => spec.nics.push(nic),
            }
        }
        Ok(())
    }
}

fn not_found(snapshot: SnapshotId) -> OperationError {
    OperationError::NotFound(format!("snapshot {}", snapshot.0))
}

impl Fleet for MemoryFleet {
    fn submit(&mut self, operation: Operation) -> OperationId {
        self.last_operation += 1;
        self.pending.insert((self.now + self.latency, self.last_operation), operation);
        OperationId(self.last_operation)
    }

    fn submit_create(&mut self, spec: MachineSpec) -> (MachineId, OperationId) {
        self.last_machine += 1;
        let id = MachineId(self.last_machine);
        (id, self.submit(Operation::Create { id, spec: Box::new(spec) }))
    }

    fn view(&self) -> &FleetView {
        &self.view
    }

    fn watch(&mut self, _: Watch) -> WatchId {
        WatchId(0)
    }

    fn unwatch(&mut self, _: WatchId) {}

    fn take_events(&mut self) -> Vec<FleetEvent> {
        std::mem::take(&mut self.events)
    }
}

/// A host with a fleet in memory that keeps what a cloud does in public fields.
#[derive(Debug)]
pub struct MemoryHost {
    /// The fleet.
    pub fleet: MemoryFleet,
    /// The present moment.
    pub now: Time,
    /// Timers: when, in which order they were set, and their key.
    pub timers: BTreeMap<(Time, u64), u64>,
    /// Answers given and not yet taken out.
    pub replies: BTreeMap<ReplyTo, http::Response<Bytes>>,
    /// Events emitted.
    pub events: Vec<Kind>,
    last_timer: u64,
}

impl MemoryHost {
    /// A host at time zero.
    pub fn new(fleet: MemoryFleet) -> MemoryHost {
        let (timers, replies) = (BTreeMap::new(), BTreeMap::new());
        MemoryHost { fleet, now: Time::ZERO, timers, replies, events: Vec::new(), last_timer: 0 }
    }

    /// When the next timer goes off or the next operation ends.
    pub fn next_at(&self) -> Option<Time> {
        let timer = self.timers.first_key_value().map(|((at, _), _)| *at);
        timer.into_iter().chain(self.fleet.next_at()).min()
    }

    /// Moves the time to `now`, with everything that happens until then, in order.
    pub fn advance(&mut self, cloud: &mut dyn Cloud, now: Time) {
        loop {
            self.deliver(cloud);
            let Some(at) = self.next_at().filter(|at| *at <= now) else { break };
            self.now = self.now.max(at);
            let timer = self.timers.first_key_value().map(|(key, _)| *key).filter(|(due, _)| *due <= at);
            if let Some(key) = timer.and_then(|key| self.timers.remove(&key)) {
                cloud.timer(key, self);
            } else {
                self.fleet.advance(at);
            }
        }
        self.now = self.now.max(now);
        self.fleet.advance(now);
        self.deliver(cloud);
    }

    fn deliver(&mut self, cloud: &mut dyn Cloud) {
        loop {
            let events = self.fleet.take_events();
            if events.is_empty() {
                break;
            }
            for event in events {
                cloud.fleet_event(&event, self);
            }
        }
    }
}

impl CloudHost for MemoryHost {
    fn now(&self) -> Time {
        self.now
    }

    fn fleet(&mut self) -> &mut dyn Fleet {
        &mut self.fleet
    }

    fn timer(&mut self, key: u64, after: Duration) {
        self.last_timer += 1;
        self.timers.insert((self.now + after, self.last_timer), key);
    }

    fn reply(&mut self, to: ReplyTo, response: http::Response<Bytes>) {
        self.replies.insert(to, response);
    }

    fn emit(&mut self, kind: Kind) {
        self.events.push(kind);
    }
}
