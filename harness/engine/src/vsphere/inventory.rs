//! Finding objects, reading properties, asking for privileges.

use crate::vsphere::client::{Repeat, VSphere};
use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::VSphereError;
use crate::vsphere::properties::Properties;

impl VSphere {
    /// The object at an inventory path: `DC0/vm/haproxy`.
    ///
    /// # Errors
    /// vCenter does not answer. That there is no such object is no error.
    pub async fn find(&mut self, path: &str) -> Result<Option<ManagedObject>, VSphereError> {
        let index = self.content().await?.search_index;
        let path = Element::text("inventoryPath", path.trim_start_matches('/'));
        let answer = self.call("FindByInventoryPath", &index, &[path], Repeat::Freely).await?;
        Ok(answer.reference_at("returnval"))
    }

    /// The object at an inventory path, which must be there.
    ///
    /// # Errors
    /// It is not, or vCenter does not answer.
    pub async fn find_required(&mut self, path: &str) -> Result<ManagedObject, VSphereError> {
        self.find(path).await?.ok_or_else(|| VSphereError::NotFound { path: path.to_owned() })
    }

    /// Properties of an object. What is unset is left out of the answer.
    ///
    /// # Errors
    /// There is no such object, it has no such property, or vCenter does not answer.
    pub async fn properties(&mut self, object: &ManagedObject, paths: &[&str]) -> Result<Properties, VSphereError> {
        let [properties] = self.properties_of([(object, paths)]).await?;
        Ok(properties)
    }

    /// Properties of several objects in one call, in the order in which they are asked for. No object is named twice,
    /// and objects of one type are asked for the same properties.
    ///
    /// # Errors
    /// As those of [`VSphere::properties`], for any of the objects.
    pub async fn properties_of<const N: usize>(
        &mut self,
        wanted: [(&ManagedObject, &[&str]); N],
    ) -> Result<[Properties; N], VSphereError> {
        let mut found = self.retrieve(&wanted).await?.into_iter();
        Ok(wanted.map(|(object, _)| found.next().unwrap_or_else(|| Properties::new(object))))
    }

    /// [`VSphere::properties_of`] where nobody knows beforehand how many objects there are.
    pub(super) async fn retrieve(
        &mut self,
        wanted: &[(&ManagedObject, &[&str])],
    ) -> Result<Vec<Properties>, VSphereError> {
        let collector = self.content().await?.property_collector;
        let arguments = [filter_spec("specSet", wanted), Element::new("options")];
        let answer = self.call("RetrievePropertiesEx", &collector, &arguments, Repeat::Freely).await?;
        let mut found: Vec<Properties> = wanted.iter().map(|(object, _)| Properties::new(object)).collect();
        let results = answer.children.into_iter().filter(|child| child.name == "returnval");
        for content in results.flat_map(|result| result.children) {
            let object = content.reference_at("obj");
            if let Some(index) = found.iter().position(|one| Some(&one.object) == object.as_ref()) {
                found[index].take("propSet", content.children, wanted[index].1);
            }
        }
        Ok(found)
    }

    /// Which of these privileges the user lacks, each on its object.
    ///
    /// # Errors
    /// vCenter does not answer.
    pub async fn missing_privileges(
        &mut self,
        wanted: &[(ManagedObject, &str)],
    ) -> Result<Vec<(ManagedObject, String)>, VSphereError> {
        let manager = self.content().await?.authorization_manager;
        let mut session = self.session_key().await?;
        let mut objects: Vec<&ManagedObject> = Vec::new();
        let mut privileges: Vec<&str> = Vec::new();
        for (object, privilege) in wanted {
            if !objects.contains(&object) {
                objects.push(object);
            }
            if !privileges.contains(privilege) {
                privileges.push(privilege);
            }
        }
        let answer = loop {
            let mut arguments: Vec<Element> =
                objects.iter().map(|object| Element::reference("entity", object)).collect();
            arguments.push(Element::text("sessionId", session.clone()));
            arguments.extend(privileges.iter().map(|privilege| Element::text("privId", *privilege)));
            let answer = self.call("HasPrivilegeOnEntities", &manager, &arguments, Repeat::Freely).await?;
            // A session that expired meanwhile has no privileges: ask about the one that took its place.
            let now = self.session_key().await?;
            if now == session {
                break answer;
            }
            session = now;
        };
        let granted = |object: &ManagedObject, privilege: &str| {
            answer.all("returnval").filter(|entry| entry.reference_at("entity").as_ref() == Some(object)).any(|entry| {
                let mut known = entry.all("privAvailability");
                known.any(|known| {
                    known.text_at("privId") == Some(privilege) && known.text_at("isGranted") == Some("true")
                })
            })
        };
        let missing = wanted.iter().filter(|(object, privilege)| !granted(object, privilege));
        Ok(missing.map(|(object, privilege)| (object.clone(), (*privilege).to_owned())).collect())
    }
}

/// A property filter, called `name`, on objects and their properties: one set of properties for each type.
pub(super) fn filter_spec(name: &str, wanted: &[(&ManagedObject, &[&str])]) -> Element {
    let first = |index: usize| wanted[..index].iter().all(|(earlier, _)| earlier.kind != wanted[index].0.kind);
    let properties = wanted.iter().enumerate().filter(|(index, _)| first(*index)).map(|(_, (object, paths))| {
        Element::new("propSet")
            .with(Element::text("type", &object.kind))
            .with(Element::text("all", "false"))
            .with_all(paths.iter().map(|path| Element::text("pathSet", *path)))
    });
    let objects = wanted.iter().map(|(object, _)| {
        Element::new("objectSet").with(Element::reference("obj", object)).with(Element::text("skip", "false"))
    });
    Element::new(name).with_all(properties).with_all(objects)
}
