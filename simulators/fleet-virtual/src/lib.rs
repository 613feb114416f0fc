//! The virtual world: machines, segments with ARP, disks and snapshots in one event queue.
//!
//! Everything happens at a virtual nanosecond, in one order, on one thread. A [`VirtualWorld`] hosts the fleet, its guests and
//! a cloud simulator; asynchronous code (an engine, a runner) reaches it through the wire and its clock, and
//! [`VirtualWorld::block_on`] moves the time whenever that code waits.
//!
//! What a client sees of a target is evaluated hop by hop (its own ARP cache, segment, machine, service, backend) whenever
//! something changed, so an outage is exact and costs no sampling.

mod delivery;
mod digest;
mod executor;
pub mod fidelity;
mod fleet;
mod flow;
mod host;
mod impairment;
mod mishap;
#[cfg(feature = "mutants")]
pub mod mutants;
mod neighbour;
mod operations;
mod realtime;
mod runtime;
mod segment;
mod watches;
mod world;

pub use fleet::VirtualFleet;
pub use realtime::Asked;
pub use world::{GuestFactory, VirtualWorld, WorldConfig};
