//! What the Data Plane API says there is of an operator's own.

use std::collections::{BTreeMap, BTreeSet};

/// What there is of an operator's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The configuration's version.
    pub(crate) version: u64,
    /// Frontends and their default backend.
    pub(crate) frontends: BTreeMap<String, Option<String>>,
    pub(crate) backends: BTreeSet<String>,
    /// Binds by frontend and name.
    pub(crate) binds: BTreeMap<(String, String), Endpoint>,
    /// Servers by backend and name.
    pub(crate) servers: BTreeMap<(String, String), Endpoint>,
}

/// What a look at the frontends shows: by this an operator recognises a configuration that it has found in sync.
///
/// The version alone would not do: it counts from 1 in every appliance, so that a new one may happen to have the number of the
/// one before. The frontends with their backends come in the same answer and cost nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    version: u64,
    frontends: BTreeMap<String, Option<String>>,
}

impl Observed {
    /// What the frontends showed.
    pub(crate) fn signature(&self) -> Signature {
        Signature { version: self.version, frontends: self.frontends.clone() }
    }

    /// Whether the frontends show the same as in `signature`.
    pub(crate) fn shows(&self, signature: &Signature) -> bool {
        self.version == signature.version && self.frontends == signature.frontends
    }
}

/// An address and a port, as they are written.
pub(crate) type Endpoint = (String, u64);
