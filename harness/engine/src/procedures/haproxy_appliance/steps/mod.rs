//! The steps of the procedure `hardened`, one file for each.

pub(super) mod check_prerequisites;
pub(super) mod copy_certificates;
pub(super) mod deploy_new;
mod power_off_old;
mod power_on_new;
mod read_appliance;
pub(super) mod reapply_customisations;
pub(super) mod remove_old;
pub(super) mod save_customisations;
mod verify_addresses;
mod verify_routes;
mod verify_services;

use crate::plan::{PlannedStep, Undo};
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::Step;

#[cfg(feature = "mutants")]
pub(super) use deploy_new::deployment;

/// The steps, in order.
pub(super) fn all(remove_old: bool) -> Vec<Box<dyn Step<Swap>>> {
    let mut steps: Vec<Box<dyn Step<Swap>>> = vec![
        Box::new(check_prerequisites::CheckPrerequisites),
        Box::new(read_appliance::ReadAppliance),
        Box::new(copy_certificates::CopyCertificates),
        Box::new(save_customisations::SaveCustomisations { ranges: true }),
        Box::new(deploy_new::DeployNew),
        Box::new(power_off_old::PowerOffOld),
        Box::new(power_on_new::PowerOnNew),
        Box::new(verify_services::VerifyServices),
        Box::new(reapply_customisations::ReapplyCustomisations),
        Box::new(verify_addresses::VerifyAddresses),
        Box::new(verify_routes::VerifyRoutes),
    ];
    if remove_old {
        steps.push(Box::new(remove_old::RemoveOld));
    }
    steps
}

/// A step that only looks.
pub(super) fn look(swap: &Swap, name: &str, does: &str, calls: &[&str]) -> PlannedStep {
    planned(swap, name, does, Undo::Nothing, &[], calls)
}

/// A step that changes something and is taken back by `undo`.
pub(super) fn act(swap: &Swap, name: &str, does: &str, undo: &str, undo_calls: &[&str], calls: &[&str]) -> PlannedStep {
    planned(swap, name, does, Undo::Does(undo.to_owned()), undo_calls, calls)
}

/// A step of this upgrade.
pub(super) fn planned(
    swap: &Swap,
    name: &str,
    does: &str,
    undo: Undo,
    undo_calls: &[&str],
    calls: &[&str],
) -> PlannedStep {
    let owned = |calls: &[&str]| calls.iter().map(|call| (*call).to_owned()).collect();
    PlannedStep {
        name: name.to_owned(),
        does: does.to_owned(),
        changes: undo != Undo::Nothing,
        undo,
        undo_calls: owned(undo_calls),
        boundary: None,
        calls: owned(calls),
        key: format!("{}/{name}", swap.key),
    }
}
