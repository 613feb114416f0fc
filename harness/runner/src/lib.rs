//! Runs a scenario: phases, systems, worlds.
//!
//! [`run_virtual`] takes a scenario and a seed through all phases of a rehearsal in the virtual world and gives the event log,
//! the captured states and the verdict. [`plan`] says what the engine would do, without running anything.

mod calibrate;
mod command;
mod data_plane;
mod declared;
mod faults;
mod options;
mod plan;
mod protocols;
mod rehearsal;
mod run;
mod searcher;
mod setting;
mod stage;
mod strikes;
mod systems;
mod timing;
mod worlds;

pub use calibrate::{set_in_docker, time_operations};
pub use command::run_command;
pub use declared::DECLARED;
pub use options::{EngineProgram, Judged, Options};
pub use plan::plan;
pub use run::{
    DockerError, RunOutput, missing_in_docker, run_docker, run_virtual, run_virtual_carried, run_virtual_with,
    try_docker,
};
pub use setting::secrets;
pub use strikes::{Strike, Strikes};
pub use worlds::docker_world::DockerWorldError;
