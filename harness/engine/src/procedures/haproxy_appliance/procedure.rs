//! The procedure put together.

use grenadier_wire::Wire;
use sha2::{Digest, Sha256};

use crate::plan::{PLAN_FORMAT, Plan, hex};
use crate::procedure::Procedure;
use crate::procedures::haproxy_appliance::documented::documented;
use crate::procedures::haproxy_appliance::parameters::Parameters;
use crate::procedures::haproxy_appliance::steps;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::step::Step;

/// The procedure `haproxy-appliance/hardened` for these parameters. Nothing is touched before an engine runs it.
pub fn hardened(wire: Wire, parameters: Parameters) -> Procedure<Swap> {
    let mut notes = Vec::new();
    if !parameters.remove_old {
        notes.push(format!("{} stays, powered off: a rollback remains possible", parameters.old_name));
    }
    if parameters.target_regenerates_certificates {
        let target = &parameters.target;
        notes.push(format!(
            "{target} makes new certificates at every boot: the saved ones are put back once, and the next boot replaces them"
        ));
    }
    let steps = steps::all(parameters.remove_old);
    put_together("hardened", wire, parameters, steps, notes)
}

/// The procedure of this name, where there is one: `hardened` or `documented`.
pub fn named(name: &str, wire: Wire, parameters: Parameters) -> Option<Procedure<Swap>> {
    match name {
        "hardened" => Some(hardened(wire, parameters)),
        "documented" => Some(documented(wire, parameters)),
        _ => None,
    }
}

/// A procedure of the appliance under its name.
pub(super) fn put_together(
    name: &str,
    wire: Wire,
    parameters: Parameters,
    steps: Vec<Box<dyn Step<Swap>>>,
    notes: Vec<String>,
) -> Procedure<Swap> {
    let plan = Plan {
        format: PLAN_FORMAT,
        procedure: format!("haproxy-appliance/{name}"),
        from: format!("{} {}", parameters.old_name, parameters.base),
        to: format!("{} {}", parameters.new_name, parameters.target),
        steps: Vec::new(),
        notes,
    };
    let key = upgrade_key(&parameters);
    Procedure::new(plan, steps, Swap::new(wire, parameters, key))
}

/// The same for every attempt at the same upgrade, and another for any other.
fn upgrade_key(parameters: &Parameters) -> String {
    let parts = [
        &parameters.vcenter.endpoint,
        &parameters.datacenter,
        &parameters.old_name,
        &parameters.new_name,
        &parameters.base,
        &parameters.target,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    // A new image is a new upgrade, even of the same version.
    hash.update(Sha256::digest(&parameters.ova.descriptor));
    hash.update(Sha256::digest(&parameters.ova.disk));
    hex(&hash.finalize()[..8])
}
