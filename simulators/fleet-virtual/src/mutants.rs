//! Virtual fleets with one fault each: what proves that tests and checks notice.
//!
//! A mutant is a behaviour that is turned over although nobody declares it: a run that overturns its id
//! ([`grenadier_fidelity::Ledger::overturning`]) has the fault. All of this is compiled with the feature `mutants` alone.

use grenadier_fidelity::{Basis, Behaviour};

/// All of them.
pub static ALL: [&Behaviour; 4] = [&REVERT, &CONFLICT, &PINNED, &DESTROY];

pub(crate) static REVERT: Behaviour = Behaviour {
    id: "revert-restores",
    says: "A revert brings back what the snapshot holds.",
    basis: Basis::Documented("vSphere Web Services API, RevertToSnapshot_Task"),
    otherwise: Some("A revert succeeds and restores nothing."),
};

pub(crate) static CONFLICT: Behaviour = Behaviour {
    id: "two-owners-both-answer",
    says: "Two machines with one address both answer ARP for it.",
    basis: Basis::Documented("RFC 826"),
    otherwise: Some("Only the machine that was made first answers."),
};

pub(crate) static PINNED: Behaviour = Behaviour {
    id: "pinned-client-refuses-others",
    says: "A client that pins a certificate talks to nobody who shows another.",
    basis: Basis::Documented("the Data Plane API's clients pin its certificate"),
    otherwise: Some("The certificate is not looked at."),
};

pub(crate) static DESTROY: Behaviour = Behaviour {
    id: "destroy-removes",
    says: "A machine that was destroyed is gone.",
    basis: Basis::Documented("vSphere Web Services API, Destroy_Task"),
    otherwise: Some("The machine stays where it is."),
};
