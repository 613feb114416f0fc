//! What a protocol calls an exchange.

use serde::{Deserialize, Serialize};

/// What a protocol calls an exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallName {
    /// `vsphere.PowerOnVM_Task`, `dataplane.PUT /transactions/{id}`, `shell.systemctl`.
    pub template: String,
    /// The object it is about, where the protocol knows one: `vm-17`.
    pub target: Option<String>,
    /// Whether it can change something. Reads are faulted too, but pairs are only built over mutating calls.
    pub mutating: bool,
}
