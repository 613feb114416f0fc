//! OVF: descriptors that are imported, and environments that guests get.

pub(crate) mod descriptor;
pub(crate) mod environment;
pub(crate) mod import;
