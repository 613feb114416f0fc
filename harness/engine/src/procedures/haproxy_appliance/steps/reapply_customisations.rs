//! What people changed comes back.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::customisation::Customisations;
use crate::procedures::haproxy_appliance::merge;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::shell::Shell;
use crate::step::{Step, StepError, StepFuture};

pub(in super::super) const HAPROXY: &str = "/etc/haproxy/haproxy.cfg";
const CANDIDATE: &str = "/etc/haproxy/haproxy.cfg.candidate";
pub(in super::super) const DATAPLANE: &str = "/etc/haproxy/dataplaneapi.cfg";

/// Puts the saved customisations back and restarts the services.
pub(super) struct ReapplyCustomisations;

impl Step<Swap> for ReapplyCustomisations {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act(
            swap,
            "reapply-customisations",
            "put the saved customisations back, have HAProxy check the result, and restart the services",
            "nothing of its own: the new machine goes off",
            &[],
            &["shell.systemctl", "shell.test", "shell.cat", "shell.haproxy", "shell.rm"],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let custom = saved(swap)?;
            if custom.is_empty() {
                return Ok(json!({"changed": false}));
            }
            let shell = swap.appliance_shell()?;
            // The candidate is removed last: where it is there, somebody ended in the midst of this.
            let changed = needs_change(&shell, &custom).await? || shell.read(CANDIDATE).await?.is_some();
            if changed {
                // The API is stopped meanwhile, so that no operator's commit gets lost between our reading and writing.
                shell.systemctl("stop", "dataplaneapi").await?;
                let merged = merge_files(&shell, &custom).await;
                // Whatever came of it, the API must be there again for the operators.
                shell.systemctl("start", "dataplaneapi").await?;
                merged?;
                swap.wait_for_services().await?;
                shell.remove(CANDIDATE).await?;
            }
            Ok(json!({"changed": changed}))
        })
    }

    fn verify<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let custom = saved(swap)?;
            if !custom.is_empty() && needs_change(&swap.appliance_shell()?, &custom).await? {
                return Err(StepError::Unfit("the customisations are not in the files".to_owned()));
            }
            Ok(())
        })
    }
}

/// The customisations that an earlier step saved.
pub(in super::super) fn saved(swap: &Swap) -> Result<Customisations, StepError> {
    let saved = swap.findings.customisations.clone();
    saved.ok_or_else(|| StepError::Unfit("no customisations were looked for".to_owned()))
}

/// A file that must be there.
pub(in super::super) async fn read(shell: &Shell, path: &str) -> Result<String, StepError> {
    shell.read(path).await?.ok_or_else(|| StepError::Unfit(format!("there is no {path}")))
}

async fn needs_change(shell: &Shell, custom: &Customisations) -> Result<bool, StepError> {
    let (haproxy, dataplane) = (read(shell, HAPROXY).await?, read(shell, DATAPLANE).await?);
    Ok(merge::haproxy(&haproxy, &custom.haproxy) != haproxy
        || merge::dataplane(&dataplane, &custom.dataplane).trim_end() != dataplane.trim_end())
}

async fn merge_files(shell: &Shell, custom: &Customisations) -> Result<(), StepError> {
    let haproxy = merge::haproxy(&read(shell, HAPROXY).await?, &custom.haproxy);
    let dataplane = merge::dataplane(&read(shell, DATAPLANE).await?, &custom.dataplane);
    shell.write(CANDIDATE, haproxy.clone()).await?;
    let checked = shell.succeed(&format!("haproxy -c -f {CANDIDATE}"), Bytes::new()).await;
    if let Err(error) = checked {
        shell.remove(CANDIDATE).await?;
        return Err(error.into());
    }
    shell.write(HAPROXY, haproxy).await?;
    shell.write(DATAPLANE, dataplane).await?;
    shell.systemctl("restart", "haproxy").await?;
    Ok(())
}
