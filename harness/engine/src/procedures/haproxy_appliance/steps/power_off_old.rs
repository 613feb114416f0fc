//! The old machine goes off.

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::steps::check_prerequisites::vsphere_and_target;
use crate::procedures::haproxy_appliance::steps::verify_services::{give_certificates, shows_pinned};
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Restoring, Step, StepError, StepFuture, UndoReason};
use crate::vsphere::{PowerState, VSphereError};

/// Powers the old machine off: the outage begins.
pub(super) struct PowerOffOld;

impl Step<Swap> for PowerOffOld {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        let step = act(
            swap,
            "power-off-old",
            "shut the old machine's guest down, and power it off where it does not go by itself",
            "power the old machine on, and wait until it serves again, with the certificates it had",
            &[
                "vsphere.FindByInventoryPath",
                "vsphere.RetrievePropertiesEx",
                "vsphere.PowerOnVM_Task",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
                "shell.systemctl",
                "dataplane.GET /info",
                "vsphere.ReconfigVM_Task",
                "shell.cat",
                "shell.curl",
            ],
            &[
                "vsphere.RetrieveServiceContent",
                "vsphere.RetrievePropertiesEx",
                "vsphere.ShutdownGuest",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
                "vsphere.PowerOffVM_Task",
            ],
        );
        PlannedStep { boundary: Some("the outage begins here".to_owned()), ..step }
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            // The last look before anybody notices: vCenter may have been upgraded meanwhile.
            vsphere_and_target(swap).await?;
            let old = swap.old()?.machine.object.clone();
            swap.power_off_softly(&old).await?;
            swap.findings.old_went_off = true;
            Ok(json!({"machine": old}))
        })
    }

    fn verify<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let old = swap.old()?.machine.object.clone();
            match swap.vsphere.power_state(&old).await? {
                PowerState::Off => Ok(()),
                state => Err(StepError::Unfit(format!("{} is {}", swap.parameters.old_name, state.name()))),
            }
        })
    }

    fn undo<'a>(&'a self, swap: &'a mut Swap, _reason: UndoReason) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let old = swap.old()?.machine.object.clone();
            let new = swap.find_new().await?;
            let (task, shutdown) = (swap.parameters.deadlines.task, swap.parameters.deadlines.shutdown);
            // Nobody but us powers it on. What else is done to it (a backup's snapshot, say) is not ours to cancel.
            swap.vsphere.settle_tasks(&old, task, |description| description == "VirtualMachine.powerOn").await?;
            if !swap.findings.old_went_off && swap.vsphere.power_state(&old).await? == PowerState::On {
                // A guest that was asked to shut down is on until it is off, and nothing calls it back. Where it is not going
                // off, it serves meanwhile.
                match swap.vsphere.wait_for_power(&old, PowerState::Off, shutdown).await {
                    Ok(()) | Err(VSphereError::NotInTime(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            swap.power_on_alone(&old, new.as_ref()).await?;
            swap.wait_for_services().await?;
            if !shows_pinned(swap).await? {
                // Versions before v0.1.10 make new ones as they boot.
                give_certificates(swap, &old).await?;
                swap.dataplane()?.version().await?;
            }
            swap.wait_for_addresses().await?;
            Ok(())
        })
    }

    fn restore(&self, swap: &mut Swap, _output: &Value) -> Result<(), Restoring> {
        swap.findings.old_went_off = true;
        Ok(())
    }

    fn advice(&self, swap: &Swap) -> String {
        let (old, new) = (&swap.parameters.old_name, &swap.parameters.new_name);
        let (look, on) = (swap.govc("vm.info", new), swap.govc("vm.power -on", old));
        format!(
            "see with {look} that {new} is not on, and power {old} on with {on}; on {old} look at `systemctl status haproxy \
             dataplaneapi` and `journalctl -xeu dataplaneapi` until every load-balancer address answers. Or call the engine \
             with `rollback` again: it goes on with this step"
        )
    }
}
