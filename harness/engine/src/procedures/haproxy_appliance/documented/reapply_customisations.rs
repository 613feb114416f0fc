//! "Re-apply any custom changes to the `haproxy.cfg` or `dataplaneapi.cfg` files and restart the services."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::documented::act_for_good;
use crate::procedures::haproxy_appliance::merge;
use crate::procedures::haproxy_appliance::steps::reapply_customisations::{DATAPLANE, HAPROXY, read, saved};
use crate::procedures::haproxy_appliance::swap::{SERVICES, Swap};
use crate::step::{Step, StepFuture};

/// Edits the two files as a person does, in place and while everything runs, and restarts the services.
pub(super) struct ReapplyCustomisations;

impl Step<Swap> for ReapplyCustomisations {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act_for_good(
            swap,
            "reapply-customisations",
            "put the saved customisations back and restart the services",
            &["shell.test", "shell.cat", "shell.tee", "shell.systemctl"],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let custom = saved(swap)?;
            if custom.is_empty() {
                return Ok(json!({"changed": false}));
            }
            let shell = swap.appliance_shell()?;
            // Nobody who edits the file by hand thinks of the version in its first line.
            let haproxy = merge::insert(&read(&shell, HAPROXY).await?, &custom.haproxy);
            shell.write(HAPROXY, haproxy).await?;
            let dataplane = merge::dataplane(&read(&shell, DATAPLANE).await?, &custom.dataplane);
            shell.write(DATAPLANE, dataplane).await?;
            for service in SERVICES {
                shell.systemctl("restart", service).await?;
            }
            Ok(json!({"changed": true}))
        })
    }
}
