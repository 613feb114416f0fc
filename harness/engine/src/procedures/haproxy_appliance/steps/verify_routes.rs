//! Whether the operators have come back.

use serde_json::{Value, json};

use crate::dataplane::Dataplane;
use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::routes;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::report::chain;
use crate::retry::Wait;
use crate::step::{Step, StepError, StepFuture};

/// Sees that the operators have programmed every route again.
pub(super) struct VerifyRoutes;

impl Step<Swap> for VerifyRoutes {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act(
            swap,
            "verify-routes",
            "see that the operators have programmed every route again; give up transactions that nobody can commit any more",
            "nothing of its own: the new machine goes off",
            &[],
            &[
                "dataplane.GET /configuration/frontends",
                "dataplane.GET /configuration/binds",
                "dataplane.GET /transactions",
                "dataplane.DELETE /transactions/{id}",
            ],
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
                            let given_up = give_up_stale(&api).await?;
                            return Ok(json!({"routes": now.len(), "transactions-given-up": given_up}));
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

/// Gives up the transactions that began before the present version of the configuration; how many there were.
///
/// A killed operator leaves them. Their commit could only be answered 409 (Data Plane API up to 2.2) or 406 (from 2.3 on).
async fn give_up_stale(api: &Dataplane) -> Result<usize, StepError> {
    let open = api.open_transactions().await?;
    if open.is_empty() {
        return Ok(0);
    }
    let present = api.configuration_version().await?;
    let stale: Vec<_> = open.into_iter().filter(|open| present.is_some_and(|present| open.version < present)).collect();
    for transaction in &stale {
        api.give_up(&transaction.id).await?;
    }
    Ok(stale.len())
}
