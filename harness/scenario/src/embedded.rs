//! The scenarios that are part of the product.

/// A scenario file that is part of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// Where it is in the repository: `scenarios/haproxy-appliance/haproxy-appliance-swap.yaml`.
    pub path: &'static str,
    /// Its name: that of the file without extension, and that of the scenario.
    pub name: &'static str,
    /// The text of the file.
    pub source: &'static str,
}

static TABLE: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Every embedded scenario, in the order of their paths.
pub fn embedded() -> &'static [Embedded] {
    TABLE
}
