//! Guests and their inputs.

use bytes::Bytes;
use grenadier_wire::{Answer, Failure, ReplyTo, ShellExchange};

use crate::Host;

/// The name a guest gives one of its timers. Setting a timer of the same name replaces it.
pub type TimerKey = &'static str;

/// The number a guest gives one of its own calls.
pub type CallKey = u64;

/// What a guest is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The machine was turned on. Files are as the disk has them; memory is empty.
    Boot,
    /// A timer went off.
    Timer(TimerKey),
    /// Somebody sent an HTTP request to one of its listeners.
    Http {
        /// Whom the answer goes to.
        reply: ReplyTo,
        /// The listener's port.
        port: u16,
        /// The request; the URI carries path and query only.
        request: http::Request<Bytes>,
    },
    /// Somebody ran a command in its shell.
    Shell {
        /// Whom the answer goes to.
        reply: ReplyTo,
        /// The command.
        command: ShellExchange,
    },
    /// One of its own calls ended.
    Called {
        /// The number it gave.
        key: CallKey,
        /// What came back.
        result: Result<Answer, Failure>,
    },
    /// It is asked to shut down.
    Shutdown,
    /// Its configuration (guestinfo) was changed from outside.
    Reconfigured,
}

/// What runs in a machine.
///
/// It must be deterministic: the same inputs and the same answers of the host give the same effects.
pub trait Guest: Send {
    /// Takes an input and acts.
    fn handle(&mut self, input: Input, host: &mut dyn Host);

    /// Its volatile state for captures and hashes: what a power-off loses. Maps in it are ordered.
    fn state(&self) -> serde_json::Value;

    /// A copy, memory included: what a snapshot with memory holds.
    fn boxed_clone(&self) -> Box<dyn Guest>;
}
