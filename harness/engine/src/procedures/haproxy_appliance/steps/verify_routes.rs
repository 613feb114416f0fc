//! Whether the operators have come back.

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::routes;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::report::chain;
use crate::retry::Wait;
use crate::step::{Step, StepFuture};

/// Sees that the operators have programmed every route again.
pub(super) struct VerifyRoutes;

impl Step<Swap> for VerifyRoutes {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(
            swap,
            "verify-routes",
            "see that the operators have programmed every route again",
            &["dataplane.GET /configuration/frontends", "dataplane.GET /configuration/binds"],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let before = swap.findings.baseline.clone().unwrap_or_default().routes;
            let deadlines = &swap.parameters.deadlines;
            let wait = Wait::new(&swap.wire, "routes programmed", deadlines.routes, deadlines.poll);
            let api = swap.dataplane()?;
            loop {
                let last = match routes::programmed(&api, &swap.clusters()).await {
                    Ok(now) => {
                        let missing = routes::missing(&before, &now);
                        if missing.is_empty() {
                            return Ok(json!({"routes": now.len()}));
                        }
                        format!("not as before: {}", missing.join(", "))
                    }
                    // A frontend may go away between the list and the look at it.
                    Err(error) => chain(&error),
                };
                wait.again(last).await?;
            }
        })
    }
}
