//! HAProxy itself: what the appliance needs of it, and a model of it.

mod check;
#[cfg(feature = "codecs")]
pub(crate) mod codecs {
    use grenadier_guest::Host;

    /// What HAProxy says to a configuration that is not the one in use.
    pub(crate) fn checked(config: &str, host: &dyn Host) -> Result<(), String> {
        super::check::check(config, "/tmp/candidate", super::Generation::new(2, 6), host)
    }
}
mod directives;
mod generation;
mod model;
mod process;
pub mod server_state;

/// How many configurations a thread remembers, with what was found wrong with them and what they mean.
const MOST_KNOWN: usize = 64;

pub(crate) use generation::Generation;
pub use model::{ModelHaproxy, RESUME_TIMER};
pub use process::HaproxyProcess;
