//! Steps that do one thing wrong.

use std::time::Duration;

use grenadier_wire::Secret;
use serde_json::Value;

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::findings::Certificates;
use crate::procedures::haproxy_appliance::mutants::Defect;
use crate::procedures::haproxy_appliance::steps::deployment;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::{Restoring, Step, StepError, StepFuture, UndoReason};

const CONFIGURATION: &str = "/etc/haproxy/haproxy.cfg";

/// A step as an engine with this defect carries it out.
pub(super) struct Defective {
    pub(super) defect: Defect,
    pub(super) inner: Box<dyn Step<Swap>>,
}

impl Step<Swap> for Defective {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        self.inner.plan(swap)
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            let step = self.inner.plan(swap).name;
            self.before(&step, swap).await?;
            match (self.defect, step.as_str()) {
                (Defect::NoIdempotencyKey, "deploy-new") => return deploy_unmarked(swap).await,
                (Defect::ForgetsToPowerOff, "power-off-old") => {
                    swap.findings.old_went_off = true;
                    return Ok(Value::Null);
                }
                (Defect::ForgetsToPowerOff, "power-on-new") => {
                    let new = swap.new_machine()?;
                    swap.power_on_alone(&new, None).await?;
                    return Ok(Value::Null);
                }
                (Defect::WrongCertificate, "verify-routes")
                | (Defect::WrongCertificate | Defect::SkipsVerification, "verify-services" | "verify-addresses")
                | (Defect::SkipsVerification, "verify-routes")
                | (Defect::LosesCustomisations, "reapply-customisations") => return Ok(Value::Null),
                _ => {}
            }
            let done = self.inner.apply(swap).await;
            self.after(&step, swap).await?;
            done.or_else(|error| if self.defect == Defect::SwallowsAnError { Ok(Value::Null) } else { Err(error) })
        })
    }

    fn verify<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let step = self.inner.plan(swap).name;
            let unseen = match self.defect {
                Defect::SkipsVerification => true,
                Defect::ForgetsToPowerOff => step == "power-off-old",
                Defect::WrongCertificate => step == "verify-services",
                Defect::LosesCustomisations => step == "reapply-customisations",
                _ => false,
            };
            if unseen {
                return Ok(());
            }
            let seen = self.inner.verify(swap).await;
            if self.defect == Defect::SwallowsAnError { Ok(()) } else { seen }
        })
    }

    fn undo<'a>(&'a self, swap: &'a mut Swap, reason: UndoReason) -> StepFuture<'a, ()> {
        Box::pin(async move {
            match (self.defect, self.inner.plan(swap).name.as_str()) {
                (Defect::LeavesTheNewMachine, "deploy-new") => Ok(()),
                // Without the mark only the machine's reference says whose it is.
                (Defect::NoIdempotencyKey, "deploy-new") if swap.findings.new.is_none() => Ok(()),
                // The old appliance goes on while the new one is on, and has half a minute to boot …
                (Defect::UndoInWrongOrder, "power-on-new") => {
                    let old = swap.old()?.machine.object.clone();
                    swap.power_on_alone(&old, None).await?;
                    swap.wire.clock().sleep(Duration::from_secs(30)).await;
                    Ok(())
                }
                // … which goes off afterwards.
                (Defect::UndoInWrongOrder, "power-off-old") => match swap.find_own_new().await? {
                    Some(new) => swap.power_off_softly(&new).await,
                    None => Ok(()),
                },
                (Defect::UndoesTooMuch, "power-off-old") => {
                    self.inner.undo(swap, reason).await?;
                    without_customisations(swap).await
                }
                _ => self.inner.undo(swap, reason).await,
            }
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        if output.is_null() { Ok(()) } else { self.inner.restore(swap, output) }
    }

    fn advice(&self, swap: &Swap) -> String {
        self.inner.advice(swap)
    }
}

impl Defective {
    /// What the engine should not do before the step.
    async fn before(&self, step: &str, swap: &mut Swap) -> Result<(), StepError> {
        match (self.defect, step) {
            (Defect::KeepsTheSnapshot, "power-off-old") | (Defect::ChangesBeforeItRefuses, "check-prerequisites") => {
                snapshot(swap).await
            }
            (Defect::Dawdles, "power-on-new") => {
                swap.wire.clock().sleep(Duration::from_secs(120)).await;
                Ok(())
            }
            (Defect::WaitsForEver, "verify-routes") => loop {
                swap.wire.clock().sleep(Duration::from_secs(10)).await;
            },
            _ => Ok(()),
        }
    }

    /// What it should not do after it.
    async fn after(&self, step: &str, swap: &mut Swap) -> Result<(), StepError> {
        match (self.defect, step) {
            (Defect::WrongCertificate, "copy-certificates") => {
                let (server, server_key) = (String::new(), Secret::new(String::new()));
                swap.findings.certificates = Some(Certificates { server, server_key, authority: None });
                Ok(())
            }
            (Defect::KeepsACredentialFile, "copy-certificates") => {
                let saved = swap.findings.certificates.as_ref();
                let key = saved.map(|saved| saved.server_key.reveal().to_owned()).unwrap_or_default();
                Ok(swap.appliance_shell()?.write("/root/server.key", key).await?)
            }
            (Defect::WritesBehindTheProcess, "verify-routes") => {
                let shell = swap.appliance_shell()?;
                let mut text = shell.read(CONFIGURATION).await?.unwrap_or_default();
                text.push_str("\nfrontend supervisor-gone\n  mode tcp\n  bind 198.18.35.99:443 name supervisor-gone\n");
                Ok(shell.write(CONFIGURATION, text).await?)
            }
            _ => Ok(()),
        }
    }
}

/// Deploys the new machine and leaves no mark on it; where no answer comes, it just deploys it again.
async fn deploy_unmarked(swap: &mut Swap) -> Result<Value, StepError> {
    let mut deployment = deployment(swap).await?;
    deployment.extra_config.clear();
    let limit = swap.parameters.deadlines.task;
    let machine = match swap.vsphere.deploy(&deployment, limit).await {
        Ok(machine) => machine,
        Err(_) => swap.vsphere.deploy(&deployment, limit).await?,
    };
    let output = serde_json::json!({"machine": machine});
    swap.findings.new = Some(machine);
    Ok(output)
}

async fn snapshot(swap: &mut Swap) -> Result<(), StepError> {
    let Some(old) = swap.find_old().await? else { return Ok(()) };
    let limit = swap.parameters.deadlines.task;
    Ok(swap.vsphere.snapshot(&old, "before-upgrade", limit).await?)
}

/// Takes what people added to the file out of it.
async fn without_customisations(swap: &mut Swap) -> Result<(), StepError> {
    let custom = swap.findings.customisations.clone().unwrap_or_default();
    let lines: Vec<&String> = custom.haproxy.iter().flat_map(|section| &section.lines).collect();
    let shell = swap.appliance_shell()?;
    let text = shell.read(CONFIGURATION).await?.unwrap_or_default();
    let kept = text.lines().filter(|line| !lines.iter().any(|custom| line.trim() == custom.as_str()));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    Ok(shell.write(CONFIGURATION, kept).await?)
}
