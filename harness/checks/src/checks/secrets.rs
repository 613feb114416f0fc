//! `secrets`: no secret is where it does not belong.

use grenadier_catalog::Check as Name;

use crate::{Check, CheckResult, Facts};

/// Judges where the scenario's secrets were found after the upgrade and at the end. Which places each secret belongs to is the
/// system's to say, so whatever is found elsewhere is one exposure too many, whoever wrote it there.
pub(super) struct Secrets;

impl Check for Secrets {
    fn name(&self) -> Name {
        Name::Secrets
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let found = facts.exposures.after();
        let problems = found.flat_map(|(when, exposures)| {
            exposures.iter().map(move |found| format!("{} is in {} {when}", found.secret, found.place))
        });
        let gap = facts.exposures.end.is_none().then(|| "the disks were not searched at the end".to_owned());
        let gaps = gap.into_iter().collect();
        CheckResult::from_lists(Name::Secrets, problems.collect(), gaps, "every secret is where it belongs".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::Exposure;
    use crate::testing::{bare, swap};

    #[test]
    fn a_secret_elsewhere_is_told_with_its_place_and_moment() {
        let mut run = swap();
        let exposure = Exposure::new("the password of root", "machines/haproxy/files/root/.netrc");
        run.exposures.upgraded = Some(vec![exposure]);
        let result = Secrets.make(&run.facts());
        assert_eq!(result.status, CheckStatus::Fail);
        let expected = "the password of root is in machines/haproxy/files/root/.netrc after the upgrade";
        assert_eq!(result.message, expected);
    }

    #[test]
    fn where_nobody_searched_it_is_not_covered() {
        assert_eq!(Secrets.make(&bare().facts()).status, CheckStatus::NotCovered);
    }
}
