//! The document's Restrictions and Prerequisites, and its first step.

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::findings::OldAppliance;
use crate::procedures::haproxy_appliance::steps::check_prerequisites::{
    Room, api_port, management_address, newer_target, privileges, resources, running_appliance, shell_of, topology,
    vsphere_and_target,
};
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Restoring, Step, StepFuture};

/// Sees that the document allows the upgrade. Memory, the address plan and the state of the appliance are not among what it asks
/// for.
pub(super) struct CheckPrerequisites;

impl Step<Swap> for CheckPrerequisites {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(
            swap,
            "check-prerequisites",
            "confirm what the document asks for: versions, privileges, network topology, CPU and disk for both machines",
            &[
                "vsphere.RetrieveServiceContent",
                "vsphere.Login",
                "vsphere.FindByInventoryPath",
                "vsphere.RetrievePropertiesEx",
                "vsphere.HasPrivilegeOnEntities",
                "shell.test",
                "shell.cat",
            ],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let machine = running_appliance(swap).await?;
            let shell = shell_of(swap, &machine)?;
            let running = newer_target(swap, &shell).await?;
            let vsphere = vsphere_and_target(swap).await?;
            privileges(swap, &machine, &[]).await?;
            topology(swap, &machine)?;
            resources(swap, &machine, Room::CpuAndDisk).await?;
            let (management, api_port) = (management_address(&machine)?, api_port(&machine));
            // Nobody is told to look at the certificate.
            let old = OldAppliance { machine, management, api_port, fingerprint: String::new() };
            let output = json!({"running": running, "vsphere": vsphere, "old": old});
            swap.findings.old = Some(old);
            Ok(output)
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        let old: OldAppliance = serde_json::from_value(output["old"].clone())?;
        swap.findings.old.get_or_insert(old.without_secrets());
        Ok(())
    }
}
