//! Properties of one object.

use std::collections::BTreeMap;

use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::VSphereError;

/// Properties of one object, by property path. What is unset is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// The object.
    pub object: ManagedObject,
    /// The values.
    pub values: BTreeMap<String, Element>,
}

impl Properties {
    /// Nothing known yet of `object`.
    pub fn new(object: &ManagedObject) -> Properties {
        Properties { object: object.clone(), values: BTreeMap::new() }
    }

    /// A property.
    pub fn get(&self, path: &str) -> Option<&Element> {
        self.values.get(path)
    }

    /// A property's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).map(|value| value.text.as_str())
    }

    /// A property that must be set.
    ///
    /// # Errors
    /// It is not.
    pub fn require(&self, path: &str) -> Result<&Element, VSphereError> {
        self.get(path).ok_or_else(|| VSphereError::Unset { object: self.object.clone(), property: path.to_owned() })
    }

    /// A property that must refer to an object.
    ///
    /// # Errors
    /// It does not.
    pub fn reference(&self, path: &str) -> Result<ManagedObject, VSphereError> {
        let unset = || VSphereError::Unset { object: self.object.clone(), property: path.to_owned() };
        self.get(path).and_then(Element::managed_object).ok_or_else(unset)
    }

    /// The objects in a property that is an array of references.
    pub fn references(&self, path: &str) -> Vec<ManagedObject> {
        self.get(path)
            .map(|value| value.children.iter().filter_map(Element::managed_object).collect())
            .unwrap_or_default()
    }

    /// Takes in the elements called `kind` (`propSet` or `changeSet`); whether one of them was a part of a property only.
    pub(super) fn take(&mut self, kind: &str, sets: impl IntoIterator<Item = Element>, wanted: &[&str]) -> bool {
        let mut partial = false;
        for set in sets.into_iter().filter(|set| set.name == kind) {
            let (mut name, mut value) = (None, None);
            for child in set.children {
                match child.name.as_str() {
                    "name" => name = Some(child.text),
                    "val" => value = Some(child),
                    _ => {}
                }
            }
            let Some(name) = name else { continue };
            if !wanted.contains(&name.as_str()) {
                partial = true;
                continue;
            }
            match value {
                Some(value) => self.values.insert(name, value),
                None => self.values.remove(&name),
            };
        }
        partial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_a_part_are_told_from_changes_of_the_whole() {
        let mut seen = Properties::new(&ManagedObject::new("Task", "task-1"));
        let change = |name: &str, value: Option<&str>| {
            Element::new("changeSet")
                .with(Element::text("name", name))
                .with_all(value.map(|value| Element::text("val", value)))
        };
        assert!(!seen.take("changeSet", [change("info", Some("x")), change("name", Some("y"))], &["info", "name"]));
        assert_eq!((seen.text("info"), seen.text("name")), (Some("x"), Some("y")));
        assert!(!seen.take("changeSet", [change("name", None)], &["info", "name"]));
        assert_eq!(seen.text("name"), None);
        assert!(seen.take("changeSet", [change("info.state", Some("running"))], &["info", "name"]));
        assert_eq!(seen.text("info"), Some("x"));
    }
}
