//! "Power on the new instance."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::documented::with_task;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepFuture, UndoReason};

/// Powers the new machine on, without a look at the old one.
pub(super) struct PowerOnNew;

impl Step<Swap> for PowerOnNew {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act(
            swap,
            "power-on-new",
            "power the new machine on",
            "power the new machine off",
            &with_task(&["vsphere.FindByInventoryPath", "vsphere.PowerOffVM_Task"]),
            &with_task(&["vsphere.PowerOnVM_Task"]),
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let (new, limit) = (swap.new_machine()?, swap.parameters.deadlines.task);
            swap.vsphere.power_on(&new, limit).await?;
            Ok(json!({"machine": new}))
        })
    }

    fn undo<'a>(&'a self, swap: &'a mut Swap, _reason: UndoReason) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let limit = swap.parameters.deadlines.task;
            // By its name, as a person finds it.
            match swap.find_new().await? {
                Some(new) => Ok(swap.vsphere.power_off(&new, limit).await?),
                None => Ok(()),
            }
        })
    }

    fn advice(&self, swap: &Swap) -> String {
        let (new, off) = (&swap.parameters.new_name, swap.govc("vm.power -off", &swap.parameters.new_name));
        format!("power {new} off with {off}, and power {} on", swap.parameters.old_name)
    }
}
