//! What came with an OVF: products, properties, and how the guest gets them.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::soap::decode::Node;
use crate::value::{Data, Value};

/// The transport that delivers properties in the key `guestinfo.ovfEnv`.
pub(crate) const GUEST_INFO: &str = "com.vmware.guestInfo";

/// A machine's vApp configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VApp {
    /// Products.
    pub(crate) product: Vec<Product>,
    /// Properties.
    pub(crate) property: Vec<Property>,
    /// Licence texts.
    pub(crate) eula: Vec<String>,
    /// How the environment reaches the guest.
    pub(crate) ovf_environment_transport: Vec<String>,
}

/// A product section.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product {
    pub(crate) key: i32,
    pub(crate) class_id: String,
    pub(crate) instance_id: String,
    pub(crate) name: String,
    pub(crate) vendor: String,
    pub(crate) version: String,
    pub(crate) full_version: String,
}

/// A property.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Property {
    pub(crate) key: i32,
    pub(crate) class_id: String,
    pub(crate) instance_id: String,
    pub(crate) id: String,
    pub(crate) category: String,
    pub(crate) label: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) user_configurable: bool,
    pub(crate) default_value: String,
    /// Empty means the default.
    pub(crate) value: String,
    pub(crate) description: String,
}

impl Property {
    /// The name in mappings and environments: `class.id.instance`, with what is empty left out.
    pub(crate) fn full_key(&self) -> String {
        let parts = [&self.class_id, &self.id, &self.instance_id];
        parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(".")
    }

    /// The value, or the default where there is none.
    pub(crate) fn effective(&self) -> &str {
        if self.value.is_empty() { &self.default_value } else { &self.value }
    }

    fn data(&self) -> Data {
        Data::new("VAppPropertyInfo")
            .with("key", self.key)
            .with("classId", self.class_id.as_str())
            .with("instanceId", self.instance_id.as_str())
            .with("id", self.id.as_str())
            .with("category", self.category.as_str())
            .with("label", self.label.as_str())
            .with("type", self.kind.as_str())
            .unset(&["typeReference"])
            .with("userConfigurable", self.user_configurable)
            .with("defaultValue", self.default_value.as_str())
            .with("value", self.value.as_str())
            .with("description", self.description.as_str())
    }

    /// Takes over the fields that `info` has.
    fn update(&mut self, info: Node<'_>) -> Result<(), Fault> {
        let texts = [
            ("classId", &mut self.class_id),
            ("instanceId", &mut self.instance_id),
            ("id", &mut self.id),
            ("category", &mut self.category),
            ("label", &mut self.label),
            ("type", &mut self.kind),
            ("defaultValue", &mut self.default_value),
            ("value", &mut self.value),
            ("description", &mut self.description),
        ];
        for (name, field) in texts {
            if let Some(text) = info.text_of(name) {
                text.clone_into(field);
            }
        }
        if info.child("userConfigurable").is_some() {
            self.user_configurable = info.flag_of("userConfigurable")?;
        }
        Ok(())
    }
}

impl Product {
    fn data(&self) -> Data {
        Data::new("VAppProductInfo")
            .with("key", self.key)
            .with("classId", self.class_id.as_str())
            .with("instanceId", self.instance_id.as_str())
            .with("name", self.name.as_str())
            .with("vendor", self.vendor.as_str())
            .with("version", self.version.as_str())
            .with("fullVersion", self.full_version.as_str())
            .unset(&["vendorUrl", "productUrl", "appUrl"])
    }

    fn update(&mut self, info: Node<'_>) {
        let texts = [
            ("classId", &mut self.class_id),
            ("instanceId", &mut self.instance_id),
            ("name", &mut self.name),
            ("vendor", &mut self.vendor),
            ("version", &mut self.version),
            ("fullVersion", &mut self.full_version),
        ];
        for (name, field) in texts {
            if let Some(text) = info.text_of(name) {
                text.clone_into(field);
            }
        }
    }
}

/// What an array update does to one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Add,
    Edit,
    Remove,
}

impl VApp {
    /// Whether the guest gets the environment in its configuration.
    pub(crate) fn by_guest_info(&self) -> bool {
        self.ovf_environment_transport.iter().any(|transport| transport == GUEST_INFO)
    }

    /// `VmConfigInfo`, as `config.vAppConfig` has it.
    pub(crate) fn info(&self) -> Data {
        let assignment = Data::new("VAppIPAssignmentInfo").unset(&[
            "supportedAllocationScheme",
            "ipAllocationPolicy",
            "supportedIpProtocol",
            "ipProtocol",
        ]);
        Data::new("VmConfigInfo")
            .with("product", Value::list("VAppProductInfo", self.product.iter().map(Product::data)))
            .with("property", Value::list("VAppPropertyInfo", self.property.iter().map(Property::data)))
            .with("ipAssignment", assignment)
            .with("eula", Value::texts(self.eula.iter().cloned()))
            .with("ovfEnvironmentTransport", Value::texts(self.ovf_environment_transport.iter().cloned()))
            .with("installBootRequired", false)
            .with("installBootStopDelay", 0)
            .unset(&["ovfSection"])
    }

