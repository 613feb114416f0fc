//! `identity`: each target answers from the backends that belong to it, with the same certificates, before and after.

use grenadier_catalog::Check as Name;

use super::answers::{self, When};
use crate::{Check, CheckResult, Facts};

/// Compares, for each probe, who answered before the upgrade with who answers after it and at the end; and the certificate
/// of the product's API, which its users pin.
pub(super) struct Identity;

impl Check for Identity {
    fn name(&self) -> Name {
        Name::Identity
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let mut found = answers::compare(facts, When::Every);
        match &facts.certificates.base {
            None => found.gaps.push("the API's certificate is not known before the upgrade".to_owned()),
            Some(base) => {
                let mut compared = false;
                for (when, now) in facts.certificates.after() {
                    compared = true;
                    if now != base {
                        let (is, was) = (answers::short(now), answers::short(base));
                        found.problems.push(format!("the API shows certificate {is} {when}, before {was}"));
                    }
                }
                if !compared {
                    found.gaps.push("the API's certificate is not known after the upgrade".to_owned());
                }
            }
        }
        let message = format!("{} and the API's certificate are as they were", found.compared_words());
        CheckResult::from_lists(Name::Identity, found.problems, found.gaps, message)
    }
}

#[cfg(test)]
mod tests {
    use grenadier_events::CheckStatus;

    use super::*;
    use crate::testing::swap;

    #[test]
    fn other_backends_are_noticed_after_the_upgrade() {
        let mut run = swap();
        run.serve_after_upgrade("shop", &["api-1"], None);
        let result = Identity.make(&run.facts());
        assert_eq!(result.status, CheckStatus::Fail);
        assert_eq!(result.message, "shop is answered by api-1 after the upgrade, before by shop-1, shop-2, shop-3");
    }

    #[test]
    fn another_certificate_is_noticed() {
        let mut run = swap();
        run.serve_after_upgrade("shop", &["shop-1", "shop-2", "shop-3"], Some("beef"));
        assert_eq!(Identity.make(&run.facts()).message, "shop shows certificate beef after the upgrade, before none");
        let mut run = swap();
        run.certificates.upgraded = Some("0123456789abcdef".into());
        assert_eq!(
            Identity.make(&run.facts()).message,
            "the API shows certificate 0123456789ab after the upgrade, before aaaa"
        );
    }

    #[test]
    fn a_target_that_is_down_at_the_end_answers_nobody() {
        let mut run = swap();
        run.down_at_the_end("api");
        assert_eq!(Identity.make(&run.facts()).message, "api does not answer at the end");
    }

    #[test]
    fn a_world_that_cannot_tell_who_answered_does_not_cover_it() {
        let mut run = swap();
        run.forget_who_answers();
        let result = Identity.make(&run.facts());
        assert_eq!(result.status, CheckStatus::NotCovered);
        assert!(result.message.starts_with("who answers for shop is not known"), "{}", result.message);
    }

    #[test]
    fn what_is_not_known_is_not_covered() {
        let mut run = swap();
        run.certificates.base = None;
        assert_eq!(Identity.make(&run.facts()).status, CheckStatus::NotCovered);
        let mut run = swap();
        run.unwatched("api");
        assert_eq!(Identity.make(&run.facts()).status, CheckStatus::NotCovered);
    }
}
