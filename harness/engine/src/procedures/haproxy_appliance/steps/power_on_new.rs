//! The new machine goes on.

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepError, StepFuture, UndoReason};
use crate::vsphere::PowerState;

/// Powers the new machine on, after seeing that the old one is off.
pub(super) struct PowerOnNew;

impl Step<Swap> for PowerOnNew {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act(
            swap,
            "power-on-new",
            "power the new machine on, after seeing that the old one is off",
            "power the new machine off",
            &[
                "vsphere.FindByInventoryPath",
                "vsphere.RetrievePropertiesEx",
                "vsphere.ShutdownGuest",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
                "vsphere.PowerOffVM_Task",
            ],
            &[
                "vsphere.RetrievePropertiesEx",
                "vsphere.PowerOnVM_Task",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
            ],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let (new, old) = (swap.new_machine()?, swap.old()?.machine.object.clone());
            swap.power_on_alone(&new, Some(&old)).await?;
            Ok(json!({"machine": new}))
        })
    }

    fn verify<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let new = swap.new_machine()?;
            match swap.vsphere.power_state(&new).await? {
                PowerState::On => Ok(()),
                state => Err(StepError::Unfit(format!("{} is {}", swap.parameters.new_name, state.name()))),
            }
        })
    }

    fn undo<'a>(&'a self, swap: &'a mut Swap, _reason: UndoReason) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let mut new = swap.find_own_new().await?;
            if new.is_none() {
                // That there is nothing to take back is believed when it was seen twice.
                new = swap.find_own_new().await?;
            }
            match new {
                Some(new) => {
                    // A machine that is about to go on passes for off.
                    swap.vsphere.settle_tasks(&new, swap.parameters.deadlines.task, |_| true).await?;
                    swap.power_off_softly(&new).await
                }
                None => Ok(()),
            }
        })
    }

    fn advice(&self, swap: &Swap) -> String {
        let (old, new) = (&swap.parameters.old_name, &swap.parameters.new_name);
        let (off, look) = (swap.govc("vm.power -off -force", new), swap.govc("vm.info", new));
        let on = swap.govc("vm.power -on", old);
        format!(
            "power {new} off with {off}; only when {look} says poweredOff, power {old} on with {on}. Or call the engine with \
             `rollback` again: it goes on with this step"
        )
    }
}