    /// `VmConfigSpec` that adds everything, as an import specification has it.
    pub(crate) fn spec(&self) -> Data {
        let add = || Value::Enum("ArrayUpdateOperation", "add");
        let products = self
            .product
            .iter()
            .map(|product| Data::new("VAppProductSpec").with("operation", add()).with("info", product.data()));
        let properties = self
            .property
            .iter()
            .map(|property| Data::new("VAppPropertySpec").with("operation", add()).with("info", property.data()));
        Data::new("VmConfigSpec")
            .with("product", Value::list("VAppProductSpec", products))
            .with("property", Value::list("VAppPropertySpec", properties))
            .with("eula", Value::texts(self.eula.iter().cloned()))
            .with("ovfEnvironmentTransport", Value::texts(self.ovf_environment_transport.iter().cloned()))
    }

    /// Applies a `VmConfigSpec`. Properties and products are added, edited and removed by key; texts replace as a whole.
    pub(crate) fn apply(&mut self, spec: Node<'_>) -> Result<(), Fault> {
        for node in spec.children("product") {
            match (change(node)?, key(node)?) {
                (Change::Add, (key, Some(info))) => {
                    let mut product = Product { key, ..Product::default() };
                    product.update(info);
                    self.product.push(product);
                }
                (Change::Edit, (key, Some(info))) => {
                    let product = self.product.iter_mut().find(|product| product.key == key);
                    product.ok_or_else(|| unknown("product", key))?.update(info);
                }
                (_, (key, _)) => {
                    let position = self.product.iter().position(|product| product.key == key);
                    self.product.remove(position.ok_or_else(|| unknown("product", key))?);
                }
            }
        }
        for node in spec.children("property") {
            match (change(node)?, key(node)?) {
                (Change::Add, (key, Some(info))) => {
                    let mut property = Property { key, ..Property::default() };
                    property.update(info)?;
                    self.property.push(property);
                }
                (Change::Edit, (key, Some(info))) => {
                    let property = self.property.iter_mut().find(|property| property.key == key);
                    property.ok_or_else(|| unknown("property", key))?.update(info)?;
                }
                (_, (key, _)) => {
                    let position = self.property.iter().position(|property| property.key == key);
                    self.property.remove(position.ok_or_else(|| unknown("property", key))?);
                }
            }
        }
        let (eula, transport) = (spec.texts_of("eula"), spec.texts_of("ovfEnvironmentTransport"));
        if !eula.is_empty() {
            self.eula = eula;
        }
        if !transport.is_empty() {
            self.ovf_environment_transport = transport;
        }
        Ok(())
    }
}

fn change(node: Node<'_>) -> Result<Change, Fault> {
    match node.required("operation")? {
        "add" => Ok(Change::Add),
        "edit" => Ok(Change::Edit),
        "remove" => Ok(Change::Remove),
        other => Err(Fault::invalid_argument("operation", &format!("`{other}` is no array operation"))),
    }
}

/// The key an update is about, and what it says about it.
fn key(node: Node<'_>) -> Result<(i32, Option<Node<'_>>), Fault> {
    if let Some(key) = node.number_of("removeKey")? {
        return Ok((key, None));
    }
    let info = node.required_child("info")?;
    let key = info.number_of("key")?.ok_or_else(|| Fault::invalid_request("required parameter key is missing"))?;
    Ok((key, Some(info)))
}

fn unknown(what: &str, key: i32) -> Fault {
    Fault::invalid_argument(&format!("vAppConfig.{what}"), &format!("there is none with key {key}"))
}

#[cfg(test)]
mod tests {
    use crate::soap::tree::Tree;

    use super::*;

    fn applied(vapp: &VApp, spec: &str) -> Result<VApp, Fault> {
        let tree = Tree::parse(spec).unwrap();
        let mut vapp = vapp.clone();
        vapp.apply(tree.root()).map(|()| vapp)
    }

    #[test]
    fn properties_are_added_edited_and_removed_by_key() {
        let added = applied(
            &VApp::default(),
            "<s><property><operation>add</operation><info><key>3</key><classId>network</classId><id>hostname</id>\
             <defaultValue>haproxy.local</defaultValue></info></property>\
             <ovfEnvironmentTransport>com.vmware.guestInfo</ovfEnvironmentTransport></s>",
        )
        .unwrap();
        assert_eq!(added.property[0].full_key(), "network.hostname");
        assert_eq!(added.property[0].effective(), "haproxy.local");
        assert!(added.by_guest_info());
        let edit = "<s><property><operation>edit</operation><info><key>3</key><value>x</value></info></property></s>";
        let edited = applied(&added, edit).unwrap();
        assert_eq!((edited.property[0].effective(), edited.property[0].id.as_str()), ("x", "hostname"));
        let removed =
            applied(&edited, "<s><property><operation>remove</operation><removeKey>3</removeKey></property></s>");
        assert!(removed.unwrap().property.is_empty());
        assert_eq!(applied(&VApp::default(), edit).unwrap_err().kind, "InvalidArgument");
    }
}
