//! `differential`: a disturbed run ends as the undisturbed one does, or as it began.

use grenadier_catalog::{Check as Name, Outcome};

use crate::ladder::{Comparison, compare_trees};
use crate::{Changes, Check, CheckResult, Class, EngineFact, Facts, Node, Pattern, Reference};

/// A correct end state does not imply correct behaviour, so two things are compared with the undisturbed run: the states, under
/// the masks of the ladder, and how often each machine and snapshot was made and destroyed. What was made more often must have
/// been destroyed as often; what the undisturbed run does not destroy must not be destroyed and made again.
///
/// Two runs differ in more than two moments of one run do: a machine that each of them made has ids of its own and was made at
/// another moment, and the masks between runs apply.
///
/// Logs are left out: they tell of what happened, which differs. Where the run went back, the ladder of `restored` compares
/// with the base.
pub(super) struct Differential;

impl Check for Differential {
    fn name(&self) -> Name {
        Name::Differential
    }

    fn make(&self, facts: &Facts<'_>) -> CheckResult {
        let Some(reference) = &facts.reference else {
            return CheckResult::does_not_apply(Name::Differential, "there is no undisturbed run to compare with");
        };
        let (mut problems, mut gaps) = (Vec::new(), Vec::new());
        let changes = Changes::of(facts.events);
        let made = ids_of_made(&reference.changes, &changes);
        let mut same = |when: &str, reference: &Option<Node>, now: Option<&crate::Capture>| {
            match (reference, now) {
                (Some(reference), Some(now)) => problems.extend(differences(facts, &made, reference, &now.root, when)),
                _ => gaps.push(format!("the state {when} was not captured in both runs")),
            };
        };
        let upgrade = facts.upgrade().and_then(EngineFact::claims);
        let as_upgraded = upgrade == Some(Outcome::Upgraded) && reference.upgraded == upgrade;
        if as_upgraded {
            same("after the upgrade", &reference.after_upgrade, facts.captures.upgraded.as_ref());
        }
        let as_ended = as_upgraded && facts.claimed() == reference.ended;
        if as_ended {
            same("at the end", &reference.at_end, facts.captures.end.as_ref());
        }
        problems.extend(counts(reference, &changes, as_ended));
        let end = if as_ended { "the undisturbed run" } else { "the base" };
        CheckResult::from_lists(Name::Differential, problems, gaps, format!("as {end}, and nothing was made twice"))
    }
}

/// The differences of two states that count.
fn differences(facts: &Facts<'_>, made: &[Pattern], reference: &Node, now: &Node, when: &str) -> Vec<String> {
    let recreated: Vec<Pattern> = facts.recreated.iter().chain(made).cloned().collect();
    let allowed = Comparison {
        masks: facts.masks,
        between_runs: true,
        recreated: &recreated,
        residuals: &facts.expect.residuals,
        acknowledged: &[],
    };
    let is_log = |path: &str| {
        let node = reference.get(path).or_else(|| now.get(path));
        node.is_some_and(|node| node.class == Class::Log)
    };
    let found = compare_trees(reference, now, &allowed).structure;
    found
        .into_iter()
        .filter(|it| !is_log(&it.path))
        .map(|it| format!("unlike the undisturbed run {when}: {it}"))
        .collect()
}

/// What each run draws for itself: the ids of the machines that both made, and the date of any machine, because lengths of time
/// may vary before the upgrade too. That a machine was made anew shows in its ids, and is counted.
fn ids_of_made(reference: &Changes, now: &Changes) -> Vec<Pattern> {
    let made = |changes: &Changes, name: &str| changes.0.get(name).is_some_and(|(made, _)| *made > 0);
    let both = now.0.keys().filter(|name| made(now, name) && made(reference, name));
    let ids = |name: &String| ["record/**", "nics/*/mac", "disks/*/id"].map(|below| format!("machines/{name}/{below}"));
    let dates = ["machines/*/record/vsphere/createdNs".to_owned()];
    both.flat_map(ids).chain(dates).map(|path| path.parse().expect("a machine's name is one level")).collect()
}

