//! Rules, and what they ask of others than the wire.

use std::time::Duration;

use grenadier_catalog::{FaultKind, FaultPlace};
use serde::{Deserialize, Serialize};

/// How long a throttled client is told to wait.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A fault the protocol must render, because only it knows what the answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolFault {
    /// 503 or what the protocol says instead.
    Unavailable,
    /// 429 or what the protocol says instead. A `Retry-After` header of [`RETRY_AFTER`] is added.
    Throttle,
    /// 500 or what the protocol says instead.
    ErrorAfter,
}

/// A mark on a request: what the simulator behind the wire is to do, because nobody else can.
///
/// It travels in the request's extensions, from the wire to the simulator; it cannot come from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(pub(crate) FaultKind);

/// What the wire asks the simulator to do about this request: `unauthorised` (the session it names has expired), `task-fails`
/// or `task-stuck` (the task it begins does).
pub fn asked_of_simulator<T>(request: &http::Request<T>) -> Option<FaultKind> {
    request.extensions().get::<Asked>().map(|asked| asked.0)
}

/// Whether somebody behind the wire has to make this fault.
pub(crate) fn is_simulators(fault: FaultKind) -> bool {
    matches!(fault, FaultKind::Unauthorised | FaultKind::TaskFails | FaultKind::TaskStuck)
}

/// A rule: at this place, do this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// The call; or the step, where the engine's process is to end.
    pub at: FaultPlace,
    /// What is done.
    pub fault: FaultKind,
    /// How late a `slow` answer comes.
    pub length: Duration,
    /// What is done, as events and reports say it: the kind's name, and what was said of it beside.
    pub what: String,
}

impl FaultRule {
    /// A rule with the usual length.
    pub fn new(at: impl Into<FaultPlace>, fault: FaultKind) -> FaultRule {
        FaultRule { at: at.into(), fault, length: FaultKind::SLOW, what: fault.to_string() }
    }
}

/// A rule that did not act, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleRule {
    /// The rule.
    pub rule: FaultRule,
    /// Why it did not act.
    pub reason: &'static str,
}

/// Where the engine's process was made to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The call or the step.
    pub at: FaultPlace,
    /// `crash-before`, `crash-after` or `crash-journaled`.
    pub fault: FaultKind,
}

/// A moment of a step at which the engine's process may be made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepMoment {
    /// Nothing of the step has happened.
    Begins,
    /// It was performed and looked at; the journal does not know yet.
    Performed,
    /// The journal knows.
    Journaled,
}

impl StepMoment {
    /// The fault that ends the engine's process at this moment.
    pub(crate) fn crash(self) -> FaultKind {
        match self {
            StepMoment::Begins => FaultKind::CrashBefore,
            StepMoment::Performed => FaultKind::CrashAfter,
            StepMoment::Journaled => FaultKind::CrashJournaled,
        }
    }
}
