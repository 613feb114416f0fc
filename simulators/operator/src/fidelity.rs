//! What the operators do that an outcome can hang on.

use grenadier_fidelity::{Basis, Behaviour, Declared};

/// What this simulator declares.
pub const DECLARED: Declared = Declared { simulator: "Operator", behaviours: &[&BACKOFF, &RESYNC] };

pub(crate) static BACKOFF: Behaviour = Behaviour {
    id: "operator-backs-off",
    says: "After each failure in a row an operator waits twice as long, from 1 s to 5 min, give or take a tenth.",
    basis: Basis::Assumed(
        "the upgrade document speaks of an exponential backoff loop and of 5 minutes, and names no figures",
    ),
    otherwise: Some("It tries again every second."),
};

pub(crate) static RESYNC: Behaviour = Behaviour {
    id: "operator-resyncs",
    says: "After a success an operator looks again every 30 s.",
    basis: Basis::Assumed("controllers resync; the interval is nobody's figure"),
    otherwise: Some("It looks again every 10 min."),
};
