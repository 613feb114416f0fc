//! Watching a target from inside a network.
//!
//! [`judge`] turns samples into what a watch sees, with bounds; it is arithmetic alone. `sampler` takes the samples, on a
//! thread of its own so that nothing a guest does delays one. `neighbours` tells whom the client's packets go to.

pub mod judge;
mod neighbours;
mod sampler;

#[cfg(feature = "codecs")]
pub(crate) use neighbours::entry as neighbour_entry;
pub(crate) use sampler::Sampler;
