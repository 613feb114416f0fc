//! SearchIndex.

use grenadier_fleet::{CloudHost, Machine};

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::datastore::path;
use crate::fault::Fault;
use crate::inventory::{Inventory, ROOT_FOLDER};
use crate::moref::MoRef;
use crate::value::Value;
use crate::virtual_machine::record::Record;

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    let inventory = sim.inventory(host, call.session.as_deref());
    Some(match call.method {
        "FindByInventoryPath" => call.args.required("inventoryPath").map(|path| found(by_path(inventory, path))),
        "FindByUuid" => by_uuid(inventory, call).map(|machines| found(machines.into_iter().next())),
        "FindAllByUuid" => by_uuid(inventory, call).map(many),
        "FindByIp" => by_ip(inventory, call).map(|machines| found(machines.into_iter().next())),
        "FindAllByIp" => by_ip(inventory, call).map(many),
        "FindByDnsName" => by_name(inventory, call).map(|machines| found(machines.into_iter().next())),
        "FindAllByDnsName" => by_name(inventory, call).map(many),
        "FindByDatastorePath" => by_datastore_path(inventory, call),
        "FindChild" => find_child(inventory, call),
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

fn many(objects: Vec<MoRef>) -> Reply {
    Reply::Many(objects.into_iter().map(Value::Ref).collect())
}

/// The machines that `is` says yes to. Hosts are found by nothing but their UUID.
fn machines(inventory: Inventory<'_>, call: &Call<'_>, is: impl Fn(&Machine) -> bool) -> Result<Vec<MoRef>, Fault> {
    if !call.args.flag_of("vmSearch")? {
        return Ok(Vec::new());
    }
    Ok(inventory.machines().filter(|(_, machine)| is(machine)).map(|(mo, _)| mo).collect())
}

/// By an address that the guest's tools tell.
fn by_ip(inventory: Inventory<'_>, call: &Call<'_>) -> Result<Vec<MoRef>, Fault> {
    let asked = call.args.required("ip")?.parse::<std::net::IpAddr>().ok();
    machines(inventory, call, |machine| {
        asked.is_some_and(|asked| machine.addresses.values().flatten().any(|address| *address == asked))
    })
}

/// By the host name that the guest's tools tell.
fn by_name(inventory: Inventory<'_>, call: &Call<'_>) -> Result<Vec<MoRef>, Fault> {
    let asked = call.args.required("dnsName")?;
    machines(inventory, call, |machine| machine.hostname.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(asked)))
}

/// By the path of its configuration file.
fn by_datastore_path(inventory: Inventory<'_>, call: &Call<'_>) -> Outcome {
    let path = path::parse(call.args.required("path")?)?;
    let is = |machine: &Machine| Record::of(machine).is_some_and(|record| record.vmx_path() == path);
    Ok(found(inventory.machines().find(|(_, machine)| is(machine)).map(|(mo, _)| mo)))
}

fn find_child(inventory: Inventory<'_>, call: &Call<'_>) -> Outcome {
    let (asked, name) = (call.args.required_moref("entity")?, call.args.required("name")?);
    let entity = inventory.resolve(&asked.id).ok_or_else(|| Fault::not_found(&asked))?;
    let child = inventory.children(&entity).into_iter().find(|child| inventory.name(child).as_deref() == Some(name));
    Ok(found(child))
}

fn by_uuid(inventory: Inventory<'_>, call: &Call<'_>) -> Result<Vec<MoRef>, Fault> {
    let uuid = call.args.required("uuid")?.to_ascii_lowercase();
    if !call.args.flag_of("vmSearch")? {
        return Ok((inventory.sim.host_uuid == uuid).then_some(crate::inventory::HOST).into_iter().collect());
    }
    let instance = call.args.flag_of("instanceUuid")?;
    let is = |record: Record| uuid == if instance { record.instance_uuid } else { record.uuid };
    let machines = inventory.machines().filter(|(_, machine)| Record::of(machine).is_some_and(is));
    Ok(machines.map(|(mo, _)| mo).collect())
}
