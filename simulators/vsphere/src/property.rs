//! Properties of managed objects, by path.

use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::value::Value;
use crate::{
    cluster, datacenter, datastore, datastore_browser, folder, guest_operations, history, host_system, http_nfc_lease,
    network, resource_pool, service_instance, session_manager, task, view_manager, virtual_machine,
    virtual_machine_snapshot,
};

/// What is at a property path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lookup {
    /// This.
    Value(Value),
    /// Nothing now; the schema knows the path.
    Unset,
    /// The schema does not know the path.
    Unknown,
}

/// The properties that every entity in the inventory has.
const ENTITY: &[&str] = &[
    "value",
    "availableField",
    "parent",
    "customValue",
    "overallStatus",
    "configStatus",
    "configIssue",
    "effectiveRole",
    "permission",
    "name",
    "disabledMethod",
    "recentTask",
    "declaredAlarmState",
    "triggeredAlarmState",
    "alarmActionsEnabled",
    "tag",
];

/// The properties of a type beside those of every entity.
fn own(kind: &str) -> &'static [&'static str] {
    match kind {
        "ServiceInstance" => service_instance::PROPERTIES,
        "SessionManager" => session_manager::PROPERTIES,
        "PropertyCollector" => &["filter"],
        "PropertyFilter" => &["spec", "partialUpdates"],
        "ViewManager" => &["viewList"],
        "ContainerView" => view_manager::PROPERTIES,
        "ListView" => &["view"],
        "EventManager" | "TaskManager" | "EventHistoryCollector" | "TaskHistoryCollector" => history::properties(kind),
        "GuestOperationsManager" => guest_operations::PROPERTIES,
        "OvfManager" => &["ovfImportOption", "ovfExportOption"],
        "AuthorizationManager" => &["privilegeList", "roleList", "description"],
        "Folder" => folder::PROPERTIES,
        "Datacenter" => datacenter::PROPERTIES,
        "ClusterComputeResource" => cluster::PROPERTIES,
        "ResourcePool" => resource_pool::PROPERTIES,
        "HostSystem" => host_system::PROPERTIES,
        "Datastore" => datastore::PROPERTIES,
        "HostDatastoreBrowser" => datastore_browser::PROPERTIES,
        "Network" => network::PROPERTIES,
        "VirtualMachine" => virtual_machine::PROPERTIES,
        "VirtualMachineSnapshot" => virtual_machine_snapshot::PROPERTIES,
        "Task" => task::PROPERTIES,
        "HttpNfcLease" => http_nfc_lease::PROPERTIES,
        _ => &[],
    }
}

/// All properties of a type, in the order of the schema: what `all` means in a `PropertySpec`.
pub(crate) fn all(mo: &MoRef) -> Vec<&'static str> {
    let entity: &[&str] = if mo.is_a("ManagedEntity") { ENTITY } else { &[] };
    entity.iter().chain(own(&mo.kind)).copied().collect()
}

/// What is at `path` of the object `mo`.
pub(crate) fn read(inventory: Inventory<'_>, mo: &MoRef, path: &str) -> Lookup {
    Reader::new(inventory, mo).read(path)
}

/// Reads several paths of one object at one moment. What they have in common is made once: five paths below `config` need
/// one `config`.
pub(crate) struct Reader<'a> {
    inventory: Inventory<'a>,
    mo: &'a MoRef,
    wholes: Vec<(String, Option<Value>)>,
    /// Parts of a machine's `config`, by name.
    parts: Vec<(&'static str, Option<Value>)>,
}

impl<'a> Reader<'a> {
    /// A reader of the object `mo`.
    pub(crate) fn new(inventory: Inventory<'a>, mo: &'a MoRef) -> Reader<'a> {
        Reader { inventory, mo, wholes: Vec::new(), parts: Vec::new() }
    }

    /// What is at `path`.
    pub(crate) fn read(&mut self, path: &str) -> Lookup {
        let mut segments = Segments::new(path);
        let Some(first) = segments.next() else { return Lookup::Unknown };
        if first.key.is_none() && !is_known(self.mo, first.name) {
            return Lookup::Unknown;
        }
        if first.name == "config" && first.key.is_none() && self.mo.kind == "VirtualMachine" {
            let mut rest = segments.clone();
            let part = rest.next();
            let known =
                part.as_ref().and_then(|part| virtual_machine::CONFIG_PARTS.iter().find(|name| **name == part.name));
            if let (Some(part), Some(known)) = (part, known) {
                return self.config_part(known, part.key, rest);
            }
        }
        let index = match self.wholes.iter().position(|(name, _)| name == first.name) {
            Some(index) => index,
            None => {
                self.wholes.push((first.name.to_owned(), whole(self.inventory, self.mo, first.name)));
                self.wholes.len() - 1
            }
        };
        match &self.wholes[index].1 {
            Some(value) => below(value, first.key, segments),
            None => Lookup::Unset,
        }
    }
}

impl Reader<'_> {
    fn config_part(&mut self, name: &'static str, key: Option<&str>, rest: Segments<'_>) -> Lookup {
        let index = match self.parts.iter().position(|(known, _)| *known == name) {
            Some(index) => index,
            None => {
                self.parts.push((name, virtual_machine::config_part(self.inventory, self.mo, name)));
                self.parts.len() - 1
            }
        };
        match &self.parts[index].1 {
            Some(value) => below(value, key, rest),
            None => Lookup::Unset,
        }
    }
}

