//! Who answers for each target, before and after: shared by the identity check and the ladder's level of behaviour.

use grenadier_events::{ServedBy, World};
use grenadier_probe::{Moment, Spans, Watch, watches};

use crate::Facts;

/// Which moments are held against the base.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// After the upgrade and at the end.
    Every,
    /// At the end only.
    End,
}

/// What the comparison found.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) problems: Vec<String>,
    pub(crate) gaps: Vec<String>,
    /// How many targets were compared.
    pub(crate) compared: usize,
}

impl Answers {
    pub(crate) fn compared_words(&self) -> String {
        if self.compared == 1 { "1 target".to_owned() } else { format!("{} targets", self.compared) }
    }
}

/// Compares who answers for every target (but canaries) with who did before the upgrade.
pub(crate) fn compare(facts: &Facts<'_>, when: When) -> Answers {
    let spans = Spans::of(facts.events);
    let mut found = Answers::default();
    let Some(before) = facts.before_upgrade(&spans) else {
        found.gaps.push("the run never came to the upgrade".to_owned());
        return found;
    };
    let mut moments = facts.after_upgrade(&spans);
    if when == When::End {
        moments.drain(..moments.len().saturating_sub(1));
    }
    let all = watches(facts.events);
    for target in facts.targets.iter().filter(|target| !target.is_canary) {
        let mine: Vec<&Watch<'_>> = all.iter().filter(|watch| watch.target == target.name).collect();
        if mine.is_empty() {
            found.gaps.push(format!("no probe watched {}", target.name));
            continue;
        }
        let sampled = facts.subject.world == World::Docker;
        for watch in mine {
            compare_watch(watch, sampled, before, &moments, &mut found);
        }
        found.compared += 1;
    }
    if found.compared == 0 && found.gaps.is_empty() {
        found.gaps.push("there is no target".to_owned());
    }
    found
}

fn compare_watch(watch: &Watch<'_>, sampled: bool, before: Moment, moments: &[(&str, Moment)], found: &mut Answers) {
    let target = watch.target;
    let base = watch.served_at(before);
    // Samples over a kept connection name the one backend that took it; after it broke, any of them may take the next.
    let names_one = sampled && watch.probe.keeps_a_connection();
    for (when, moment) in moments {
        match (base, watch.served_at(*moment)) {
            // It was down before, and so it is.
            (None, None) => {}
            (None, Some(_)) => found.gaps.push(format!("{target} did not answer before the upgrade, and does {when}")),
            (Some(_), None) => found.problems.push(format!("{target} does not answer {when}")),
            (Some(base), Some(now)) => {
                if watch.probe.names_backends() && base.backends.is_empty() && now.backends.is_empty() {
                    found.gaps.push(format!("who answers for {target} is not known"));
                }
                found.problems.extend(difference(target, when, base, now, names_one));
            }
        }
    }
}

fn difference(target: &str, when: &str, base: &ServedBy, now: &ServedBy, names_one: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let names = |list: &[String]| if list.is_empty() { "nobody".to_owned() } else { list.join(", ") };
    if base.backends != now.backends && !names_one {
        let (was, is) = (names(&base.backends), names(&now.backends));
        problems.push(format!("{target} is answered by {is} {when}, before by {was}"));
    }
    if base.certificate != now.certificate {
        let shown = |certificate: &Option<String>| certificate.as_deref().map_or("none", short).to_owned();
        let (was, is) = (shown(&base.certificate), shown(&now.certificate));
        problems.push(format!("{target} shows certificate {is} {when}, before {was}"));
    }
    problems
}

/// The beginning of a fingerprint: enough to tell two apart.
pub(crate) fn short(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}
