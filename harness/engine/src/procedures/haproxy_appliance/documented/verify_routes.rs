//! "Ensure the cluster starts programming routes via dataplaneapi into `haproxy.cfg`."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::customisation::{directive, is_route};
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::steps::reapply_customisations::{HAPROXY, read};
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::retry::Wait;
use crate::step::{Step, StepFuture};

/// Sees that `haproxy.cfg` has grown by routes. "If you don't have routes within 5 minutes then something is probably wrong."
pub(super) struct VerifyRoutes;

impl Step<Swap> for VerifyRoutes {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        let does = "see that haproxy.cfg grows as the operators begin to program routes";
        look(swap, "verify-routes", does, &["shell.test", "shell.cat"])
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let deadlines = &swap.parameters.deadlines;
            let wait = Wait::new(&swap.wire, "routes in haproxy.cfg", deadlines.routes, deadlines.poll);
            let (shell, clusters) = (swap.appliance_shell()?, swap.clusters());
            loop {
                let text = read(&shell, HAPROXY).await?;
                if text.lines().filter_map(directive).any(|head| is_route(&head, &clusters)) {
                    return Ok(json!({"bytes": text.len()}));
                }
                wait.again(format!("{HAPROXY} has {} bytes and no route", text.len())).await?;
            }
        })
    }
}
