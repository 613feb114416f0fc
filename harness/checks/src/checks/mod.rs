//! One file per check; the list of all of them.

pub(crate) mod answers;
mod canary;
mod differential;
pub(crate) mod downtime;
mod identity;
pub(crate) mod leftovers;
mod outage;
mod outcome;
mod restored;
mod routes_equal;
mod secrets;
mod terminates;
mod unique_address_owner;

use crate::Check;

/// The check that only a disturbed run can undergo: there is an undisturbed one to compare it with.
pub(crate) fn of_disturbed_runs() -> [&'static dyn Check; 1] {
    [&differential::Differential]
}

/// Every check that each run undergoes, in the order of the catalogue and of reports.
pub fn all() -> [&'static dyn Check; 10] {
    [
        &outage::Outage,
        &identity::Identity,
        &unique_address_owner::UniqueAddressOwner,
        &outcome::Outcome,
        &restored::Restored,
        &leftovers::Leftovers,
        &secrets::Secrets,
        &terminates::Terminates,
        &routes_equal::RoutesEqual,
        &canary::Canary,
    ]
}

#[cfg(test)]
mod tests {
    use grenadier_catalog::{Check as Name, Named};
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::testing::{bare, swap};

    #[test]
    fn every_check_of_the_catalogue_is_here_once() {
        let names: Vec<Name> = all().into_iter().chain(of_disturbed_runs()).map(Check::name).collect();
        assert_eq!(names, Name::ALL);
    }

    #[test]
    fn every_check_passes_on_a_good_swap() {
        let run = swap();
        for check in all() {
            let result = check.make(&run.facts());
            assert_eq!((result.check, result.status), (check.name(), CheckStatus::Pass), "{}", result.message);
        }
    }

    #[test]
    fn a_run_of_which_nothing_is_known_passes_nothing() {
        let run = bare();
        for check in all() {
            let result = check.make(&run.facts());
            assert_ne!(result.status, CheckStatus::Pass, "{}: {}", result.check, result.message);
            assert!(!result.message.is_empty() && !result.message.contains('\n'));
        }
    }
}
