//! What the Data Plane API does that an outcome can hang on.

use grenadier_fidelity::{Basis, Behaviour, Declared};

/// What this simulator declares.
pub const DECLARED: Declared =
    Declared { simulator: "Data Plane API", behaviours: &[&RELOAD_WINDOW, &STALE_FAILS, &STALE_OUTDATES] };

pub(crate) static RELOAD_WINDOW: Behaviour = Behaviour {
    id: "changes-share-a-reload-window",
    says: "All changes within one window (`--reload-delay`, 5 s by default) share one reload at its end.",
    basis: Basis::Documented("dataplaneapi README, `--reload-delay`; `haproxy/reload_agent.go`"),
    otherwise: Some("The first change reloads 1 ms later, and so does each after it."),
};

pub(crate) static STALE_FAILS: Behaviour = Behaviour {
    id: "stale-commit-answers-409",
    says: "Before 2.3 a commit made of an older version answers 409, and its transaction has failed.",
    basis: Basis::Documented("dataplaneapi `handlers/transaction.go`, `e2e/tests/transactions/commit.bats`"),
    otherwise: None,
};

pub(crate) static STALE_OUTDATES: Behaviour = Behaviour {
    id: "commit-outdates-other-transactions",
    says: "From 2.3 a commit outdates every other open transaction, which then answers 406.",
    basis: Basis::Documented("dataplaneapi `handlers/transaction.go`, `e2e/tests/transactions/commit.bats`"),
    otherwise: None,
};
