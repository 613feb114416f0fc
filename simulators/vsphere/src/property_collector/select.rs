//! Walking from the objects of a specification along its traversals.

use std::collections::BTreeSet;

use crate::fault::Fault;
use crate::inventory::Inventory;
use crate::moref::MoRef;
use crate::property::{self, Lookup};
use crate::property_collector::spec::{FilterSpec, Selection, Traversal, named};
use crate::value::Value;

/// The objects that `spec` chooses, each once, in the order in which they are reached. One that it begins from and that does
/// not exist is a fault, unless that is tolerated.
pub(super) fn select(inventory: Inventory<'_>, spec: &FilterSpec, tolerate_missing: bool) -> Result<Vec<MoRef>, Fault> {
    let mut chosen = Chosen::default();
    for set in &spec.objects {
        let Some(start) = inventory.resolve(&set.object.id) else {
            if tolerate_missing {
                continue;
            }
            return Err(Fault::not_found(&set.object));
        };
        if !set.skip {
            chosen.add(&start);
        }
        let mut walk = Walk { inventory, names: named(&set.select), visited: BTreeSet::new(), chosen: &mut chosen };
        walk.follow(&start, &set.select)?;
    }
    Ok(chosen.objects)
}

#[derive(Default)]
struct Chosen {
    objects: Vec<MoRef>,
    ids: BTreeSet<String>,
}

impl Chosen {
    fn add(&mut self, mo: &MoRef) {
        if self.ids.insert(mo.id.clone().into_owned()) {
            self.objects.push(mo.clone());
        }
    }
}

struct Walk<'a> {
    inventory: Inventory<'a>,
    names: Vec<&'a Traversal>,
    /// Object and traversal, by address: recursive traversals end where they have been.
    visited: BTreeSet<(String, usize)>,
    chosen: &'a mut Chosen,
}

impl<'a> Walk<'a> {
    fn follow(&mut self, from: &MoRef, select: &'a [Selection]) -> Result<(), Fault> {
        for selection in select {
            match selection {
                Selection::Traverse(traversal) => self.traverse(from, traversal)?,
                Selection::Named(name) => {
                    let meant: Vec<&Traversal> =
                        self.names.iter().copied().filter(|traversal| traversal.name.as_ref() == Some(name)).collect();
                    if meant.is_empty() {
                        return Err(Fault::invalid_argument(
                            "selectSet.name",
                            &format!("no traversal is called {name}"),
                        ));
                    }
                    for traversal in meant {
                        self.traverse(from, traversal)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn traverse(&mut self, from: &MoRef, traversal: &'a Traversal) -> Result<(), Fault> {
        let here = (from.id.clone().into_owned(), std::ptr::from_ref(traversal) as usize);
        if !from.is_a(&traversal.kind) || !self.visited.insert(here) {
            return Ok(());
        }
        let reached = match property::read(self.inventory, from, &traversal.path) {
            Lookup::Value(Value::Ref(mo)) => vec![mo],
            Lookup::Value(Value::List(_, items)) => {
                items.into_iter().filter_map(|item| if let Value::Ref(mo) = item { Some(mo) } else { None }).collect()
            }
            Lookup::Value(_) | Lookup::Unset => Vec::new(),
            Lookup::Unknown => return Err(Fault::invalid_property(&traversal.path)),
        };
        for mo in reached {
            if !traversal.skip {
                self.chosen.add(&mo);
            }
            self.follow(&mo, &traversal.select)?;
        }
        Ok(())
    }
}
