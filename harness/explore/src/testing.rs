//! What this crate's tests share.

use std::sync::atomic::AtomicBool;

use crate::settings::Watch;

/// Nobody watches, and nobody stops it.
#[derive(Debug, Default)]
pub(crate) struct Idle(AtomicBool);

impl Watch for Idle {
    fn stop(&self) -> &AtomicBool {
        &self.0
    }
}
