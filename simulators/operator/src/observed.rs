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

/// An address and a port, as they are written.
pub(crate) type Endpoint = (String, u64);
