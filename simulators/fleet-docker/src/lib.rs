//! The fleet on a Docker engine: the world in which the real HAProxy answers.
//!
//! - [`engine`]: one connection to the engine, with the API version that both sides speak.
//! - [`owner`]: whose a container, network, volume or image is, as labels that survive the owner.
//! - [`sweep`]: removes what a run left, when its owner is gone or when told to; [`supervisor`] has it done after a kill.
//! - [`doctor`]: whether an engine is fit, before a run finds out.
//! - [`images`]: the images machines start from, pulled or bootstrapped, cached by recipe.
//! - [`fidelity`]: where a container is not what a machine would be.
//! - [`DockerFleet`]: the fleet contract; [`DockerHandle`]: calls into its networks; [`clock`]: the clock of its world.
//!
//! What was tried before these were fixed, with figures, stands in `docs/decisions/0002-docker-fleet.md`.
#![allow(
    clippy::disallowed_methods,
    reason = "this crate drives real containers: its deadlines are deadlines of the real world"
)]

mod admission;
mod archive;
pub mod blocks;
mod changes;
mod claims;
pub mod clock;
mod container;
pub mod doctor;
pub mod engine;
pub mod fidelity;
mod fleet;
mod handle;
pub mod images;
mod interference;
mod mishap;
mod news;
pub mod owner;
mod program;
mod segments;
mod session;
mod shared;
mod start;
pub mod supervisor;
pub mod sweep;
mod vigil;
mod worker;

pub use fleet::DockerFleet;
pub use handle::DockerHandle;
pub use program::ProgramError;
pub use segments::SegmentError;
pub use start::{DockerFleetConfig, StartError};
pub use vigil::Loss;
