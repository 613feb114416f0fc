//! Worlds, and the phases of a run.

use crate::named::named;

named! {
    /// Where a scenario runs.
    pub enum World("world") {
        Virtual = "virtual", "simulated machines and networks under a virtual clock, deterministic";
        Docker = "docker", "containers with the real data plane on a Docker engine";
    }
}

named! {
    /// One stage of a run, in the order in which they happen.
    pub enum Phase("phase") {
        Base = "base", "stand up the base version";
        EarlyCreate = "early-create", "create what must exist before any workload: clusters, operators, the canary";
        Create = "create", "create the scenario's resources";
        Verify = "verify", "see that every resource works before anything is changed";
        Shutdown = "shutdown", "stop what the upgrade requires to be stopped";
        VerifyNoapi = "verify-noapi", "see that the data plane works while the control plane is down";
        Upgrade = "upgrade", "let the engine upgrade";
        VerifyUpgraded = "verify-upgraded", "see that every resource works on the target version";
        Rollback = "rollback", "let the engine roll back, where the scenario asks for it";
        Compare = "compare", "compare the state with the captured original";
        Destroy = "destroy", "remove everything the run created";
    }
}
