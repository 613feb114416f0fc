//! "Verify haproxy and dataplaneapi services have started and are running."

use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Step, StepFuture};

/// Logs in and sees that both services run.
pub(super) struct VerifyServices;

impl Step<Swap> for VerifyServices {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(swap, "verify-services", "log in and see that haproxy and dataplaneapi run", &["shell.systemctl"])
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            swap.wait_for_services().await?;
            Ok(json!({}))
        })
    }
}
