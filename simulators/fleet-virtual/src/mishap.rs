//! What happens to machines without anybody asking for it, and what follows from it.

use std::time::Duration;

use grenadier_fleet::{MachineId, Mishap, OperationError, Power};

use crate::fleet::{Due, VirtualFleet};

/// What has happened to a machine and still counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Mishaps {
    /// It does not boot the next time.
    pub boot_fails: bool,
    /// It gets no address the next time it boots.
    pub no_address: bool,
    /// Its disk has no room left.
    pub disk_full: bool,
    /// Its next boot takes this much longer.
    pub slow_start: Duration,
    /// It stands still, for the rest of this life at most.
    pub paused: bool,
    /// No packet comes in or goes out.
    pub partitioned: bool,
    /// What it is sent comes this much later.
    pub delay: Duration,
    /// The share of packets that is lost in either direction, in percent.
    pub loss: u8,
}

impl Mishaps {
    /// Whether nothing of the machine reaches anybody.
    pub(crate) fn is_silent(self) -> bool {
        self.partitioned || self.paused
    }
}

impl VirtualFleet {
    /// Something happens to a machine.
    pub(crate) fn suffer(&mut self, id: MachineId, mishap: Mishap) -> Result<(), OperationError> {
        let machine = self.view.machines.get(&id).ok_or(OperationError::NoSuchMachine(id))?;
        let (power, name) = (machine.power, machine.spec.name.clone());
        if matches!(mishap, Mishap::Crash | Mishap::Pause) && power == Power::Off {
            return Err(OperationError::WrongPower { machine: name, actual: "off" });
        }
        let now = self.now();
        let runtime = self.runtimes.get_mut(&id).expect("a machine in the view has its private side");
        let mishaps = &mut runtime.mishaps;
        match mishap {
            Mishap::Crash => self.power_off(id),
            Mishap::BootFails => mishaps.boot_fails = true,
            Mishap::NoAddress => mishaps.no_address = true,
            Mishap::DiskFull => mishaps.disk_full = true,
            Mishap::SlowStart(length) => mishaps.slow_start = length,
            Mishap::Pause => mishaps.paused = true,
            Mishap::Resume => {
                mishaps.paused = false;
                for due in std::mem::take(&mut runtime.held) {
                    self.push(now, due);
                }
            }
            Mishap::Partition => mishaps.partitioned = true,
            Mishap::Repair => mishaps.partitioned = false,
            Mishap::Delay(length) => mishaps.delay = length,
            Mishap::Loss(percent) => mishaps.loss = percent,
        }
        Ok(())
    }

    /// What a machine that stands still would do next, kept until it goes on; what anybody else does comes back.
    pub(crate) fn hold(&mut self, due: Due) -> Option<Due> {
        let (Due::FirstInstruction { machine, epoch }
        | Due::GuestTimer { machine, epoch, .. }
        | Due::GuestReconfigured { machine, epoch }
        | Due::GuestInput { machine, epoch, .. }) = &due
        else {
            return Some(due);
        };
        match self.runtimes.get_mut(machine) {
            Some(runtime) if runtime.epoch == *epoch && runtime.mishaps.paused => {
                runtime.held.push(due);
                None
            }
            _ => Some(due),
        }
    }

    /// Whether packets of a machine arrive nowhere, and nobody's arrive there.
    pub(crate) fn is_cut_off(&self, id: MachineId) -> bool {
        self.runtimes.get(&id).is_some_and(|runtime| runtime.mishaps.is_silent())
    }
}
