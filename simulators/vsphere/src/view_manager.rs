//! ViewManager, ContainerView and ListView.

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

/// A view: objects chosen by where they are, or one by one.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// By where they are.
    Container(ContainerView),
    /// One by one.
    List {
        /// The session that made it; it is gone with that.
        session: String,
        /// The objects.
        objects: Vec<MoRef>,
    },
}

impl View {
    /// The session that made it.
    pub(crate) fn session(&self) -> &str {
        match self {
            View::Container(view) => &view.session,
            View::List { session, .. } => session,
        }
    }

    /// Its type.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            View::Container(_) => "ContainerView",
            View::List { .. } => "ListView",
        }
    }
}

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match (&*call.target.kind, call.method) {
        ("ViewManager", "CreateContainerView") => create(sim, call, host),
        ("ViewManager", "CreateListView") => create_list(sim, call, host),
        ("ListView", "ModifyListView" | "ResetListView") => change_list(sim, call, host),
        ("ContainerView" | "ListView", "DestroyView") => {
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
    sim.views.insert(number, View::Container(view));
    Ok(Reply::One(MoRef::new("ContainerView", format!("view-{number}")).into()))
}

fn create_list(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let (objects, _) = listed(inventory, call, "obj");
    let view = View::List { session: call.session()?.to_owned(), objects };
    let number = sim.ids.next("view");
    sim.views.insert(number, view);
    Ok(Reply::One(MoRef::new("ListView", format!("view-{number}")).into()))
}

/// The objects of an argument that exist, and those that do not.
fn listed(inventory: Inventory<'_>, call: &Call<'_>, name: &'static str) -> (Vec<MoRef>, Vec<MoRef>) {
    let (mut there, mut unknown) = (Vec::new(), Vec::new());
    for asked in call.args.children(name).map(|node| node.moref()) {
        match inventory.resolve(&asked.id) {
            Some(mo) if !there.contains(&mo) => there.push(mo),
            Some(_) => {}
            None => unknown.push(asked),
        }
    }
    (there, unknown)
}

/// Answers with what it was to add and does not exist.
fn change_list(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let inventory = sim.inventory(host, call.session.as_deref());
    let reset = call.method == "ResetListView";
    let (added, unknown) = listed(inventory, call, if reset { "obj" } else { "add" });
    let removed: Vec<MoRef> = call.args.children("remove").map(|node| node.moref()).collect();
    let number = call.target.number("view-").unwrap_or_default();
    if let Some(View::List { objects, .. }) = sim.views.get_mut(&number) {
        objects.retain(|mo| !reset && !removed.iter().any(|gone| gone.id == mo.id));
        for mo in added {
            if !objects.contains(&mo) {
                objects.push(mo);
            }
        }
    }
    Ok(Reply::Many(unknown.into_iter().map(Value::Ref).collect()))
}

pub(crate) fn property(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    let view = match inventory.sim.views.get(&mo.number("view-")?)? {
        View::Container(view) => view,
        View::List { objects, .. } => {
            // Who is gone since then is in no list.
            let there = objects.iter().filter(|mo| inventory.resolve(&mo.id).is_some());
            return (name == "view").then(|| Value::refs(there.cloned()));
        }
    };
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
