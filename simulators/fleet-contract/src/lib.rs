//! The fleet's contract as a suite: one list of named [`cases()`], which every fleet passes.
//!
//! A fleet takes part by a [`ContractWorld`]: how to submit an operation, to take in events, to reach a machine and to let time
//! pass there. The guest of all machines is [`Responder`]. What one fleet cannot do by its nature it declares as an
//! [`Exception`], with the reason; its test is then that the case is known, and it says so.
//!
//! A case is about what both fleets promise. What is true of one fleet alone (a container's process, a virtual nanosecond) is
//! tested beside that fleet.

mod bench;
mod cases;
mod guest;
mod world;

pub use bench::Bench;
pub use cases::{Case, cases, trial};
pub use guest::{BOOTS, RESPONDER, Responder, Wish};
pub use world::{ContractWorld, Exception, FRONTEND, HOST, SEGMENTS, WORKLOAD};
