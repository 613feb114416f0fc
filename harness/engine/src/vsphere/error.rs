//! What can go wrong between us and vCenter.

use std::fmt;

use grenadier_wire::Failure;
use thiserror::Error;

use crate::retry::{Certainty, NotInTime};
use crate::vsphere::element::ManagedObject;
use crate::vsphere::envelope::EnvelopeError;

/// A fault as vCenter says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Its type: `InvalidPowerState`; empty where the server named none.
    pub kind: String,
    /// Its message.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind.is_empty(), self.message.is_empty()) {
            (false, false) => write!(f, "{}: {}", self.kind, self.message),
            (false, true) => f.write_str(&self.kind),
            (true, false) => f.write_str(&self.message),
            (true, true) => f.write_str("a fault without a name"),
        }
    }
}

/// Why vSphere did not do what was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VSphereError {
    /// No answer came.
    #[error("{method} got no answer")]
    NoAnswer {
        /// The method.
        method: String,
        /// Why.
        #[source]
        source: Failure,
    },
    /// The server is there but does not serve.
    #[error("{method} was answered with HTTP status {status}")]
    Status {
        /// The method.
        method: String,
        /// The status: 503 and the like.
        status: u16,
    },
    /// The request could not be written or the answer not read.
    #[error("{method} could not be understood")]
    Garbled {
        /// The method.
        method: String,
        /// Why.
        #[source]
        source: EnvelopeError,
    },
    /// The answer lacks something it must have.
    #[error("the answer to {method} has no {what}")]
    Incomplete {
        /// The method.
        method: String,
        /// What is not there.
        what: String,
    },
    /// The server refused the call.
    #[error("{method} failed: {fault}")]
    Faulted {
        /// The method.
        method: String,
        /// What it said.
        fault: Fault,
    },
    /// The task that the call began ended in error.
    #[error("the task of {method} on {target} failed: {fault}")]
    TaskFailed {
        /// The method.
        method: String,
        /// The object.
        target: ManagedObject,
        /// What the task says.
        fault: Fault,
    },
    /// Nothing has this path.
    #[error("there is no {path} in the inventory")]
    NotFound {
        /// The inventory path.
        path: String,
    },
    /// vCenter does not accept the OVF with these inputs.
    #[error("the OVF was not accepted: {reason}")]
    NotImportable {
        /// Its objections.
        reason: String,
    },
    /// An object has not the property.
    #[error("{object} has no {property}")]
    Unset {
        /// The object.
        object: ManagedObject,
        /// The property path.
        property: String,
    },
    /// Something did not come about before its deadline.
    #[error(transparent)]
    NotInTime(#[from] NotInTime),
    /// The task that the call began did not end before its deadline. It was cancelled, where it can be.
    #[error(transparent)]
    TaskNotInTime(NotInTime),
}

impl VSphereError {
    /// Whether this is the fault of that type, of the call or of its task.
    pub fn is_fault(&self, kind: &str) -> bool {
        matches!(self, VSphereError::Faulted { fault, .. } | VSphereError::TaskFailed { fault, .. } if fault.kind == kind)
    }

    /// What is known about the effect of the call.
    pub fn certainty(&self) -> Certainty {
        match self {
            VSphereError::NoAnswer { source, .. } => Certainty::of(source),
            // A proxy that cannot reach vCenter says 502 or 504, which may come after the effect.
            VSphereError::Status { status: 429 | 503, .. } => Certainty::NotDelivered,
            VSphereError::Status { status: 500..=599, .. } => Certainty::Unknown,
            VSphereError::Garbled { source: EnvelopeError::Character { .. }, .. } => Certainty::Final,
            VSphereError::Garbled { .. } => Certainty::Unknown,
            // "A general system error occurred": nobody knows how far it came.
            VSphereError::Faulted { fault, .. } if matches!(fault.kind.as_str(), "SystemError" | "") => {
                Certainty::Unknown
            }
            _ => Certainty::Final,
        }
    }
}
