//! Where vCenter is and who logs in.

use grenadier_wire::{Secret, TlsTrust};

/// Where vCenter is and who logs in.
#[derive(Clone, Debug)]
pub struct VSphereAccess {
    /// Host and port: `vcenter.example:443`.
    pub endpoint: String,
    /// Whom to trust over TLS; none for plain HTTP.
    pub tls: Option<TlsTrust>,
    /// The user: `administrator@vsphere.local`.
    pub user: String,
    /// Its password.
    pub password: Secret,
}