/// Whether the schema knows a property of this name.
fn is_known(mo: &MoRef, name: &str) -> bool {
    own(&mo.kind).contains(&name) || (mo.is_a("ManagedEntity") && ENTITY.contains(&name))
}

/// What is at the rest of a path below `value`, the element `key` of it first.
fn below(mut value: &Value, key: Option<&str>, segments: Segments<'_>) -> Lookup {
    if let Some(key) = key {
        match keyed(value, key) {
            Some(item) => value = item,
            None => return Lookup::Unset,
        }
    }
    for segment in segments {
        let Value::Data(data) = value else { return Lookup::Unknown };
        let known = data.unset.contains(&segment.name);
        let Some((_, field)) = data.fields.iter().find(|(name, _)| *name == segment.name) else {
            return if known { Lookup::Unset } else { Lookup::Unknown };
        };
        let Some(field) = field else { return Lookup::Unset };
        value = if let Value::Any(inner) = field { inner } else { field };
        if let Some(key) = segment.key {
            match keyed(value, key) {
                Some(item) => value = item,
                None => return Lookup::Unset,
            }
        }
    }
    Lookup::Value(value.clone())
}

/// A property as a whole; none where it is unset.
fn whole(inventory: Inventory<'_>, mo: &MoRef, name: &str) -> Option<Value> {
    if mo.is_a("ManagedEntity") {
        match name {
            "name" => return inventory.name(mo).map(Value::Text),
            "parent" => return inventory.parent(mo).map(Value::Ref),
            "overallStatus" | "configStatus" => return Some(Value::Enum("ManagedEntityStatus", "green")),
            "recentTask" => return Some(Value::refs(inventory.sim.tasks.of_entity(mo))),
            "alarmActionsEnabled" => return Some(Value::Bool(true)),
            _ => {}
        }
    }
    match &*mo.kind {
        "ServiceInstance" => service_instance::property(inventory, name),
        "SessionManager" => session_manager::property(inventory, name),
        "ContainerView" | "ListView" => view_manager::property(inventory, mo, name),
        "EventManager" | "TaskManager" | "EventHistoryCollector" | "TaskHistoryCollector" => {
            history::property(inventory, mo, name)
        }
        "GuestOperationsManager" => guest_operations::property(name),
        "Folder" => folder::property(inventory, mo, name),
        "Datacenter" => datacenter::property(inventory, name),
        "ClusterComputeResource" => cluster::property(inventory, name),
        "ResourcePool" => resource_pool::property(inventory, name),
        "HostSystem" => host_system::property(inventory, name),
        "Datastore" => datastore::property(inventory, name),
        "HostDatastoreBrowser" => datastore_browser::property(name),
        "Network" => network::property(inventory, mo, name),
        "VirtualMachine" => virtual_machine::property(inventory, mo, name),
        "VirtualMachineSnapshot" => virtual_machine_snapshot::property(inventory, mo, name),
        "Task" => task::property(inventory, mo, name),
        "HttpNfcLease" => http_nfc_lease::property(inventory, mo, name),
        _ => None,
    }
}

/// The element of an array whose `key` field is `key`: `extraConfig["guestinfo.backend"]`, `device[4000]`.
fn keyed<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    let Value::List(_, items) = value else { return None };
    items.iter().find(|item| {
        let Value::Data(data) = item else { return false };
        match data.get("key") {
            Some(Value::Text(text)) => text == key,
            Some(Value::Int(number)) => number.to_string() == key,
            _ => false,
        }
    })
}

/// One step of a path.
struct Segment<'a> {
    name: &'a str,
    key: Option<&'a str>,
}

/// The steps of a path. Dots inside a key are part of it.
#[derive(Clone)]
struct Segments<'a> {
    rest: &'a str,
}

impl<'a> Segments<'a> {
    fn new(path: &'a str) -> Segments<'a> {
        Segments { rest: path }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.find(['.', '[']).unwrap_or(self.rest.len());
        let (name, mut rest) = self.rest.split_at(end);
        let mut key = None;
        if let Some(inside) = rest.strip_prefix('[') {
            let close = inside.find(']').unwrap_or(inside.len());
            key = Some(inside[..close].trim_matches('"'));
            rest = inside.get(close + 1..).unwrap_or_default();
        }
        self.rest = rest.strip_prefix('.').unwrap_or(rest);
        Some(Segment { name, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_inside_a_key_belong_to_it() {
        let read =
            |path| Segments::new(path).map(|s| (s.name.to_owned(), s.key.map(str::to_owned))).collect::<Vec<_>>();
        assert_eq!(
            read("config.extraConfig[\"guestinfo.a.b\"].value"),
            [
                ("config".to_owned(), None),
                ("extraConfig".to_owned(), Some("guestinfo.a.b".to_owned())),
                ("value".to_owned(), None)
            ]
        );
        assert_eq!(read("device[4000]"), [("device".to_owned(), Some("4000".to_owned()))]);
        assert_eq!(read("a[\"unclosed").len(), 1);
    }
}
