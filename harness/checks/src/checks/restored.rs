//! `restored`: after a rollback or a refusal the system equals the captured original.

use grenadier_catalog::{Check as Name, Outcome};
use grenadier_events::{Actor, CheckStatus, Kind, LadderLevel};

use crate::{Check, CheckResult, Facts, Ladder, changes_something};

/// Climbs the [`Ladder`]. The level of bytes is reported but does not decide: what differs there and is masked was reviewed.
/// A refused upgrade must not even have made a call that changes something.
pub(super) struct Restored;

impl Check for Restored {
    fn name(&self) -> Name {
        Name::Restored
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let Some(why) = facts.must_be_base() else {
            if facts.expect.restored == Some(true) {
                let message = "the scenario expects the original state back, but nothing was rolled back";
                return CheckResult::fail(Name::Restored, message);
            }
            return CheckResult::does_not_apply(Name::Restored, "nothing was rolled back or refused");
        };
        let ladder = Ladder::climb(facts);
        if facts.expect.restored == Some(false) {
            let mut result = CheckResult::does_not_apply(Name::Restored, "the scenario does not ask for it");
            result.ladder = Some(ladder);
            return result;
        }
        let mut problems = Vec::new();
        if facts.upgrade().and_then(crate::EngineFact::claims) == Some(Outcome::Refused) {
            problems.extend(changes_of_a_refused_upgrade(facts));
        }
        let mut gaps = Vec::new();
        for rung in ladder.rungs.iter().filter(|rung| rung.level != LadderLevel::Bytes) {
            let level = rung.name();
            match rung.status {
                CheckStatus::Pass => {}
                CheckStatus::Fail => problems.push(format!("{level}: {}", rung.message)),
                CheckStatus::NotCovered => gaps.push(format!("{level}: {}", rung.message)),
            }
        }
        let bytes = ladder.rung(LadderLevel::Bytes).map_or(CheckStatus::NotCovered, |rung| rung.status);
        let levels =
            if bytes == CheckStatus::Pass { "on every level" } else { "on every level but bytes, under masks" };
        let mut result = CheckResult::from_lists(Name::Restored, problems, gaps, format!("equal {levels}: {why}"));
        result.evidence.extend(ladder.rungs.iter().flat_map(|rung| {
            let level = rung.name();
            let differences = rung.differences.iter().map(move |difference| format!("{level}: {difference}"));
            differences.chain(rung.problems.iter().map(move |problem| format!("{level}: {problem}")))
        }));
        result.evidence.sort_unstable();
        result.evidence.dedup();
        result.ladder = Some(ladder);
        result
    }
}

fn changes_of_a_refused_upgrade(facts: &Facts<'_>) -> Vec<String> {
    let changes = facts.events.iter().filter(|event| event.actor == Actor::Engine).filter_map(|event| {
        let Kind::Call { address, result, .. } = &event.kind else { return None };
        let worked = result.starts_with('2') || result == "exit 0";
        (worked && changes_something(address)).then(|| format!("it refused, but {address} had changed something"))
    });
    changes.collect()
}

#[cfg(test)]
mod tests {
    use grenadier_events::Power;

    use super::*;
    use crate::testing::{bare, refused, swap};
    use crate::{Node, Verb};

    #[test]
    fn every_level_is_reported() {
        let result = Restored.make(&swap().facts());
        let ladder = result.ladder.unwrap();
        let levels: Vec<LadderLevel> = ladder.rungs.iter().map(|rung| rung.level).collect();
        use LadderLevel::{Behaviour, Bytes, History, Meaning, Structure};
        assert_eq!(levels, [Bytes, Structure, Meaning, Behaviour, History]);
        assert!(ladder.rungs.iter().all(|rung| rung.status == CheckStatus::Pass), "{ladder:#?}");
        assert_eq!(result.message, "equal on every level: the upgrade was rolled back");
    }

    #[test]
    fn a_masked_difference_fails_only_the_level_of_bytes() {
        let mut run = swap();
        run.set_at_end("cloud/tasks/1/method", Node::config("PowerOffVM_Task"));
        let result = Restored.make(&run.facts());
        assert_eq!(result.status, CheckStatus::Pass);
        assert_eq!(result.message, "equal on every level but bytes, under masks: the upgrade was rolled back");
        let ladder = result.ladder.unwrap();
        let bytes = ladder.rung(LadderLevel::Bytes).unwrap();
        assert_eq!(bytes.status, CheckStatus::Fail);
        assert!(bytes.message.starts_with("masked: "), "{}", bytes.message);
        let masked = ladder.masked.unwrap();
        assert_eq!((masked.fields, masked.of), (1, 6));
        assert!(masked.masks.iter().all(|mask| !mask.reason.is_empty()));
    }

    #[test]
    fn each_level_can_fail() {
        let failing = |run: &crate::testing::Run| {
            let result = Restored.make(&run.facts());
            assert_eq!(result.status, CheckStatus::Fail, "{}", result.message);
            result.message
        };
        let mut run = swap();
        run.set_at_end("machines/haproxy/nics/4000/mac", Node::identity("00:50:56:00:00:02"));
        let text = failing(&run);
        assert_eq!(
            text,
            "structure: machines/haproxy/nics/4000/mac: 00:50:56:00:00:01, now 00:50:56:00:00:02 (identity)"
        );
        let mut run = swap();
        run.meaning.end.as_mut().unwrap().get_mut("haproxy").unwrap().power = Power::Off;
        assert!(failing(&run).starts_with("meaning: machine haproxy: on"));
        let mut run = swap();
        run.down_at_the_end("api");
        assert_eq!(failing(&run), "behaviour: api does not answer at the end");
        let mut run = swap();
        run.inventory.end.as_mut().unwrap().add(crate::ItemKind::Snapshot, "haproxy/before-upgrade");
        assert_eq!(failing(&run), "history: snapshot haproxy/before-upgrade is left over");
    }

    #[test]
    fn a_refusal_leaves_no_trace() {
        let mut run = refused();
        assert_eq!(Restored.make(&run.facts()).status, CheckStatus::Pass);
        run.engine_call(95, "check-prerequisites/vsphere.RetrievePropertiesEx#1", "200");
        run.engine_call(96, "deploy-new/vsphere.ImportVApp#1", "500");
        assert_eq!(Restored.make(&run.facts()).status, CheckStatus::Pass);
        run.engine_call(97, "check-prerequisites/vsphere.ReconfigVM_Task#1", "200");
        let result = Restored.make(&run.facts());
        assert_eq!(result.status, CheckStatus::Fail);
        assert_eq!(
            result.message,
            "it refused, but check-prerequisites/vsphere.ReconfigVM_Task#1 had changed something"
        );
    }

    #[test]
    fn it_applies_only_where_something_came_back() {
        let mut run = swap();
        run.engine.retain(|fact| fact.verb == Verb::Upgrade);
        let result = Restored.make(&run.facts());
        assert_eq!((result.status, result.applies), (CheckStatus::NotCovered, false));
        run.expect.restored = Some(true);
        assert_eq!(Restored.make(&run.facts()).status, CheckStatus::Fail);
        let mut run = swap();
        run.expect.restored = Some(false);
        assert!(!Restored.make(&run.facts()).applies);
    }

    #[test]
    fn without_captures_it_is_not_covered() {
        let mut run = swap();
        run.captures.end = None;
        let result = Restored.make(&run.facts());
        assert_eq!((result.status, result.applies), (CheckStatus::NotCovered, true));
        let want = "structure: the state was not captured before and after (and 1 more)";
        assert_eq!(result.message, want);
        assert!(!Restored.make(&bare().facts()).applies);
    }
}
