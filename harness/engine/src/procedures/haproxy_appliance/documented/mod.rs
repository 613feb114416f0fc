//! The procedure `documented`: what the upgrade document tells a person to do, step by step and no more.
//!
//! The document is vmware-haproxy `docs/upgrade.md`. Where it says how to look, the step looks so and no closer; where it says
//! nothing of what somebody else may do meanwhile, the step takes no care of it. Its Recovery (new appliance off, old one on) is
//! what taking back means here: the new machine stays, because the document does not say to remove it.

mod check_prerequisites;
mod copy_certificates;
mod deploy_new;
mod power_off_old;
mod power_on_new;
mod reapply_customisations;
mod verify_addresses;
mod verify_routes;
mod verify_services;

#[cfg(test)]
mod tests;

use grenadier_wire::Wire;

use crate::plan::{PlannedStep, Undo};
use crate::procedure::Procedure;
use crate::procedures::haproxy_appliance::parameters::Parameters;
use crate::procedures::haproxy_appliance::procedure::put_together;
use crate::procedures::haproxy_appliance::steps::{planned, remove_old, save_customisations};
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::Step;

/// The procedure `haproxy-appliance/documented` for these parameters. Nothing is touched before an engine runs it.
pub fn documented(wire: Wire, parameters: Parameters) -> Procedure<Swap> {
    let mut notes = Vec::new();
    if !parameters.remove_old {
        notes.push(format!("{} stays, powered off: the document's Recovery powers it on again", parameters.old_name));
    }
    let mut steps: Vec<Box<dyn Step<Swap>>> = vec![
        Box::new(check_prerequisites::CheckPrerequisites),
        Box::new(copy_certificates::CopyCertificates),
        Box::new(save_customisations::SaveCustomisations { ranges: false }),
        Box::new(deploy_new::DeployNew),
        Box::new(power_off_old::PowerOffOld),
        Box::new(power_on_new::PowerOnNew),
        Box::new(verify_services::VerifyServices),
        Box::new(reapply_customisations::ReapplyCustomisations),
        Box::new(verify_addresses::VerifyAddresses),
        Box::new(verify_routes::VerifyRoutes),
    ];
    if parameters.remove_old {
        steps.push(Box::new(remove_old::RemoveOld));
    }
    put_together("documented", wire, parameters, steps, notes)
}

/// A step that changes something and of whose taking back the document says nothing.
fn act_for_good(swap: &Swap, name: &str, does: &str, calls: &[&str]) -> PlannedStep {
    PlannedStep { changes: true, ..planned(swap, name, does, Undo::Nothing, &[], calls) }
}

/// The calls by which a task is waited for.
const TASK: [&str; 3] = ["vsphere.CreateFilter", "vsphere.WaitForUpdatesEx", "vsphere.DestroyPropertyFilter"];

/// `calls` and those by which a task is waited for.
fn with_task<'c>(calls: &[&'c str]) -> Vec<&'c str> {
    calls.iter().copied().chain(TASK).collect()
}
