//! How long each target was unreachable: what the outage check judges and reports show.

use std::collections::BTreeMap;
use std::time::Duration;

use grenadier_clock::Time;
use grenadier_events::{Bounds, ProbeKind};
use grenadier_probe::{Outage, Part, Spans, Total, Unseen, Watch, total, unseen, watches, windows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Facts, Target};

/// What the probes saw of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetOutage {
    /// The target.
    pub target: String,
    /// Whether it is outside the upgrade.
    pub is_canary: bool,
    /// How many probes watched it.
    pub watches: usize,
    /// When a probe was first answered; none where none ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_up: Option<Bounds>,
    /// For the upgrade, and for the rollback where there was one: what the probe lost that lost most.
    pub totals: Vec<Total>,
    /// Every interval that counts, of all its probes.
    pub outages: Vec<Outage>,
    /// When a probe did not look: nothing is known of it then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
}

impl TargetOutage {
    /// For how long one probe did not look in a part of the run, at most, and why it did not for longest.
    pub fn unseen_in(&self, part: Part) -> Option<(Duration, &Unseen)> {
        let mut probers: BTreeMap<(&str, ProbeKind), (u64, &Unseen)> = BTreeMap::new();
        for hole in self.unseen.iter().filter(|hole| hole.part == part && !hole.is_not_covered) {
            let (sum, longest) = probers.entry((&hole.client, hole.probe)).or_insert((0, hole));
            *sum += hole.length_ns();
            if hole.length_ns() > longest.length_ns() {
                *longest = hole;
            }
        }
        let (sum, longest) = probers.into_values().max_by_key(|(sum, longest)| (*sum, longest.length_ns()))?;
        Some((Duration::from_nanos(sum), longest))
    }

    /// The kinds of probe that cannot look at it here, each with the reason.
    pub fn not_covered(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for hole in self.unseen.iter().filter(|hole| hole.is_not_covered) {
            let line = format!("{} of {} is not covered: {}", hole.probe.name(), self.target, hole.reason);
            if !words.contains(&line) {
                words.push(line);
            }
        }
        words
    }

    /// The outage that explains most of what was lost in `total`'s part: the longest one.
    pub fn longest(&self, end: Time) -> Option<&Outage> {
        self.outages.iter().max_by_key(|outage| (outage.length(end), std::cmp::Reverse(outage.from)))
    }
}

/// What the probes saw of every target, in the order of the facts.
pub(crate) fn of(facts: &Facts<'_>) -> Vec<TargetOutage> {
    let spans = Spans::of(facts.events);
    let all = watches(facts.events);
    facts.targets.iter().map(|target| of_target(facts, target, &spans, &all)).collect()
}

fn of_target(facts: &Facts<'_>, target: &Target, spans: &Spans, all: &[Watch<'_>]) -> TargetOutage {
    let windows = windows(spans, facts.ended_ns);
    let mine: Vec<&Watch<'_>> = all.iter().filter(|watch| watch.target == target.name).collect();
    let lost: Vec<Vec<Outage>> = mine.iter().map(|watch| watch.outages(spans)).collect();
    let totals = windows
        .iter()
        .filter_map(|window| {
            lost.iter().map(|outages| total(outages, window)).max_by_key(|total| (total.length.upper_ns, total.length))
        })
        .collect();
    let counts = |outage: &Outage| windows.iter().any(|window| !outage.within(window).is_zero());
    TargetOutage {
        target: target.name.clone(),
        is_canary: target.is_canary,
        watches: mine.len(),
        // The probe that was answered last: a target is up when all its probes are.
        first_up: mine
            .iter()
            .map(|watch| watch.first_up())
            .collect::<Option<Vec<_>>>()
            .and_then(|all| all.into_iter().max_by_key(|bounds| bounds.latest_ns)),
        totals,
        outages: lost.into_iter().flatten().filter(counts).collect(),
        unseen: unseen(facts.events, &windows).into_iter().filter(|hole| hole.target == target.name).collect(),
    }
}
