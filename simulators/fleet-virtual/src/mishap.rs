//! What happens to machines without anybody asking for it, and what follows from it.

use grenadier_fleet::{MachineId, Mishap, OperationError, Power};

use crate::fleet::VirtualFleet;

/// What has happened to a machine and still counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Mishaps {
    /// It does not boot the next time.
    pub boot_fails: bool,
    /// It gets no address the next time it boots.
    pub no_address: bool,
    /// Its disk has no room left.
    pub disk_full: bool,
    /// No packet comes in or goes out.
    pub partitioned: bool,
}

impl VirtualFleet {
    /// Something happens to a machine.
    pub(crate) fn suffer(&mut self, id: MachineId, mishap: Mishap) -> Result<(), OperationError> {
        let machine = self.view.machines.get(&id).ok_or(OperationError::NoSuchMachine(id))?;
        let (power, name) = (machine.power, machine.spec.name.clone());
        let mishaps = &mut self.runtimes.get_mut(&id).expect("a machine in the view has its private side").mishaps;
        match mishap {
            Mishap::Crash if power == Power::Off => {
                return Err(OperationError::WrongPower { machine: name, actual: "off" });
            }
            Mishap::Crash => self.power_off(id),
            Mishap::BootFails => mishaps.boot_fails = true,
            Mishap::NoAddress => mishaps.no_address = true,
            Mishap::DiskFull => mishaps.disk_full = true,
            Mishap::Partition => mishaps.partitioned = true,
            Mishap::Repair => mishaps.partitioned = false,
        }
        Ok(())
    }

    /// Whether packets of a machine arrive nowhere, and nobody's arrive there.
    pub(crate) fn is_cut_off(&self, id: MachineId) -> bool {
        self.runtimes.get(&id).is_some_and(|runtime| runtime.mishaps.partitioned)
    }
}
