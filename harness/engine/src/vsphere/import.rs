//! Deploying a machine from an OVF descriptor and a disk.

use std::time::Duration;

use bytes::Bytes;
use grenadier_wire::Secret;

use crate::vsphere::client::{Repeat, VSphere, incomplete};
use crate::vsphere::element::{Element, ManagedObject};
use crate::vsphere::error::VSphereError;
use crate::vsphere::machine::option;

/// What to deploy and where.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The new machine's name.
    pub name: String,
    /// The OVF descriptor.
    pub descriptor: String,
    /// The bytes of its disk.
    pub disk: Bytes,
    /// The deployment option.
    pub option: Option<String>,
    /// Which network each of the descriptor's networks is.
    pub networks: Vec<(String, ManagedObject)>,
    /// The values of its properties.
    pub properties: Vec<(String, Secret)>,
    /// Configuration keys the machine has from its first moment on.
    pub extra_config: Vec<(String, String)>,
    /// The resource pool.
    pub pool: ManagedObject,
    /// The datastore.
    pub datastore: ManagedObject,
    /// The folder.
    pub folder: ManagedObject,
    /// The host; none leaves the choice to the cluster.
    pub host: Option<ManagedObject>,
}

/// A file vCenter wants before the machine is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileItem {
    /// The device it is for.
    pub(super) device: String,
    /// Whether it is put where nothing is yet (an ISO) and not streamed into a disk.
    pub(super) create: bool,
}

impl VSphere {
    /// Deploys a machine, powered off, and gives its reference.
    ///
    /// The answer to the one call that makes it (`ImportVApp`) may be lost, after which a machine of that name may be there
    /// without its disk; the caller, who knows whether such a machine is its own, looks before it tries again.
    ///
    /// # Errors
    /// vCenter does not accept the descriptor with these inputs, the upload fails, or vCenter does not answer.
    pub async fn deploy(&mut self, deployment: &Deployment, limit: Duration) -> Result<ManagedObject, VSphereError> {
        let (spec, files) = self.import_spec(deployment).await?;
        let mut arguments = vec![spec.renamed("spec"), Element::reference("folder", &deployment.folder)];
        arguments.extend(deployment.host.iter().map(|host| Element::reference("host", host)));
        let answer = self.call("ImportVApp", &deployment.pool, &arguments, Repeat::IfUndelivered).await?;
        let lease = answer.reference_at("returnval").ok_or_else(|| incomplete("ImportVApp", "lease"))?;
        let result = self.fill_lease(&lease, &files, &deployment.disk, limit).await;
        if result.is_err() {
            // Without the abort the half-made machine stays until the lease expires.
            let _ = self.call("HttpNfcLeaseAbort", &lease, &[], Repeat::Freely).await;
        }
        result
    }

    async fn import_spec(&mut self, deployment: &Deployment) -> Result<(Element, Vec<FileItem>), VSphereError> {
        let manager = self.content().await?.ovf_manager;
        // `OvfCreateImportSpecParams`, its elements in the order of the schema.
        let parameters = Element::new("cisp")
            .with(Element::text("locale", ""))
            .with(Element::text("deploymentOption", deployment.option.clone().unwrap_or_default()))
            .with(Element::text("entityName", &deployment.name))
            .with_all(deployment.networks.iter().map(|(name, network)| {
                Element::new("networkMapping")
                    .with(Element::text("name", name))
                    .with(Element::reference("network", network))
            }))
            .with_all(deployment.properties.iter().map(|(key, value)| {
                Element::new("propertyMapping")
                    .with(Element::text("key", key))
                    .with(Element::text("value", value.reveal()))
            }))
            .with(Element::text("diskProvisioning", "thin"));
        let arguments = [
            Element::text("ovfDescriptor", &deployment.descriptor),
            Element::reference("resourcePool", &deployment.pool),
            Element::reference("datastore", &deployment.datastore),
            parameters,
        ];
        let answer = self.call("CreateImportSpec", &manager, &arguments, Repeat::Freely).await?;
        let result = answer.children.into_iter().find(|child| child.name == "returnval");
        let result = result.ok_or_else(|| incomplete("CreateImportSpec", "result"))?;
        let objections: Vec<_> = result.all("error").map(objection).collect();
        if !objections.is_empty() {
            return Err(VSphereError::NotImportable { reason: objections.join("; ") });
        }
        let files = result.all("fileItem").map(|item| FileItem {
            device: item.text_at("deviceId").unwrap_or_default().to_owned(),
            create: item.text_at("create") == Some("true"),
        });
        let files = files.collect();
        let spec = result.children.into_iter().find(|child| child.name == "importSpec");
        let mut spec = spec.ok_or_else(|| incomplete("CreateImportSpec", "import spec"))?;
        mark(&mut spec, &deployment.extra_config);
        Ok((spec, files))
    }
}

fn objection(error: &Element) -> String {
    let kind = error.child("fault").and_then(|fault| fault.kind.clone());
    let message = error.text_at("localizedMessage").filter(|message| !message.is_empty()).map(str::to_owned);
    message.or(kind).unwrap_or_else(|| "an objection without words".to_owned())
}

/// What stands behind `extraConfig` in a `VirtualMachineConfigSpec` (vSphere Web Services reference, data object
/// `VirtualMachineConfigSpec`): the new keys must come before any of these.
const BEHIND_EXTRA_CONFIG: &[&str] = &[
    "swapPlacement",
    "bootOptions",
    "vAppConfig",
    "ftInfo",
    "repConfigInfo",
    "vAppConfigRemoved",
    "vAssertsEnabled",
    "changeTrackingEnabled",
    "firmware",
    "maxMksConnections",
    "guestAutoLockEnabled",
    "managedBy",
    "memoryReservationLockedToMax",
    "nestedHVEnabled",
    "vPMCEnabled",
    "scheduledHardwareUpgradeInfo",
    "vmProfile",
    "messageBusTunnelEnabled",
    "crypto",
    "migrateEncryption",
];

/// Puts configuration keys into an import spec, so that not even a torn import is without them.
fn mark(spec: &mut Element, extra_config: &[(String, String)]) {
    let Some(config) = spec.children.iter_mut().find(|child| child.name == "configSpec") else { return };
    let behind = config.children.iter().position(|child| BEHIND_EXTRA_CONFIG.contains(&child.name.as_str()));
    let at = behind.unwrap_or(config.children.len());
    config.children.splice(at..at, extra_config.iter().map(|(key, value)| option(key, value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_into_the_spec_where_the_schema_has_them() {
        let config = ["name", "numCPUs", "deviceChange", "vAppConfig"].map(Element::new);
        let mut spec = Element::new("importSpec").with(Element::new("configSpec").with_all(config));
        mark(&mut spec, &[("grenadier.upgrade".into(), "k".into())]);
        let names: Vec<_> = spec.children[0].children.iter().map(|child| child.name.as_str()).collect();
        assert_eq!(names, ["name", "numCPUs", "deviceChange", "extraConfig", "vAppConfig"]);
    }
}
