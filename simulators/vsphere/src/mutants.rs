//! vCenters with one fault each: what proves that tests and checks notice.
//!
//! A mutant is a behaviour that is turned over although nobody declares it: a run that overturns its id has the fault. All of
//! this is compiled with the feature `mutants` alone.

use grenadier_fidelity::{Basis, Behaviour};

/// All of them.
pub static ALL: [&Behaviour; 2] = [&TASKS_FAIL, &POWER_STATE];

pub(crate) static TASKS_FAIL: Behaviour = Behaviour {
    id: "tasks-fail",
    says: "A task that is made to fail ends in an error.",
    basis: Basis::Documented("the fault `task-fails`"),
    otherwise: Some("It succeeds all the same."),
};

pub(crate) static POWER_STATE: Behaviour = Behaviour {
    id: "power-state-is-fresh",
    says: "`runtime.powerState` is what the machine is.",
    basis: Basis::Documented("vSphere Web Services API, VirtualMachineRuntimeInfo"),
    otherwise: Some("A machine that was on once shows `poweredOn` for ever."),
};
