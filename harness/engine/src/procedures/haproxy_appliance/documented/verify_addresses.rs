//! "Ensure service-type load balancer external IPs are reachable on both the supervisor and Tanzu clusters."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::{Swap, answers};
use crate::retry::Wait;
use crate::step::{Step, StepFuture};

/// Sees that every load-balancer address answers, from each cluster. The only patience the document names is five minutes.
pub(super) struct VerifyAddresses;

impl Step<Swap> for VerifyAddresses {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        let does = "see that every load-balancer address answers, from each cluster";
        look(swap, "verify-addresses", does, &["shell.curl"])
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let deadlines = &swap.parameters.deadlines;
            let wait = Wait::new(&swap.wire, "load-balancer addresses answering", deadlines.routes, deadlines.poll);
            let mut seen = 0;
            for vantage in &swap.parameters.vantages {
                let shell = swap.vantage_shell(vantage);
                for target in &vantage.targets {
                    while let Err(last) = answers(&shell, target).await {
                        wait.again(format!("{target} from {}: {last}", vantage.cluster)).await?;
                    }
                    seen += 1;
                }
            }
            Ok(json!({"addresses": seen}))
        })
    }
}
