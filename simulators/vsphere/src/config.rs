//! What a vCenter is made from.

use std::collections::BTreeSet;
use std::time::Duration;

use grenadier_clock::Seed;
use grenadier_wire::Secret;

/// What somebody may do, by the name that vCenter's own roles have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    #[default]
    Administrator,
    /// Looking at everything, changing nothing.
    ReadOnly,
    /// Everything but making machines.
    NoDeploy,
}

impl Role {
    /// Whether the role grants a privilege.
    ///
    /// vSphere Security, "Predefined Roles": read-only holds the three privileges of the system alone.
    pub(crate) fn grants(self, privilege: &str) -> bool {
        match self {
            Role::Administrator => true,
            Role::NoDeploy => !matches!(
                privilege,
                "VApp.Import"
                    | "VirtualMachine.Inventory.Create"
                    | "VirtualMachine.Inventory.CreateFromExisting"
                    | "VirtualMachine.Inventory.Register"
                    | "VirtualMachine.Provisioning.Clone"
                    | "VirtualMachine.Provisioning.DeployTemplate"
            ),
            Role::ReadOnly => matches!(privilege, "System.Anonymous" | "System.View" | "System.Read"),
        }
    }
}

/// Somebody who may log in. Holds every privilege of a role but those taken away.
#[derive(Clone, Debug)]
pub struct User {
    /// The login name: `administrator@vsphere.local`.
    pub name: String,
    /// The password.
    pub password: Secret,
    /// The role.
    pub role: Role,
    /// Privileges taken away, spelt as vSphere spells them: `VApp.Import`.
    pub missing_privileges: BTreeSet<String>,
}

/// What a vCenter is made from.
#[derive(Clone, Debug)]
pub struct VSphereConfig {
    /// The release it says it is: `7.0.1`.
    pub version: String,
    /// What its UUIDs and session tokens follow from.
    pub seed: Seed,
    /// Who may log in.
    pub users: Vec<User>,
    /// The networks, each a segment of the fleet with the same name.
    pub networks: Vec<String>,
    /// How long a session may be idle.
    pub session_timeout: Duration,
    /// How long an import may go without progress before it is given up.
    pub lease_timeout: Duration,
    /// How many bytes of uploads are kept at most, whatever the datastore's size: they are in memory.
    pub stored_bytes: u64,
    /// What upload addresses begin with. `https://*` tells the client to put the host that it already talks to for the star.
    pub upload_base: String,
}

impl VSphereConfig {
    /// A vCenter of a release, with the time limits of a fresh installation (30 minutes of idleness, five without progress).
    pub fn new(version: impl Into<String>, seed: Seed) -> VSphereConfig {
        VSphereConfig {
            version: version.into(),
            seed,
            users: Vec::new(),
            networks: Vec::new(),
            session_timeout: Duration::from_secs(30 * 60),
            lease_timeout: Duration::from_secs(300),
            stored_bytes: u64::MAX,
            upload_base: "https://*".to_owned(),
        }
    }
}
