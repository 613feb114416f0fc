//! Whether the load balancers answer.

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepFuture};

/// Sees that every load-balancer address answers, from each cluster.
pub(super) struct VerifyAddresses;

impl Step<Swap> for VerifyAddresses {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(
            swap,
            "verify-addresses",
            "see that every load-balancer address that answered before answers, from each cluster",
            &["shell.curl"],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let seen = swap.wait_for_addresses().await?;
            Ok(json!({"addresses": seen}))
        })
    }
}