/// What was made and destroyed more or less often than it may.
fn counts(reference: &Reference, now: &Changes, as_ended: bool) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = reference.changes.0.keys().chain(now.0.keys()).collect();
    let mut problems = Vec::new();
    for name in names {
        let count = |changes: &Changes| changes.0.get(name).copied().unwrap_or_default();
        let ((made, destroyed), (made_then, destroyed_then)) = (count(now), count(&reference.changes));
        let net = |made: u32, destroyed: u32| i64::from(made) - i64::from(destroyed);
        let (net, net_then) = (net(made, destroyed), net(made_then, destroyed_then));
        let told = format!("{name} was made {made} times and destroyed {destroyed} times");
        if net != net_then && (as_ended || net != 0) {
            problems.push(format!("{told}; undisturbed {made_then} and {destroyed_then}"));
        } else if destroyed > made.max(destroyed_then) || (made_then == 0 && destroyed > destroyed_then) {
            problems.push(format!("{told}, although it was there before"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;
    use crate::testing::{Run, swap};
    use grenadier_events::CheckStatus;

    const NEW: &str = "haproxy-v0.2.0";
    const CFG: &str = "machines/haproxy/files/etc/haproxy/haproxy.cfg";

    /// A swap that made the new machine, which has an id.
    fn run() -> Run {
        let mut run = swap();
        run.machine(97, NEW, true);
        run.set_at_end("machines/haproxy-v0.2.0/record/vsphere/uuid", Node::identity("aaaa"));
        run.set_at_end("machines/haproxy-v0.2.0/record/vsphere/createdNs", Node::identity("97"));
        run.set_at_end("machines/haproxy-v0.2.0/addresses/frontend", Node::identity("198.18.2.16/28"));
        run.set_at_end(
            CFG,
            Node::config("# _version=4\nglobal\n  log stdout\nfrontend a\n  bind :1\nfrontend b\n  bind :2\n"),
        );
        run
    }

    fn reference() -> Reference {
        let run = run();
        Reference {
            upgraded: Some(Outcome::Upgraded),
            ended: Some(Outcome::RolledBack),
            after_upgrade: run.captures.upgraded.as_ref().map(|capture| capture.root.clone()),
            at_end: run.captures.end.as_ref().map(|capture| capture.root.clone()),
            changes: Changes::of(&run.events),
        }
    }

    fn judged(change: impl FnOnce(&mut Run)) -> (CheckStatus, String) {
        let mut run = run();
        change(&mut run);
        let mut facts = run.facts();
        facts.reference = Some(Arc::new(reference()));
        let result = Differential.make(&facts);
        (result.status, result.message)
    }

    #[test]
    fn a_machine_may_have_been_made_at_another_moment_but_not_be_another_one() {
        let dated = |date: &'static str| {
            move |run: &mut Run| {
                run.set_at_end("machines/haproxy/record/vsphere/createdNs", Node::identity(date));
                run.set_at_end("machines/haproxy/record/vsphere/uuid", Node::identity("bbbb"));
            }
        };
        let mut before = run();
        dated("3")(&mut before);
        let reference = Reference { at_end: before.captures.end.as_ref().map(|it| it.root.clone()), ..reference() };
        let judged = |change: &dyn Fn(&mut Run)| {
            let mut run = run();
            change(&mut run);
            let mut facts = run.facts();
            facts.reference = Some(Arc::new(reference.clone()));
            Differential.make(&facts)
        };
        assert_eq!(judged(&dated("4")).status, CheckStatus::Pass);
        let other = judged(&|run| {
            dated("4")(run);
            run.set_at_end("machines/haproxy/record/vsphere/uuid", Node::identity("cccc"));
        });
        assert_eq!(other.status, CheckStatus::Fail);
        assert!(other.message.contains("machines/haproxy/record/vsphere/uuid"), "{}", other.message);
    }

    #[test]
    fn a_run_like_the_undisturbed_one_passes() {
        let (status, message) = judged(|_| ());
        assert_eq!(
            (status, message.as_str()),
            (CheckStatus::Pass, "as the undisturbed run, and nothing was made twice")
        );
        assert!(!Differential.make(&run().facts()).applies);
    }

    #[test]
    fn a_machine_that_both_made_has_ids_of_its_own() {
        let (status, message) = judged(|run| {
            run.set_at_end("machines/haproxy-v0.2.0/record/vsphere/uuid", Node::identity("bbbb"));
        });
        assert_eq!(status, CheckStatus::Pass, "{message}");
        let (_, message) =
            judged(|run| run.set_at_end("machines/haproxy/nics/4000/mac", Node::identity("00:50:56:00:00:02")));
        assert!(message.contains("machines/haproxy/nics/4000/mac"), "nobody made the old one: {message}");
        let (_, message) = judged(|run| {
            run.set_at_end("machines/haproxy-v0.2.0/addresses/frontend", Node::identity("198.18.2.0/28"));
        });
        assert!(message.contains("addresses/frontend"), "its addresses are given: {message}");
    }

    #[rstest]
    #[case::the_other_operator_came_first("frontend b\n  bind :2\nfrontend a\n  bind :1\n", CheckStatus::Pass)]
    #[case::a_line_has_wandered("frontend b\n  bind :1\nfrontend a\n  bind :2\n", CheckStatus::Fail)]
    #[case::one_is_missing("frontend b\n  bind :2\n", CheckStatus::Fail)]
    #[case::one_is_there_twice(
        "frontend b\n  bind :2\nfrontend b\n  bind :2\nfrontend a\n  bind :1\n",
        CheckStatus::Fail
    )]
    fn sections_may_change_places(#[case] sections: &str, #[case] want: CheckStatus) {
        let text = format!("# _version=4\nglobal\n  log stdout\n{sections}");
        let (status, message) = judged(|run| run.set_at_end(CFG, Node::config(&text)));
        assert_eq!(status, want, "{message}");
    }

    #[test]
    fn what_was_made_twice_is_told_even_if_one_is_gone() {
        let (status, message) = judged(|run| run.machine(98, NEW, true));
        assert_eq!(status, CheckStatus::Fail);
        assert_eq!(message, "haproxy-v0.2.0 was made 2 times and destroyed 0 times; undisturbed 1 and 0");
        let again = |run: &mut Run| {
            run.machine(98, NEW, false);
            run.machine(99, NEW, true);
        };
        assert_eq!(judged(again).0, CheckStatus::Pass, "a first attempt may be taken back");
        let replaced = |run: &mut Run| {
            run.machine(98, "haproxy", false);
            run.machine(99, "haproxy", true);
        };
        let (_, message) = judged(replaced);
        assert_eq!(message, "haproxy was made 1 times and destroyed 1 times, although it was there before");
    }
}
