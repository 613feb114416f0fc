//! What the procedure is told.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use grenadier_wire::Secret;

use crate::vsphere::VSphereAccess;

/// The image to deploy.
#[derive(Clone, Debug)]
pub struct Ova {
    /// The OVF descriptor.
    pub descriptor: String,
    /// The bytes of its disk.
    pub disk: Bytes,
}

/// A machine from which load-balancer addresses must be reachable: the supervisor or a tenant cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// The cluster whose operator programs routes; its routes are called `<cluster>-…`.
    pub cluster: String,
    /// The machine's address.
    pub host: String,
    /// The login name.
    pub user: String,
    /// Its password, where it has one.
    pub password: Option<Secret>,
    /// The load-balancer addresses to look at from there.
    pub targets: Vec<SocketAddr>,
}

/// How long things may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// One task of vSphere, the upload of the disk aside.
    pub task: Duration,
    /// The old appliance's guest to shut down, before it is powered off hard.
    pub shutdown: Duration,
    /// An appliance to boot and start its services.
    pub services: Duration,
    /// Every load-balancer address to answer. The operators program them first, so this is never shorter than `routes`.
    pub addresses: Duration,
    /// The operators to program their routes: the document's rule of thumb is five minutes.
    pub routes: Duration,
    /// Between two looks at the same thing.
    pub poll: Duration,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            task: Duration::from_secs(120),
            shutdown: Duration::from_secs(60),
            services: Duration::from_secs(180),
            addresses: Duration::from_secs(360),
            routes: Duration::from_secs(300),
            poll: Duration::from_secs(1),
        }
    }
}

/// What the procedure is told.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// vCenter and who logs in.
    pub vcenter: VSphereAccess,
    /// The datacenter: `DC0`.
    pub datacenter: String,
    /// The machine to replace.
    pub old_name: String,
    /// What the new machine is called.
    pub new_name: String,
    /// The version that is said to run: `v0.1.10`.
    pub base: String,
    /// The version to bring into service: `v0.2.0`.
    pub target: String,
    /// Whether the target makes new certificates at every boot, as those below v0.1.10 do.
    pub target_regenerates_certificates: bool,
    /// The vSphere version that will be there soon, where vSphere itself is to be upgraded.
    pub vsphere_after: Option<String>,
    /// The target's image.
    pub ova: Ova,
    /// The networks the new appliance is to have, by name in any order; none means those of the old one.
    pub target_networks: Option<Vec<String>>,
    /// The service ranges the new appliance is to answer for; none means those of the old one.
    pub target_service_ranges: Option<Vec<String>>,
    /// The password of `root` on both appliances.
    pub root_password: Secret,
    /// The Data Plane API's user.
    pub haproxy_user: String,
    /// Its password.
    pub haproxy_password: Secret,
    /// From where addresses are looked at, one for each cluster.
    pub vantages: Vec<Vantage>,
    /// Whether to remove the old machine in the end. After that there is no way back.
    pub remove_old: bool,
    /// Whether a rollback that somebody asks for leaves the new machine there, powered off.
    pub keep_new_after_rollback: bool,
    /// Tells an engine from another one at the same upgrade; the same for all that go on with one journal, and empty where nobody
    /// else is at work.
    pub run: String,
    /// How long things may take.
    pub deadlines: Deadlines,
}
