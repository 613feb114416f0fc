//! The table of systems: one file each, and one line here.

pub mod haproxy_appliance;

use crate::System;

/// Every system, in alphabetical order.
pub(crate) const ALL: &[&System] = &[&haproxy_appliance::SYSTEM];
