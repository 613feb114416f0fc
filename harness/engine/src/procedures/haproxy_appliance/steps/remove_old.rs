//! The end of the old machine.

use serde_json::{Value, json};

use crate::plan::{PlannedStep, Undo};
use crate::procedures::haproxy_appliance::steps::planned;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepError, StepFuture, UndoReason};

/// Removes the old machine. After this there is no way back.
pub(in super::super) struct RemoveOld;

impl Step<Swap> for RemoveOld {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        let step = planned(
            swap,
            "remove-old",
            "remove the old machine and its disks",
            Undo::Impossible,
            &["vsphere.FindByInventoryPath", "vsphere.RetrievePropertiesEx"],
            &[
                "vsphere.RetrievePropertiesEx",
                "vsphere.Destroy_Task",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
                "vsphere.FindByInventoryPath",
            ],
        );
        PlannedStep { boundary: Some("no way back from here".to_owned()), ..step }
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let (old, limit) = (swap.old()?.machine.object.clone(), swap.parameters.deadlines.task);
            swap.vsphere.destroy(&old, limit).await?;
            Ok(json!({"machine": old}))
        })
    }

    fn verify<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, ()> {
        Box::pin(async move {
            match swap.find_old().await? {
                None => Ok(()),
                Some(_) => Err(StepError::Unfit(format!("{} is still there", swap.parameters.old_name))),
            }
        })
    }

    /// Only a removal that did not happen can be taken back.
    fn undo<'a>(&'a self, swap: &'a mut Swap, _reason: UndoReason) -> StepFuture<'a, ()> {
        Box::pin(async move {
            // A removal that an engine before us began goes on without it.
            if let Some(old) = swap.find_old().await? {
                let limit = swap.parameters.deadlines.task;
                match swap.vsphere.wait_for_tasks(&old, limit).await {
                    Err(error) if !error.is_fault("ManagedObjectNotFound") => return Err(error.into()),
                    Ok(()) | Err(_) => {}
                }
            }
            match swap.find_old().await? {
                Some(_) => Ok(()),
                None => {
                    let message = format!("{} is gone", swap.parameters.old_name);
                    Err(StepError::Refused { rule: "point-of-no-return", message })
                }
            }
        })
    }

    fn advice(&self, swap: &Swap) -> String {
        let (old, new) = (&swap.parameters.old_name, &swap.parameters.new_name);
        let look = swap.govc("vm.info", new);
        format!(
            "leave {new} on, it is what serves: {old} cannot come back. See with {look} that {new} is poweredOn, and that every \
             load-balancer address answers"
        )
    }
}
