//! `PropertyFilterSpec`: which objects, which properties.

use crate::fault::Fault;
use crate::moref::MoRef;
use crate::property;
use crate::soap::decode::Node;

/// A `PropertyFilterSpec`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FilterSpec {
    properties: Vec<PropertySpec>,
    pub(super) objects: Vec<ObjectSpec>,
    /// Objects that do not exist are left out instead of being a fault.
    pub(super) tolerate_missing: bool,
}

/// A `PropertySpec`.
#[derive(Clone, Debug, PartialEq)]
struct PropertySpec {
    kind: String,
    all: bool,
    paths: Vec<String>,
}

/// An `ObjectSpec`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectSpec {
    pub(super) object: MoRef,
    pub(super) skip: bool,
    pub(super) select: Vec<Selection>,
}

/// A `TraversalSpec`, or, by name only, a `SelectionSpec` that means one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Selection {
    /// From objects of a type along a property.
    Traverse(Traversal),
    /// Another one of the same object specification, by its name; this is how traversals recur.
    Named(String),
}

/// A `TraversalSpec`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Traversal {
    pub(super) name: Option<String>,
    pub(super) kind: String,
    pub(super) path: String,
    pub(super) skip: bool,
    pub(super) select: Vec<Selection>,
}

impl FilterSpec {
    /// Reads one.
    pub(super) fn parse(node: Node<'_>) -> Result<FilterSpec, Fault> {
        let mut properties = Vec::new();
        for set in node.children("propSet") {
            properties.push(PropertySpec {
                kind: set.required_owned("type")?,
                all: set.flag_of("all")?,
                paths: set.texts_of("pathSet"),
            });
        }
        let mut objects = Vec::new();
        for set in node.children("objectSet") {
            objects.push(ObjectSpec {
                object: set.required_moref("obj")?,
                skip: set.flag_of("skip")?,
                select: selections(set)?,
            });
        }
        let tolerate_missing = node.flag_of("reportMissingObjectsInResults")?;
        Ok(FilterSpec { properties, objects, tolerate_missing })
    }

    /// The paths that are wanted of an object, from every property set of its type or a base of it; none where there is no
    /// such set.
    pub(super) fn paths(&self, mo: &MoRef) -> Option<Vec<String>> {
        let sets: Vec<&PropertySpec> = self.properties.iter().filter(|set| mo.is_a(&set.kind)).collect();
        if sets.is_empty() {
            return None;
        }
        let mut paths: Vec<String> = Vec::new();
        for set in sets {
            let all = if set.all { property::all(mo) } else { Vec::new() };
            for path in all.into_iter().map(str::to_owned).chain(set.paths.iter().cloned()) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        Some(paths)
    }
}

fn selections(node: Node<'_>) -> Result<Vec<Selection>, Fault> {
    node.children("selectSet").map(selection).collect()
}

fn selection(node: Node<'_>) -> Result<Selection, Fault> {
    // Some clients leave the type out; a path makes it a traversal all the same.
    if node.kind() == Some("TraversalSpec") || node.child("path").is_some() {
        return Ok(Selection::Traverse(Traversal {
            name: node.owned_of("name").filter(|name| !name.is_empty()),
            kind: node.required_owned("type")?,
            path: node.required_owned("path")?,
            skip: node.flag_of("skip")?,
            select: selections(node)?,
        }));
    }
    node.required_owned("name").map(Selection::Named)
}

/// Every traversal of an object specification that has a name.
pub(super) fn named(select: &[Selection]) -> Vec<&Traversal> {
    let mut found = Vec::new();
    for selection in select {
        if let Selection::Traverse(traversal) = selection {
            if traversal.name.is_some() {
                found.push(traversal);
            }
            found.extend(named(&traversal.select));
        }
    }
    found
}
