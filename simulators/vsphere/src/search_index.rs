//! SearchIndex.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::inventory::{Inventory, ROOT_FOLDER};
use crate::moref::MoRef;
use crate::virtual_machine::record::Record;

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    let inventory = sim.inventory(host, call.session.as_deref());
    Some(match call.method {
        "FindByInventoryPath" => call.args.required("inventoryPath").map(|path| found(by_path(inventory, path))),
        "FindByUuid" => by_uuid(inventory, call),
        _ => return None,
    })
}

fn found(object: Option<MoRef>) -> Reply {
    object.map_or(Reply::Void, |object| Reply::One(object.into()))
}

/// The entity at a path below the root folder: `DC0/vm/haproxy`, with or without a slash in front.
///
/// A machine's path ends in its folder. Slashes in names travel as `%2f`, which no name of ours has.
fn by_path(inventory: Inventory<'_>, path: &str) -> Option<MoRef> {
    let mut at = ROOT_FOLDER;
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        at = inventory.children(&at).into_iter().find(|child| inventory.name(child).as_deref() == Some(segment))?;
    }
    Some(at)
}

fn by_uuid(inventory: Inventory<'_>, call: &Call<'_>) -> Outcome {
    let uuid = call.args.required("uuid")?.to_ascii_lowercase();
    if !call.args.flag_of("vmSearch")? {
        return Ok(found((inventory.sim.host_uuid == uuid).then_some(crate::inventory::HOST)));
    }
    let instance = call.args.flag_of("instanceUuid")?;
    let is = |record: Record| uuid == if instance { record.instance_uuid } else { record.uuid };
    let machine = inventory.machines().find(|(_, machine)| Record::of(machine).is_some_and(is));
    Ok(found(machine.map(|(mo, _)| mo)))
}
