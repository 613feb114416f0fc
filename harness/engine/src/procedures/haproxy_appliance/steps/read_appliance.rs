//! What the old appliance serves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::Value;

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::addresses::unanswered;
use crate::procedures::haproxy_appliance::findings::{Baseline, OldAppliance};
use crate::procedures::haproxy_appliance::parameters::Vantage;
use crate::procedures::haproxy_appliance::routes;
use crate::procedures::haproxy_appliance::steps::look;
use crate::procedures::haproxy_appliance::swap::Swap;
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
            let baseline = Baseline { routes, answering: answering(swap).await };
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

/// The addresses that answer, by cluster. Those that do not are tried again.
async fn answering(swap: &Swap) -> BTreeMap<String, BTreeSet<SocketAddr>> {
    let all = |vantage: &Vantage| (vantage.cluster.clone(), vantage.targets.iter().copied().collect());
    let mut answering: BTreeMap<_, BTreeSet<_>> = swap.parameters.vantages.iter().map(all).collect();
    let mut open = unanswered(swap.questions(|vantage| vantage.targets.clone())).await;
    for _ in 1..TRIES {
        if open.is_empty() {
            break;
        }
        swap.wire.clock().sleep(swap.parameters.deadlines.poll).await;
        open = unanswered(open.into_iter().map(|(question, _)| question)).await;
    }
    for (question, _) in open {
        answering.entry(question.cluster).or_default().remove(&question.target);
    }
    answering
}
