//! What people changed on the old appliance.

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::customisation::Customisations;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Restoring, Step, StepFuture};

/// The input that holds the service ranges.
pub(super) const SERVICE_RANGES: &str = "loadbalance.service_ip_range";

/// Saves what people changed in `haproxy.cfg` and `dataplaneapi.cfg`.
pub(in super::super) struct SaveCustomisations {
    /// Whether it looks for service ranges, too, that somebody added later (vmware-haproxy #36): the document names two files.
    pub(in super::super) ranges: bool,
}

impl Step<Swap> for SaveCustomisations {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(
            swap,
            "save-customisations",
            "save what people changed in haproxy.cfg and dataplaneapi.cfg",
            &["shell.test", "shell.cat"],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let shell = swap.appliance_shell()?;
            let haproxy = shell.read("/etc/haproxy/haproxy.cfg").await?.unwrap_or_default();
            let dataplane = shell.read("/etc/haproxy/dataplaneapi.cfg").await?.unwrap_or_default();
            let user = &swap.parameters.haproxy_user;
            let mut found = Customisations::find(&haproxy, &dataplane, user, &swap.clusters());
            if self.ranges {
                let anyip = shell.read("/etc/vmware/anyip-routes.cfg").await?.unwrap_or_default();
                let old = swap.old_with_inputs().await?;
                let deployed = old.property(SERVICE_RANGES).unwrap_or_default();
                found.ranges = Customisations::added_ranges(&anyip, deployed);
            }
            // Customised lines may hold passwords, so the journal gets only their number in the clear.
            let lines = found.haproxy.iter().map(|section| section.lines.len()).sum::<usize>();
            let (settings, sealed) = (found.dataplane.len(), swap.seal().close(&found));
            let ranges = &found.ranges;
            let output = json!({
                "haproxy-lines": lines, "dataplane-settings": settings, "service-ranges": ranges, "sealed": sealed,
            });
            swap.findings.customisations = Some(found);
            Ok(output)
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        if swap.findings.customisations.is_none() {
            swap.findings.customisations = Some(swap.seal().open(&output["sealed"])?);
        }
        Ok(())
    }
}
