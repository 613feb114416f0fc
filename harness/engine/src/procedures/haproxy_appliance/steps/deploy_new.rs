//! The new machine.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_wire::Secret;
use serde_json::{Value, json};

use crate::plan::PlannedStep;
use crate::procedures::haproxy_appliance::steps::act;
use crate::procedures::haproxy_appliance::steps::check_prerequisites::vsphere_and_target;
use crate::procedures::haproxy_appliance::steps::save_customisations::SERVICE_RANGES;
use crate::procedures::haproxy_appliance::swap::{COMPLETE_KEY, OWNER_KEY, Swap};
use crate::retry::{Certainty, Wait};
use crate::step::{Restoring, Step, StepError, StepFuture, UndoReason};
use crate::vsphere::{Deployment, MachineFacts, ManagedObject, OvfDescriptor, PowerState, Reconfigure, VSphereError};

/// Deploys the new machine, powered off, with identical inputs.
pub(super) struct DeployNew;

impl Step<Swap> for DeployNew {
    fn plan(&self, swap: &Swap) -> PlannedStep {
        act(
            swap,
            "deploy-new",
            "deploy the new machine, powered off, with identical inputs and the same certificate and key",
            "destroy the machine this upgrade made",
            &[
                "vsphere.FindByInventoryPath",
                "vsphere.RetrievePropertiesEx",
                "vsphere.PowerOffVM_Task",
                "vsphere.Destroy_Task",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
            ],
            &[
                "vsphere.RetrieveServiceContent",
                "vsphere.FindByInventoryPath",
                "vsphere.CreateImportSpec",
                "vsphere.ImportVApp",
                "vsphere.CreateFilter",
                "vsphere.WaitForUpdatesEx",
                "vsphere.DestroyPropertyFilter",
                "vsphere.POST /nfc",
                "vsphere.HttpNfcLeaseProgress",
                "vsphere.HttpNfcLeaseComplete",
                "vsphere.ReconfigVM_Task",
                "vsphere.RetrievePropertiesEx",
            ],
        )
    }

    fn apply<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, Value> {
        Box::pin(async move {
            // The last look before anything is changed: vCenter may have been upgraded since the first.
            vsphere_and_target(swap).await?;
            let deployment = deployment(swap).await?;
            let limit = swap.parameters.deadlines.task;
            let wait = Wait::new(&swap.wire, "deployment", LEASE + limit * 2, swap.parameters.deadlines.poll * 2);
            let machine = loop {
                if let Some(machine) = leftover(swap).await? {
                    break machine;
                }
                match swap.vsphere.deploy(&deployment, limit).await {
                    Ok(machine) => break machine,
                    Err(error) if may_pass(&error) => wait.again(error.to_string()).await?,
                    Err(error) => return Err(error.into()),
                }
            };
            complete(swap, &machine).await?;
            swap.findings.new = Some(machine.clone());
            Ok(json!({"machine": machine}))
        })
    }

    fn verify<'a>(&'a self, swap: &'a mut Swap) -> StepFuture<'a, ()> {
        Box::pin(async move {
            let machine = swap.new_machine()?;
            let facts = swap.vsphere.machine(&machine).await?;
            if facts.power != PowerState::Off {
                return Err(StepError::Unfit(format!("{} is {}", facts.name, facts.power.name())));
            }
            let networks =
                |facts: &MachineFacts| facts.cards.iter().map(|card| card.network_name.clone()).collect::<Vec<_>>();
            let (old, new) = (networks(&swap.old()?.machine), networks(&facts));
            if old != new {
                let message = format!("{} is on the networks {}, not {}", facts.name, new.join(", "), old.join(", "));
                return Err(StepError::Unfit(message));
            }
            Ok(())
        })
    }

    fn undo<'a>(&'a self, swap: &'a mut Swap, reason: UndoReason) -> StepFuture<'a, ()> {
        Box::pin(async move {
            // What an interrupted deployment left is not worth keeping.
            let whole = swap.findings.new.is_some();
            if reason == UndoReason::Requested && swap.parameters.keep_new_after_rollback && whole {
                return Ok(());
            }
            if let Some(machine) = swap.find_own_new().await? {
                destroy(swap, &machine).await?;
            }
            swap.findings.new = None;
            Ok(())
        })
    }

    fn restore(&self, swap: &mut Swap, output: &Value) -> Result<(), Restoring> {
        let machine: ManagedObject = serde_json::from_value(output["machine"].clone())?;
        swap.findings.new.get_or_insert(machine);
        Ok(())
    }

    fn advice(&self, swap: &Swap) -> String {
        let (old, new) = (&swap.parameters.old_name, &swap.parameters.new_name);
        let (off, destroy) = (swap.govc("vm.power -off -force", new), swap.govc("vm.destroy", new));
        format!(
            "{old} serves; never power {new} on, it would answer for the same addresses. Remove it with {off} and {destroy}, or \
             call the engine with `rollback` again"
        )
    }
}

/// A machine of the new one's name that is there already: taken over where an earlier attempt completed it, removed where an
/// earlier attempt left it torn, and left alone where it is not ours.
async fn leftover(swap: &mut Swap) -> Result<Option<ManagedObject>, StepError> {
    let Some(machine) = swap.find_new().await? else { return Ok(None) };
    if swap.option(&machine, OWNER_KEY).await? != Some(swap.owner()) {
        let name = &swap.parameters.new_name;
        return Err(StepError::Unfit(format!("there is a machine {name} already that this upgrade did not make")));
    }
    let power = swap.vsphere.power_state(&machine).await?;
    if power != PowerState::Off {
        let name = &swap.parameters.new_name;
        return Err(StepError::Unfit(format!("{name} is {} already", power.name())));
    }
    if swap.option(&machine, COMPLETE_KEY).await?.is_some() {
        return Ok(Some(machine));
    }
    destroy(swap, &machine).await?;
    Ok(None)
}

