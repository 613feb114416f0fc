//! HAProxy itself: what the appliance needs of it, and a model of it.

mod check;
mod model;
mod process;

pub use model::{ModelHaproxy, RESUME_TIMER};
pub use process::HaproxyProcess;
