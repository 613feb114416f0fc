//! ViewManager and ContainerView.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::value::Value;

/// The properties of a container view.
pub(crate) const PROPERTIES: &[&str] = &["view", "container", "type", "recursive"];

/// A container view: what is below an entity, always as it is now.
#[derive(Clone, Debug)]
pub(crate) struct ContainerView {
    /// The session that made it; it is gone with that.
    pub(crate) session: String,
    container: MoRef,
    types: Vec<String>,
    recursive: bool,
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match (&*call.target.kind, call.method) {
        ("ViewManager", "CreateContainerView") => create(sim, call, host),
        ("ContainerView", "DestroyView") => {
            let number = call.target.number("view-").unwrap_or_default();
            sim.views.remove(&number);
            Ok(Reply::Void)
        }
        _ => return None,
    })
}

fn create(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let asked = call.args.required_moref("container")?;
    let inventory = sim.inventory(host, call.session.as_deref());
    let container = inventory.resolve(&asked.id).ok_or_else(|| Fault::not_found(&asked))?;
    if !matches!(&*container.kind, "Folder" | "Datacenter" | "ClusterComputeResource" | "ResourcePool" | "HostSystem") {
        return Err(Fault::invalid_argument(
            "container",
            "views are made of folders, datacenters, clusters, pools and hosts",
        ));
    }
    let view = ContainerView {
        session: call.session()?.to_owned(),
        container,
        types: call.args.texts_of("type"),
        recursive: call.args.flag_of("recursive")?,
    };
    let number = sim.ids.next("view");
    sim.views.insert(number, view);
    Ok(Reply::One(MoRef::new("ContainerView", format!("view-{number}")).into()))
}

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let view = inventory.sim.views.get(&mo.number("view-")?)?;
    Some(match name {
        "view" => Value::refs(members(inventory, view)),
        "container" => view.container.clone().into(),
        "type" => Value::texts(view.types.iter().cloned()),
        "recursive" => view.recursive.into(),
        _ => return None,
    })
}

fn members(inventory: Inventory<'_>, view: &ContainerView) -> Vec<MoRef> {
    let mut found = Vec::new();
    let mut open = below(inventory, &view.container);
    while let Some(mo) = open.pop() {
        if view.recursive {
            open.extend(below(inventory, &mo));
        }
        if view.types.is_empty() || view.types.iter().any(|kind| mo.is_a(kind)) {
            found.push(mo);
        }
    }
    found.sort_by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)));
    found.dedup();
    found
}

/// What a view finds below an entity: its children in the inventory, and the machines of a pool or a host.
fn below(inventory: Inventory<'_>, mo: &MoRef) -> Vec<MoRef> {
    match &*mo.kind {
        "ResourcePool" | "HostSystem" => inventory.machines().map(|(mo, _)| mo).collect(),
        _ => inventory.children(mo),
    }
}
