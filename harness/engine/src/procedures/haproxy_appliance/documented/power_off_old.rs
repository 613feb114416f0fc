//! "Power down the old instance. You can revert back to this instance if something goes wrong with the upgrade."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::documented::with_task;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepFuture, UndoReason};

/// Powers the old machine down.
pub(super) struct PowerOffOld;

impl Step<Swap> for PowerOffOld {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        let step = act(
            swap,
            "power-off-old",
            "power the old machine down",
            "power the old machine on",
            &with_task(&["vsphere.PowerOnVM_Task"]),
            &with_task(&["vsphere.RetrievePropertiesEx", "vsphere.ShutdownGuest", "vsphere.PowerOffVM_Task"]),
        );
        PlannedStep { boundary: Some("the outage begins here".to_owned()), ..step }
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let old = swap.old()?.machine.object.clone();
            swap.power_off_softly(&old).await?;
            Ok(json!({"machine": old}))
        })
    }

    /// The document ends with this; whether the old appliance serves again is not among what it tells to look at.
    fn undo<'a>(&'a self, swap: &'a mut Swap, _reason: UndoReason) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let (old, limit) = (swap.old()?.machine.object.clone(), swap.parameters.deadlines.task);
            Ok(swap.vsphere.power_on(&old, limit).await?)
        })
    }

    fn advice(&self, swap: &Swap) -> String {
        let (old, on) = (&swap.parameters.old_name, swap.govc("vm.power -on", &swap.parameters.old_name));
        format!("power {old} on with {on}")
    }
}
