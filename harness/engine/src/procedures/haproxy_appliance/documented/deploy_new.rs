//! "Deploy the new VM with an identical configuration, using the existing `server.crt` and `server.key` as inputs."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::documented::act_for_good;
use crate::procedures::haproxy_appliance::steps::deploy_new::deployment;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Restoring, Step, StepFuture};
use crate::vsphere::{Deployment, ManagedObject};

/// Deploys the new machine once, and takes no care of what may be there already.
pub(super) struct DeployNew;

impl Step<Swap> for DeployNew {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act_for_good(
            swap,
            "deploy-new",
            "deploy the new machine, powered off, with identical inputs and the same certificate and key",
            &[
                "vsphere.RetrievePropertiesEx",
                "vsphere.CreateImportSpec",
                "vsphere.ImportVApp",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
                "vsphere.POST /nfc",
                "vsphere.HttpNfcLeaseProgress",
                "vsphere.HttpNfcLeaseComplete",
            ],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let limit = swap.parameters.deadlines.task;
            // A person marks nothing as their own.
            let deployment = Deployment { extra_config: Vec::new(), ..deployment(swap).await? };
            let machine = swap.vsphere.deploy(&deployment, limit).await?;
            swap.findings.new = Some(machine.clone());
            Ok(json!({"machine": machine}))
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        let machine: ManagedObject = serde_json::from_value(output["machine"].clone())?;
        swap.findings.new.get_or_insert(machine);
        Ok(())
    }
}
