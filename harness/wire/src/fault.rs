//! What a rule does to a call.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::CallAddress;

/// A fault on a call, by the layer that can make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Carrier, before the effect: the connection is refused.
    Refuse,
    /// Carrier, before the effect: no answer ever comes.
    Hang,
    /// Protocol, before the effect: 503 or what the protocol says instead.
    Unavailable,
    /// Protocol, after the effect: 500 or what the protocol says instead.
    ErrorAfter,
    /// Carrier, after the effect: the connection breaks before the answer.
    LostReply,
    /// Operation: the task the call begins ends in error.
    TaskFails,
}

impl FaultKind {
    /// All of them, in the order of this list.
    pub const ALL: [FaultKind; 6] = [
        FaultKind::Refuse,
        FaultKind::Hang,
        FaultKind::Unavailable,
        FaultKind::ErrorAfter,
        FaultKind::LostReply,
        FaultKind::TaskFails,
    ];

    /// The name in scenarios, events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Refuse => "refuse",
            FaultKind::Hang => "hang",
            FaultKind::Unavailable => "unavailable",
            FaultKind::ErrorAfter => "error-after",
            FaultKind::LostReply => "lost-reply",
            FaultKind::TaskFails => "task-fails",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<FaultKind, String> {
        FaultKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("`{text}` is no fault"))
    }
}

/// A fault the protocol must render, because only it knows what the answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolFault {
    /// 503 or what the protocol says instead.
    Unavailable,
    /// 500 or what the protocol says instead.
    ErrorAfter,
}

/// A mark on a request: the task it begins is to end in error.
///
/// It travels in the request's extensions, from the wire to the simulator behind it; it cannot come from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskFails;

/// A rule: at this call, do this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// The call.
    pub at: CallAddress,
    /// What is done to it.
    pub fault: FaultKind,
}
