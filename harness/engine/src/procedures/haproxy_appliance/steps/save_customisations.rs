//! What people changed on the old appliance.

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::customisation::Customisations;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepFuture};

/// Saves what people changed in `haproxy.cfg` and `dataplaneapi.cfg`.
pub(super) struct SaveCustomisations;

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
            let found = Customisations::find(&haproxy, &dataplane, user, &swap.clusters());
            // Customised lines may hold passwords, so the journal gets only their number.
            let lines = found.haproxy.iter().map(|section| section.lines.len()).sum::<usize>();
            let output = json!({"haproxy-lines": lines, "dataplane-settings": found.dataplane.len()});
            swap.findings.customisations = Some(found);
            Ok(output)
        })
    }
}