/// How long the lease of a torn import can hold its machine: vCenter's lease timeout is 300 s, and progress renews it.
const LEASE: Duration = Duration::from_secs(300);

/// Removes a machine of ours. While the lease of a torn import holds it, vCenter says that it is busy; when the lease expires,
/// vCenter removes the machine itself.
async fn destroy(swap: &mut Swap, machine: &ManagedObject) -> Result<(), StepError> {
    let limit = swap.parameters.deadlines.task;
    match swap.vsphere.settle_tasks(machine, limit, |_| true).await {
        Err(error) if error.is_fault("ManagedObjectNotFound") => return Ok(()),
        other => other?,
    }
    swap.vsphere.power_off(machine, limit).await?;
    Ok(swap.vsphere.destroy(machine, LEASE + limit).await?)
}

/// Whether a deployment that failed so may succeed the next time: the call was lost, or the lease ran out over it.
fn may_pass(error: &VSphereError) -> bool {
    let lease_lost = match error {
        VSphereError::Status { status: 401 | 404, .. } => true,
        VSphereError::Faulted { method, fault } => {
            method.starts_with("HttpNfcLease")
                && matches!(fault.kind.as_str(), "ManagedObjectNotFound" | "InvalidState")
        }
        _ => false,
    };
    lease_lost || error.certainty() != Certainty::Final || error.is_fault("NotAuthenticated")
}

/// Gives the machine the old one's hardware and marks it as complete.
async fn complete(swap: &mut Swap, machine: &ManagedObject) -> Result<(), StepError> {
    let (cpus, memory_mib) = swap.vsphere.hardware(machine).await?;
    let old = &swap.old()?.machine;
    let change = Reconfigure {
        cpus: (cpus != old.cpus).then_some(old.cpus),
        memory_mib: (memory_mib != old.memory_mib).then_some(old.memory_mib),
        extra_config: vec![(OWNER_KEY.to_owned(), swap.owner()), (COMPLETE_KEY.to_owned(), "true".to_owned())],
        ..Reconfigure::default()
    };
    let limit = swap.parameters.deadlines.task;
    Ok(swap.vsphere.reconfigure(machine, &change, limit).await?)
}

/// What to deploy: the new image with the old machine's inputs, networks and places.
pub(in crate::procedures::haproxy_appliance) async fn deployment(swap: &mut Swap) -> Result<Deployment, StepError> {
    let unfit = |message: String| StepError::Unfit(message);
    let ovf = swap.ovf()?;
    let old = &swap.old_with_inputs().await?;
    let option = if old.cards.len() > 2 { "frontend" } else { "default" };
    let option = ovf.options.iter().any(|known| known == option).then(|| option.to_owned());
    let wanted = ovf.networks(option.as_deref());
    if wanted.len() != old.cards.len() {
        let (old, new) = (old.cards.len(), wanted.len());
        return Err(unfit(format!("the old machine has {old} network cards, the new image wants {new}")));
    }
    let networks = wanted.iter().zip(&old.cards).map(|(name, card)| ((*name).to_owned(), card.network.clone()));
    Ok(Deployment {
        name: swap.parameters.new_name.clone(),
        descriptor: swap.parameters.ova.descriptor.clone(),
        disk: swap.parameters.ova.disk.clone(),
        option,
        networks: networks.collect(),
        properties: inputs(swap, old, &ovf)?,
        extra_config: vec![(OWNER_KEY.to_owned(), swap.owner())],
        pool: old.pool.clone(),
        datastore: old.datastore.clone(),
        folder: old.folder.clone(),
        host: Some(old.host.clone()),
    })
}

/// The old machine's inputs, with the certificate and key it has now in place of those it was deployed with.
fn inputs(swap: &Swap, old: &MachineFacts, ovf: &OvfDescriptor) -> Result<Vec<(String, Secret)>, StepError> {
    let certificates = swap.findings.certificates.as_ref();
    let certificates = certificates.ok_or_else(|| StepError::Unfit("no certificates were copied".to_owned()))?;
    let parameters = &swap.parameters;
    let mut values: BTreeMap<&str, Secret> =
        old.properties.iter().map(|property| (property.id.as_str(), property.value.clone())).collect();
    // vCenter need not give passwords back, so these are the ones we were told.
    values.insert("appliance.root_pwd", parameters.root_password.clone());
    values.insert("loadbalance.haproxy_user", Secret::new(&parameters.haproxy_user));
    values.insert("loadbalance.haproxy_pwd", parameters.haproxy_password.clone());
    values.insert("appliance.ca_cert", Secret::new(&certificates.server));
    values.insert("appliance.ca_cert_key", certificates.server_key.clone());
    // What it answers for now, in place of what it was deployed with.
    if let Some(added) =
        swap.findings.customisations.as_ref().map(|found| &found.ranges).filter(|added| !added.is_empty())
    {
        let deployed = old.property(SERVICE_RANGES).unwrap_or_default();
        let all = [deployed].into_iter().chain(added.iter().map(String::as_str)).filter(|range| !range.is_empty());
        values.insert(SERVICE_RANGES, Secret::new(all.collect::<Vec<_>>().join(",")));
    }
    let mut inputs = Vec::new();
    for (id, value) in values {
        match ovf.default_of(id) {
            // What is empty anyway need not be said, and may belong to another deployment option.
            default if value.reveal().is_empty() && default.is_none_or(str::is_empty) => {}
            Some(_) => inputs.push((id.to_owned(), value)),
            None => {
                let message = format!("the new image has no input {id}, which the old machine was given");
                return Err(StepError::Unfit(message));
            }
        }
    }
    Ok(inputs)
}
