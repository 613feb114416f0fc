//! The worlds a scenario can run in.

pub(crate) mod docker_trial;
pub(crate) mod docker_world;
mod shared_cloud;
pub(crate) mod virtual_world;

pub(crate) use shared_cloud::SharedCloud;
