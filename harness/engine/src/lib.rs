//! The built-in upgrade engine: plans, steps, journal, undo, and the procedures it can perform.
//!
//! The engine touches the world through [`grenadier_wire::Wire`] alone and knows the time from the wire's clock alone, so it
//! runs in the virtual world and in the docker world alike. A [`Procedure`] is a [`Plan`] and the [`Step`]s that carry it out;
//! [`Engine`] runs it, writes a [`Journal`] before and after every step, and takes steps back in reverse order when one fails.
//!
//! The clients ([`vsphere`], [`dataplane`], [`shell`]) are the engine's own and share no code with any simulator. They say who
//! calls, so others (the runner, when it deploys the base) use them too.

mod advice;
#[cfg(feature = "codecs")]
pub mod codecs;
pub mod dataplane;
mod engine;
mod journal;
mod plan;
mod procedure;
pub mod procedures;
mod report;
mod retry;
mod seal;
pub mod shell;
mod step;
#[cfg(test)]
mod testing;
pub mod vsphere;

pub use advice::Advice;
pub use engine::Engine;
pub use journal::{
    Applied, BegunStep, CodecError, Ended, Failed, Journal, JournalError, MemoryStorage, OpenIntent, Record, Recovery,
    Storage, StorageError,
};
pub use plan::{PLAN_FORMAT, Plan, PlannedStep, Undo};
pub use procedure::{Context, Procedure};
pub use report::{EngineReport, Outcome, Verb};
pub use retry::{Backoff, Certainty, NotInTime, Wait};
pub use step::{Restoring, Step, StepError, StepFuture, UndoReason};
