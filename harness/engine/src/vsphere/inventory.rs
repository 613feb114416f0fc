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
        let collector = self.content().await?.property_collector;
        let spec = filter_spec(object, paths).renamed("specSet");
        let arguments = [spec, Element::new("options")];
        let answer = self.call("RetrievePropertiesEx", &collector, &arguments, Repeat::Freely).await?;
        let mut properties = Properties::new(object);
        let found = answer.child("returnval").into_iter().flat_map(|result| result.all("objects"));
        for content in found.filter(|content| content.reference_at("obj").as_ref() == Some(object)) {
            properties.take(content.all("propSet").cloned(), paths);
        }
        Ok(properties)
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
        let session = self.session_key().await?;
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
        let mut arguments: Vec<Element> = objects.iter().map(|object| Element::reference("entity", object)).collect();
        arguments.push(Element::text("sessionId", session));
        arguments.extend(privileges.iter().map(|privilege| Element::text("privId", *privilege)));
        let answer = self.call("HasPrivilegeOnEntities", &manager, &arguments, Repeat::Freely).await?;
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

/// A property filter on one object.
pub(super) fn filter_spec(object: &ManagedObject, paths: &[&str]) -> Element {
    let properties = Element::new("propSet")
        .with(Element::text("type", &object.kind))
        .with(Element::text("all", "false"))
        .with_all(paths.iter().map(|path| Element::text("pathSet", *path)));
    let objects =
        Element::new("objectSet").with(Element::reference("obj", object)).with(Element::text("skip", "false"));
    Element::new("spec").with(properties).with(objects)
}
