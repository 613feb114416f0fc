//! Operators against a real appliance guest.

mod backoff;
mod programming;
mod resync;
mod support;
