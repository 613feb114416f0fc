//! "Ensure service-type load balancer external IPs are reachable on both the supervisor and Tanzu clusters."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
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
            let questions = swap.questions(|vantage| vantage.targets.clone());
            let wait = swap.wait_for_answers(swap.parameters.deadlines.routes);
            // One after the other, as a person does.
            for question in &questions {
                while let Err(seen) = question.ask().await {
                    wait.again(question.told(&seen)).await?;
                }
            }
            Ok(json!({"addresses": questions.len()}))
        })
    }
}
