//! What the old appliance serves.

use serde_json::Value;

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::findings::{Baseline, OldAppliance};
use crate::procedures::haproxy_appliance::routes;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::{Swap, answers};
use crate::retry::Wait;
use crate::step::{Restoring, Step, StepError, StepFuture};

/// Reads inputs, networks, routes, and which addresses answer.
pub(super) struct ReadAppliance;

/// How often an address is tried before it counts as not answering before the upgrade.
const TRIES: u32 = 3;

impl Step<Swap> for ReadAppliance {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        look(
            swap,
            "read-appliance",
            "read the running appliance's OVF properties, networks and routes, and which addresses answer",
            &[
                "vsphere.RetrievePropertiesEx",
                "dataplane.GET /configuration/frontends",
                "dataplane.GET /configuration/binds",
                "shell.curl",
            ],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let object = swap.old()?.machine.object.clone();
            let machine = swap.vsphere.machine(&object).await?;
            swap.findings.old.iter_mut().for_each(|old| old.machine = machine.clone());
            let routes = routes::programmed(&swap.dataplane()?, &swap.clusters()).await?;
            let mut baseline = Baseline { routes, ..Baseline::default() };
            for vantage in &swap.parameters.vantages {
                let shell = swap.vantage_shell(vantage);
                let answering = baseline.answering.entry(vantage.cluster.clone()).or_default();
                for target in &vantage.targets {
                    let pause = swap.parameters.deadlines.poll;
                    let wait = Wait::new(&swap.wire, "an answer", pause * (TRIES - 1), pause);
                    loop {
                        match answers(&shell, target).await {
                            Ok(()) => {
                                answering.insert(*target);
                                break;
                            }
                            Err(last) => {
                                if wait.again(last).await.is_err() {
                                    break;
                                }
                            }
                        }
                    }
                }
            }
            let output = serde_json::to_value((swap.old()?, &baseline));
            swap.findings.baseline = Some(baseline);
            output.map_err(|error| StepError::Unfit(format!("the findings cannot be written down: {error}")))
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        let (old, baseline) = serde_json::from_value::<(OldAppliance, Baseline)>(output.clone())?;
        swap.findings.old = Some(old.without_secrets());
        swap.findings.baseline.get_or_insert(baseline);
        Ok(())
    }
}
