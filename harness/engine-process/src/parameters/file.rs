//! The form of the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::scalars::{Fingerprint, Length, Url};

/// The parameters of an upgrade as a file, in YAML (so JSON will do too). Paths are relative to the file's folder.
///
/// It holds no secrets: it says where they are ([`SecretForm`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ParametersFile {
    /// vCenter and who logs in.
    pub vcenter: VcenterForm,
    /// The datacenter: `DC0`.
    pub datacenter: String,
    /// The machine to replace, by name.
    pub old: String,
    /// What the new machine is called.
    pub new: String,
    /// The version that is said to run: `v0.1.10`.
    pub from: String,
    /// The version to bring into service: `v0.2.0`.
    pub to: String,
    /// The target's image.
    pub image: ImageForm,
    /// Who logs in to the appliances.
    pub appliance: ApplianceForm,
    /// From where addresses are looked at, one for each cluster.
    pub vantages: Vec<VantageForm>,
    /// What the new appliance is to have, where that is not what the old one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetForm>,
    /// The vSphere version that will be there soon, where vSphere itself is to be upgraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vsphere_after: Option<String>,
    /// Whether to remove the old machine in the end. After that there is no way back.
    #[serde(default)]
    pub remove_old: bool,
    /// Whether a rollback that somebody asks for leaves the new machine there, powered off.
    #[serde(default)]
    pub keep_new_after_rollback: bool,
    /// Tells this engine from another one at the same upgrade; empty where nobody else is at work.
    #[serde(default)]
    pub run: String,
    /// How long things may take; what is not said is the engine's own.
    #[serde(default)]
    pub deadlines: DeadlinesForm,
    /// Options for `ssh`, in the form of its `-o`. The two appliances have one address and two host keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_options: Vec<String>,
}

/// vCenter and who logs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VcenterForm {
    /// `https://vcenter.example` or `https://vcenter.example:8443`.
    pub url: Url,
    /// SHA-256 of its certificate, in hexadecimal, with colons or without.
    pub fingerprint: Fingerprint,
    /// The user: `administrator@vsphere.local`.
    pub user: String,
    /// Where its password is.
    pub password: SecretForm,
}

/// Where a secret is. It is never in the file itself, nor on a command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretForm {
    /// In this file; a line break at its end is not part of it.
    File(PathBuf),
    /// In this variable of the environment.
    Env(String),
}

/// The image to deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageForm {
    /// The OVF descriptor.
    pub descriptor: PathBuf,
    /// Its disk.
    pub disk: PathBuf,
    /// Whether the target makes new certificates at every boot, as versions below v0.1.10 do.
    #[serde(default)]
    pub regenerates_certificates: bool,
}

/// Who logs in to the appliances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ApplianceForm {
    /// Where the password of `root` is. The journal's secrets are sealed with it.
    pub root_password: SecretForm,
    /// The Data Plane API's user.
    pub user: String,
    /// Where its password is.
    pub password: SecretForm,
}

/// A machine from which load-balancer addresses must be reachable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VantageForm {
    /// The cluster whose operator programs routes; its routes are called `<cluster>-…`.
    pub cluster: String,
    /// The machine's address.
    pub host: String,
    /// The login name.
    pub user: String,
    /// Where its password is; without one `ssh` must come in by a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretForm>,
    /// The load-balancer addresses to look at from there: `198.51.100.20:443`.
    pub targets: Vec<SocketAddr>,
}

/// What the new appliance is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetForm {
    /// Its networks, by name in any order.
    pub networks: Vec<String>,
    /// The service ranges it is to answer for.
    pub service_ranges: Vec<String>,
}

/// How long things may take: `90s`, `5m`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeadlinesForm {
    /// One task of vSphere, the upload of the disk aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Length>,
    /// The old appliance's guest to shut down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutdown: Option<Length>,
    /// An appliance to boot and start its services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Length>,
    /// Every load-balancer address to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Length>,
    /// The operators to program their routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<Length>,
    /// Between two looks at the same thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Length>,
}
