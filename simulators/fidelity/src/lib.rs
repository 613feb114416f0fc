//! What the simulators do that an outcome can hang on, and how that is known.
//!
//! Every simulator declares its [`Behaviour`]s beside the code that shows them, and that code asks the run's [`Ledger`]
//! whether one holds before it acts on it. So a run knows what it relied on, the declarations make `docs/fidelity.md`, and an
//! exploration can turn an assumption over and see which verdicts hang on it.

mod ledger;
mod markdown;

use std::fmt;

pub use ledger::Ledger;
pub use markdown::markdown;

/// Something a simulator does that an outcome can hang on.
#[derive(Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Its name in verdicts and commands, in kebab case, unique among all.
    pub id: &'static str,
    /// What the simulator does, in one sentence.
    pub says: &'static str,
    /// How that is known.
    pub basis: Basis,
    /// What the simulator does instead when the behaviour is turned over; none where it cannot be.
    pub otherwise: Option<&'static str>,
}

impl Behaviour {
    /// Whether nobody looked yet.
    pub const fn is_assumed(&self) -> bool {
        matches!(self.basis, Basis::Assumed(_))
    }
}

/// How a behaviour is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It was seen at the real thing: which, and when or where.
    Recorded(&'static str),
    /// It stands in a manual, an issue or a specification.
    Documented(&'static str),
    /// Nobody looked yet; the reason why this was chosen.
    Assumed(&'static str),
}

impl Basis {
    /// The word in tables: `recorded`, `documented` or `assumed`.
    pub const fn name(self) -> &'static str {
        match self {
            Basis::Recorded(_) => "recorded",
            Basis::Documented(_) => "documented",
            Basis::Assumed(_) => "assumed",
        }
    }

    /// Where it was seen, where it stands, or why it was chosen.
    pub const fn source(self) -> &'static str {
        let (Basis::Recorded(source) | Basis::Documented(source) | Basis::Assumed(source)) = self;
        source
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The behaviours of one simulator.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// The simulator, as people call it.
    pub simulator: &'static str,
    /// What it declares.
    pub behaviours: &'static [&'static Behaviour],
}
