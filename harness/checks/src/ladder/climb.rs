//! Climbing the ladder: every level, from the facts of a run.

use grenadier_events::{CheckStatus, LadderLevel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Comparison, compare_trees, meaning};
use crate::checks::{answers, leftovers};
use crate::{Difference, Facts, Masked};

/// How many differences of one level are kept in a verdict; the rest is counted.
const KEPT: usize = 40;

/// One level of the ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rung {
    /// Which.
    pub level: LadderLevel,
    /// Whether the end equals the base on it.
    pub status: CheckStatus,
    /// In one line.
    pub message: String,
    /// The differences, the first ones only where there are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// What else speaks against it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl Rung {
    /// The level's name, as the event vocabulary writes it.
    pub const fn name(&self) -> &'static str {
        match self.level {
            LadderLevel::Bytes => "bytes",
            LadderLevel::Structure => "structure",
            LadderLevel::Meaning => "meaning",
            LadderLevel::Behaviour => "behaviour",
            LadderLevel::History => "history",
        }
    }
}

/// The end of a run compared with its base, level by level, strictest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ladder {
    /// All five levels.
    pub rungs: Vec<Rung>,
    /// Masks that matched no node: nobody needs them, or they are misspelt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused_masks: Vec<String>,
    /// What the level of structure passed over, where both states were captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<Masked>,
}

impl Ladder {
    /// Compares the end of the run with its base.
    pub fn climb(facts: &Facts<'_>) -> Ladder {
        let [bytes, structure] = trees(facts);
        let trees = [facts.captures.base.as_ref(), facts.captures.end.as_ref()];
        let roots: Vec<_> = trees.into_iter().flatten().map(|capture| &capture.root).collect();
        let unused_masks = if roots.len() == 2 { facts.masks.unused(&roots) } else { Vec::new() };
        let masked = match roots.as_slice() {
            [base, end] => Some(facts.masks.covering(base, end)),
            _ => None,
        };
        let rungs = vec![bytes, structure, meanings(facts), behaviour(facts), history(facts)];
        Ladder { rungs, unused_masks, masked }
    }

    /// The rung of `level`.
    pub fn rung(&self, level: LadderLevel) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.level == level)
    }
}

fn not_covered(level: LadderLevel, message: &str) -> Rung {
    Rung {
        level,
        status: CheckStatus::NotCovered,
        message: message.to_owned(),
        differences: Vec::new(),
        problems: Vec::new(),
    }
}

fn by_differences(level: LadderLevel, mut differences: Vec<Difference>, equal: String) -> Rung {
    let count = differences.len();
    differences.truncate(KEPT);
    let (status, message) = match count {
        0 => (CheckStatus::Pass, equal),
        1 => (CheckStatus::Fail, differences[0].to_string()),
        _ => (CheckStatus::Fail, format!("{count} differences, first {}", differences[0])),
    };
    Rung { level, status, message, differences, problems: Vec::new() }
}

fn by_lists(level: LadderLevel, problems: Vec<String>, gaps: &[String], equal: String) -> Rung {
    let (status, message) = match (problems.as_slice(), gaps) {
        ([first, ..], _) => (CheckStatus::Fail, first.clone()),
        ([], [first, ..]) => (CheckStatus::NotCovered, first.clone()),
        ([], []) => (CheckStatus::Pass, equal),
    };
    Rung { level, status, message, differences: Vec::new(), problems }
}

fn trees(facts: &Facts<'_>) -> [Rung; 2] {
    let (Some(base), Some(end)) = (&facts.captures.base, &facts.captures.end) else {
        let why = "the state was not captured before and after";
        return [not_covered(LadderLevel::Bytes, why), not_covered(LadderLevel::Structure, why)];
    };
    let allowed = Comparison {
        masks: facts.masks,
        between_runs: false,
        recreated: &facts.recreated,
        residuals: &facts.expect.residuals,
        acknowledged: &facts.acknowledged,
    };
    let found = compare_trees(&base.root, &end.root, &allowed);
    let mut bytes = by_differences(LadderLevel::Bytes, found.bytes, "identity and configuration are the same".into());
    if bytes.status == CheckStatus::Fail && found.structure.is_empty() {
        bytes.message = format!("masked: {}", bytes.message);
    }
    let equal = format!("{} nodes compared under {} masks", found.nodes, facts.masks.masks.len());
    [bytes, by_differences(LadderLevel::Structure, found.structure, equal)]
}

fn meanings(facts: &Facts<'_>) -> Rung {
    let level = LadderLevel::Meaning;
    let (Some(base), Some(base_routes), Some(now), Some(now_routes)) =
        (&facts.meaning.base, &facts.routes.base, &facts.meaning.end, &facts.routes.end)
    else {
        return not_covered(level, "machines or routes are not known before and after");
    };
    let (base, now) = ((base, &base_routes.file), (now, &now_routes.file));
    let routes: usize = base.1.values().map(std::collections::BTreeSet::len).sum();
    let equal = format!("{} machines and {routes} routes are as they were", base.0.len());
    by_differences(level, meaning::differences(base, now, &facts.expect.residuals), equal)
}

fn behaviour(facts: &Facts<'_>) -> Rung {
    let found = answers::compare(facts, answers::When::End);
    let equal = format!("{} answer as they did", found.compared_words());
    by_lists(LadderLevel::Behaviour, found.problems, &found.gaps, equal)
}

fn history(facts: &Facts<'_>) -> Rung {
    let found = leftovers::find(facts);
    by_lists(LadderLevel::History, found.problems, &found.gaps, "nothing is left over".into())
}
