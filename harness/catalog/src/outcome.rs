//! How an upgrade ends, and what may remain of it.

use crate::named::named;

named! {
    /// What an engine says about its own run; the `outcome` check compares it with the world.
    pub enum Outcome("outcome") {
        Upgraded = "upgraded", "the target version serves";
        RolledBack = "rolled-back", "the upgrade failed and the base version serves again";
        Refused = "refused", "a prerequisite was not met and nothing was changed";
        Stuck = "stuck", "neither forward nor back: an operator is needed";
    }
}

named! {
    /// What a new engine process is asked for when the one before has crashed.
    pub enum AfterCrash("choice after a crash") {
        Resume = "resume", "bring the run to its end, forward or back, from where the journal says it stands";
        Rollback = "rollback", "bring the base version back";
    }
}

named! {
    /// A thing that may remain after the run because the scenario declares it.
    pub enum Residual("residual") {
        NewAppliancePoweredOff = "new-appliance-powered-off", "the new appliance's VM, powered off, after a rollback";
        OldAppliancePoweredOff = "old-appliance-powered-off", "the old appliance's VM, powered off, after an upgrade that kept it";
    }
}

named! {
    /// A machine of the swap, as scenarios call it.
    pub enum Machine("machine") {
        OldAppliance = "old-appliance", "the appliance that served before the upgrade";
        NewAppliance = "new-appliance", "the appliance that the upgrade deploys";
    }
}
