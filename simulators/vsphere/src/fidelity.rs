//! What the vSphere simulator does that an outcome can hang on.

use grenadier_fidelity::{Basis, Behaviour, Declared};

/// What this simulator declares.
pub const DECLARED: Declared = Declared {
    simulator: "vSphere",
    behaviours: &[&TASK_QUEUE, &TASK_FAILS_HALF_WAY, &STATE_FAULT_IN_TASK, &LEASE_DELETES],
};

pub(crate) static TASK_QUEUE: Behaviour = Behaviour {
    id: "task-waits-before-it-runs",
    says: "A task is queued for 20 ms before it runs.",
    basis: Basis::Assumed("recorded answers show `queued` first, not for how long"),
    otherwise: Some("A task is queued for 5 s."),
};

pub(crate) static TASK_FAILS_HALF_WAY: Behaviour = Behaviour {
    id: "failing-task-fails-late",
    says: "A task that fails for no reason of its own does so 500 ms after it began to run, without an effect.",
    basis: Basis::Assumed("vSphere names no moment"),
    otherwise: Some("It fails as soon as it runs."),
};

pub(crate) static STATE_FAULT_IN_TASK: Behaviour = Behaviour {
    id: "state-faults-end-the-task",
    says: "A power operation in the wrong power state begins a task, which ends in `InvalidPowerState`.",
    basis: Basis::Assumed("vcsim does so; the manual names the fault without saying whether call or task carries it"),
    otherwise: None,
};

pub(crate) static LEASE_DELETES: Behaviour = Behaviour {
    id: "aborted-import-leaves-no-machine",
    says: "A lease that is aborted, or not progressed within its timeout, takes the half-imported machine with it.",
    basis: Basis::Assumed("the sense of abort; vcsim keeps the machine, and nobody looked at a real one"),
    otherwise: None,
};
