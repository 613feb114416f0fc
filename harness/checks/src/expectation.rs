//! What a scenario expects.

use std::collections::BTreeSet;
use std::time::Duration;

use grenadier_catalog::{Check as Name, Outcome, RefusalRule};

use crate::Residual;

/// Which checks must have been made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Required {
    /// All that apply.
    #[default]
    All,
    /// These, whether they apply or not.
    These(BTreeSet<Name>),
}

/// What a scenario expects, with the names of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// How the upgrade ends.
    pub outcome: Outcome,
    /// The rule by which it is refused.
    pub refused_by: Option<RefusalRule>,
    /// How long a target may be unreachable, in the upgrade and again in the rollback. None: the scenario does not say.
    pub outage_at_most: Option<Duration>,
    /// Whether the original state comes back. None: it must wherever something was rolled back or refused.
    pub restored: Option<bool>,
    /// What may remain.
    pub residuals: Vec<Residual>,
    /// The checks that must fail: the run passes when exactly these do.
    pub caught_by: BTreeSet<Name>,
    /// The checks that must have been made.
    pub required: Required,
}

impl Default for Expectation {
    /// An upgrade that succeeds, within any time.
    fn default() -> Expectation {
        Expectation {
            outcome: Outcome::Upgraded,
            refused_by: None,
            outage_at_most: None,
            restored: None,
            residuals: Vec::new(),
            caught_by: BTreeSet::new(),
            required: Required::All,
        }
    }
}
