//! Simulated clouds behind a listener, in real time: for clients nobody here wrote, and for engines of any kind.
//!
//! A served cloud stands above the same virtual fleet as one in a rehearsal, with the same guests; only its time is moved by
//! the wall clock instead of by its own queue. Nothing served is deterministic, and nothing is judged by it.
#![allow(clippy::disallowed_methods, reason = "what is served to clients outside lives in real time")]

mod guest;
mod identity;
mod networks;
mod real_time;
mod vsphere;

/// What a host has.
pub use grenadier_fleet::Host as Capacity;
pub use networks::MOST_NETWORKS;
pub use vsphere::{Account, Pace, ServeError, ServedVSphere, VSphereOptions};
