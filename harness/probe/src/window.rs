//! The parts of a run in which an outage counts.

use grenadier_clock::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Length, Outage, Spans};

/// Which budget an outage is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The upgrade: from the first verification to the rollback, or to the end where nothing is rolled back.
    Upgrade,
    /// The rollback after a successful upgrade: from its start to the end.
    Rollback,
}

impl Part {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Upgrade => "upgrade",
            Part::Rollback => "rollback",
        }
    }
}

/// A part of the run in which an outage counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which part.
    pub part: Part,
    /// Its first moment.
    pub from: Time,
    /// Its last moment.
    pub to: Time,
}

/// What was lost within one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Total {
    /// Which part of the run.
    pub part: Part,
    /// How long all outages of one watch lasted in it together.
    pub length: Length,
    /// How many there were.
    pub count: usize,
}

/// The windows of a run that ends at `horizon`: the upgrade, and the rollback where there was one.
///
/// The first begins with phase `verify` (or `upgrade`, where nothing was verified) and reaches to the start of phase
/// `rollback`; the second from there on. Both end when `destroy` begins, which takes everything down on purpose. There is no
/// gap between them, so that an outage which a failed upgrade leaves behind counts until somebody ends it. A run that never
/// came to its first verification has no window.
pub fn windows(spans: &Spans, horizon: Time) -> Vec<Window> {
    let start = |name: &str| spans.phase(name).map(|span| span.from.at);
    let Some(from) = start("verify").or_else(|| start("upgrade")) else { return Vec::new() };
    let to = start("destroy").unwrap_or(horizon).min(horizon);
    match start("rollback").filter(|at| *at <= to) {
        None => vec![Window { part: Part::Upgrade, from, to }],
        Some(rollback) => vec![
            Window { part: Part::Upgrade, from, to: rollback },
            Window { part: Part::Rollback, from: rollback, to },
        ],
    }
}

/// What the outages of one watch sum up to within `window`.
pub fn total<'a>(outages: impl IntoIterator<Item = &'a Outage>, window: &Window) -> Total {
    let mut total = Total { part: window.part, length: Length::default(), count: 0 };
    for length in outages.into_iter().map(|outage| outage.within(window)).filter(|length| !length.is_zero()) {
        total.length += length;
        total.count += 1;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outage::tests::Story;
    use crate::outages;

    fn totals(story: &Story, horizon: u64) -> Vec<(Part, u64, usize)> {
        let horizon = Time::from_ns(horizon);
        let all = outages(&story.events, horizon);
        windows(&Spans::of(&story.events), horizon)
            .iter()
            .map(|window| total(&all, window))
            .map(|total| (total.part, total.length.upper_ns, total.count))
            .collect()
    }

    fn swap() -> Story {
        let mut story = Story::default();
        story.phase(0, "create");
        story.up(2);
        // Not yet watched.
        story.down(3, "not yet programmed");
        story.up(5);
        story.phase(10, "verify");
        story.phase(20, "upgrade");
        story.down(30, "off");
        story.up(41);
        story
    }

    #[test]
    fn upgrade_and_rollback_have_totals_of_their_own() {
        let mut story = swap();
        story.phase(50, "verify-upgraded");
        story.phase(60, "rollback");
        story.down(61, "off");
        story.up(68);
        story.phase(80, "compare");
        story.phase(90, "destroy");
        story.down(91, "gone");
        assert_eq!(totals(&story, 100), [(Part::Upgrade, 11, 1), (Part::Rollback, 7, 1)]);
    }

    #[test]
    fn an_outage_that_spans_both_counts_in_both() {
        let mut story = swap();
        story.down(55, "off");
        story.phase(60, "rollback");
        story.up(63);
        assert_eq!(totals(&story, 100), [(Part::Upgrade, 16, 2), (Part::Rollback, 3, 1)]);
    }

    #[test]
    fn what_a_failed_upgrade_leaves_behind_counts_to_the_end() {
        let mut story = swap();
        story.down(45, "off");
        story.skip(50, "verify-upgraded");
        story.phase(60, "rollback");
        story.skip(60, "rollback");
        story.phase(70, "compare");
        assert_eq!(totals(&story, 100), [(Part::Upgrade, 11 + 55, 2)]);
    }

    #[test]
    fn a_run_that_never_verified_has_no_window() {
        let mut story = Story::default();
        story.phase(0, "base");
        assert_eq!(windows(&Spans::of(&story.events), Time::from_ns(9)), []);
    }
}
