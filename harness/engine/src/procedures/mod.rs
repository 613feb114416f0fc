//! The upgrades this engine can perform: one folder for each system.

pub mod haproxy_appliance;
