//! A filter: what it saw, and in which version of its collector each thing last changed.
//!
//! Versions make lost answers harmless: a client that asks again with an older version is told everything since. Nothing is
//! thrown away for having been sent, because only the version of the next question shows that it arrived.

use std::collections::BTreeMap;

use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::property::{Lookup, Reader};
use crate::property_collector::select::select;
use crate::property_collector::spec::FilterSpec;
use crate::property_collector::{CollectorKey, missing_property};
use crate::value::{Data, Value};

/// A filter of a collector.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// Whose it is.
    pub(super) collector: CollectorKey,
    spec: FilterSpec,
    present: BTreeMap<String, Present>,
    left: BTreeMap<String, Left>,
}

/// An object that the filter chooses.
#[derive(Clone, Debug)]
struct Present {
    mo: MoRef,
    entered: u64,
    properties: Vec<Seen>,
    missing: Vec<String>,
}

/// A property as it was last seen.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    value: Option<Value>,
    changed: u64,
}

/// An object that the filter once chose.
#[derive(Clone, Debug)]
struct Left {
    mo: MoRef,
    entered: u64,
    left: u64,
}

impl Filter {
    pub(super) fn new(collector: CollectorKey, spec: FilterSpec) -> Filter {
        Filter { collector, spec, present: BTreeMap::new(), left: BTreeMap::new() }
    }

    /// Looks again; what changed is marked with `version`. Whether anything did.
    pub(super) fn refresh(&mut self, inventory: Inventory<'_>, version: u64) -> bool {
        // An object of the specification that no longer exists has left; the rest of the filter lives on.
        let chosen = select(inventory, &self.spec, true).unwrap_or_default();
        let mut changed = false;
        let mut before = std::mem::take(&mut self.present);
        for mo in chosen {
            let Some(paths) = self.spec.paths(&mo) else { continue };
            let id = mo.id.clone().into_owned();
            let mut object = before.remove(&id).unwrap_or_else(|| {
                changed = true;
                self.left.remove(&id);
                Present { mo: mo.clone(), entered: version, properties: Vec::new(), missing: Vec::new() }
            });
            object.missing.clear();
            let mut reader = Reader::new(inventory, &mo);
            for path in paths {
                let value = match reader.read(&path) {
                    Lookup::Value(value) => Some(value),
                    Lookup::Unset => None,
                    Lookup::Unknown => {
                        object.missing.push(path);
                        continue;
                    }
                };
                match object.properties.iter_mut().find(|seen| seen.path == path) {
                    Some(seen) if seen.value == value => {}
                    Some(seen) => {
                        changed = true;
                        *seen = Seen { path, value, changed: version };
                    }
                    None => object.properties.push(Seen { path, value, changed: version }),
                }
            }
            self.present.insert(id, object);
        }
        for (id, gone) in before {
            changed = true;
            self.left.insert(id, Left { mo: gone.mo, entered: gone.entered, left: version });
        }
        changed
    }

    /// `ObjectUpdate`s with what changed after version `since`, each with its place among them: whether it left, and its id.
    pub(super) fn updates(&self, since: u64) -> impl Iterator<Item = ((bool, &str), Data)> {
        let entered =
            self.present.iter().filter_map(move |(id, object)| Some(((false, id.as_str()), object.update(since)?)));
        // Who never heard of an object need not hear that it left.
        let left = self.left.iter().filter(move |(_, gone)| gone.left > since && gone.entered <= since);
        let left =
            left.map(|(id, gone)| ((true, id.as_str()), object_update("leave", &gone.mo, Vec::new(), Vec::new())));
        entered.chain(left)
    }
}

impl Present {
    fn update(&self, since: u64) -> Option<Data> {
        if self.entered > since {
            let set = self.properties.iter().filter(|seen| seen.value.is_some()).map(Seen::change).collect();
            let missing = self.missing.iter().map(|path| missing_property(path)).collect();
            return Some(object_update("enter", &self.mo, set, missing));
        }
        let set: Vec<Data> = self.properties.iter().filter(|seen| seen.changed > since).map(Seen::change).collect();
        (!set.is_empty()).then(|| object_update("modify", &self.mo, set, Vec::new()))
    }
}

impl Seen {
    /// `PropertyChange`: the whole value, or none where it is unset now.
    fn change(&self) -> Data {
        Data::new("PropertyChange")
            .with("name", self.path.as_str())
            .with("op", Value::Enum("PropertyChangeOp", "assign"))
            .maybe("val", self.value.clone().map(|value| Value::Any(Box::new(value))))
    }
}

fn object_update(kind: &'static str, mo: &MoRef, set: Vec<Data>, missing: Vec<Data>) -> Data {
    Data::new("ObjectUpdate")
        .with("kind", Value::Enum("ObjectUpdateKind", kind))
        .with("obj", mo.clone())
        .with("changeSet", Value::list("PropertyChange", set))
        .with("missingSet", Value::list("MissingProperty", missing))
}
